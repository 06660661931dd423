#include "dns/meter.h"

#include <gtest/gtest.h>

#include "support/fake_resolver.h"
#include "support/stale_resolver.h"

namespace sesame::dns {
namespace {

TEST(Meter, AMessageAsksEachQuestionOnceAndSeesOneAnswer) {
  test::FakeResolver resolver("a.example TXT one\nb.example TXT !SERVFAIL\n");
  Meter meter(resolver, system_clock());
  const auto first = meter.lookup("a.example", Type::txt, Deadline::max());
  resolver.zone().remove("a.example");
  EXPECT_EQ(meter.lookup("A.Example", Type::txt, Deadline::max()), first);
  EXPECT_EQ(meter.lookup("b.example", Type::txt, Deadline::max())->status, Status::servfail);
  resolver.zone().remove("b.example");
  EXPECT_EQ(meter.lookup("b.example", Type::txt, Deadline::max())->status, Status::servfail);
  meter.lookup("a.example", Type::a, Deadline::max());
  EXPECT_EQ(resolver.asked().size(), 3u);
  EXPECT_EQ(meter.cost().lookups, 3);
}

TEST(Meter, TellsManyQuestionsApart) {
  std::string zone;
  const auto name = [](int i) {
    return std::string(static_cast<std::size_t>(i) / 10, 'a') + std::to_string(i) + ".example";
  };
  for (int i = 0; i < 100; ++i) zone += name(i) + " TXT " + std::to_string(i) + "\n";
  test::FakeResolver resolver(zone);
  Meter meter(resolver, system_clock());
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(meter.lookup(name(i), Type::txt, Deadline::max())->texts.at(0), std::to_string(i));
      EXPECT_EQ(meter.lookup(name(i), Type::a, Deadline::max())->status, Status::nodata);
    }
  EXPECT_EQ(resolver.asked().size(), 200u);
  EXPECT_EQ(meter.cost().lookups, 200);
  EXPECT_EQ(meter.cost().queries, 200);
}

TEST(Meter, NamesTheFirstLookupThatFailed) {
  test::FakeResolver resolver("a.example TXT !REFUSED\nb.example TXT !SERVFAIL\n");
  Meter meter(resolver, system_clock());
  meter.lookup("none.example", Type::txt, Deadline::max());
  EXPECT_EQ(meter.cost().failed, "");
  meter.lookup("a.example", Type::txt, Deadline::max());
  meter.lookup("b.example", Type::txt, Deadline::max());
  EXPECT_EQ(meter.cost().failed, "TXT a.example: REFUSED");
}

TEST(Meter, NobodyWaitsBeyondTheDeadlineOfTheMessage) {
  test::FakeResolver resolver("slow.example TXT !SLOW 60000\nslow.example TXT late\n");
  Meter meter(resolver, system_clock());
  meter.set_deadline(system_clock().steady_now() + std::chrono::seconds(1));
  EXPECT_EQ(meter.lookup("slow.example", Type::txt, Deadline::max())->status, Status::timeout);
  EXPECT_EQ(meter.cost().queries, 1);
}

// RFC 8767: what is used past its time to live is told.
TEST(Meter, CountsAnswersThatAreStaleAndNamesTheFirst) {
  test::FakeResolver fresh("a.example TXT one\nb.example TXT two\n");
  test::StaleResolver resolver(fresh, {"TXT b.example", "TXT none.example"});
  Meter meter(resolver, system_clock());
  meter.lookup("a.example", Type::txt, Deadline::max());
  EXPECT_EQ(meter.cost().stale, 0);
  EXPECT_EQ(meter.cost().stale_name, "");
  meter.lookup("b.example", Type::txt, Deadline::max());
  meter.lookup("B.example", Type::txt, Deadline::max());
  meter.lookup("none.example", Type::txt, Deadline::max());
  EXPECT_EQ(meter.cost().stale, 2);
  EXPECT_EQ(meter.cost().stale_name, "TXT b.example");
  EXPECT_EQ(meter.cost().failed, "");
}

// RFC 8767 Section 4.
TEST(Absence, IsProvenByAnAnswerWithinItsTimeToLiveAlone) {
  struct Case {
    Status status;
    bool stale, proven, undecided;
    const char* text;
  };
  for (const auto& c :
       {Case{Status::ok, false, false, false, "NOERROR"}, Case{Status::ok, true, false, false, "only a stale NOERROR"},
        Case{Status::nodata, false, true, false, "NODATA"},
        Case{Status::nodata, true, false, true, "only a stale NODATA"},
        Case{Status::nxdomain, false, true, false, "NXDOMAIN"},
        Case{Status::nxdomain, true, false, true, "only a stale NXDOMAIN"},
        Case{Status::servfail, false, false, true, "SERVFAIL"},
        Case{Status::timeout, false, false, true, "no answer"}}) {
    Answer answer;
    answer.status = c.status;
    answer.stale = c.stale;
    EXPECT_EQ(proves_absence(answer), c.proven) << c.text;
    EXPECT_EQ(is_undecided(answer), c.undecided) << c.text;
    EXPECT_EQ(status_text(answer), c.text);
  }
}

}  // namespace
}  // namespace sesame::dns
