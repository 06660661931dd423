#include "dns/meter.h"

#include <gtest/gtest.h>

#include "support/fake_resolver.h"

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

}  // namespace
}  // namespace sesame::dns
