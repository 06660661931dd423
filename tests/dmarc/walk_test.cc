#include "dmarc/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_resolver.h"
#include "support/late_resolver.h"
#include "util/text.h"

namespace sesame::dmarc {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TEST(Walk, AsksUpToTheTopAndNeverMoreThanEight) {  // M1, RFC 9989 Section 4.10
  EXPECT_THAT(walk_names("com"), ElementsAre("com"));
  EXPECT_THAT(walk_names("example.com"), ElementsAre("example.com", "com"));
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g"),
              ElementsAre("a.b.c.d.e.f.g", "b.c.d.e.f.g", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g", "g"));
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g.h"), ElementsAre("a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h",
                                                         "e.f.g.h", "f.g.h", "g.h", "h"));
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
                          "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"));
  EXPECT_THAT(walk_names(""), IsEmpty());
}

struct Case {
  const char* rule;
  const char* start;
  const char* zone;
  const char* want;  // "" = undecided
};

TEST(Walk, FindsTheOrganizationalDomain) {  // RFC 9989 Section 4.10.2
  const Case cases[] = {
      {"nothing found", "a.mail.example.com", "", "a.mail.example.com"},
      {"fewest labels", "a.mail.example.com",
       "_dmarc.mail.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=none", "example.com"},
      {"psd=n stops", "a.mail.example.com",
       "_dmarc.mail.example.com TXT v=DMARC1; p=none; psd=n\n_dmarc.example.com TXT v=DMARC1; p=none",
       "mail.example.com"},
      {"psd=y is one above", "a.mail.example.com", "_dmarc.com TXT v=DMARC1; p=none; psd=y", "example.com"},
      {"psd=y at the start", "bank.example",
       "_dmarc.bank.example TXT v=DMARC1; p=none; psd=y\n_dmarc.example TXT v=DMARC1; p=none", "bank.example"},
      {"one below psd=y lies in the part cut out", "a.b.c.d.e.f.g.h.i.j",
       "_dmarc.d.e.f.g.h.i.j TXT v=DMARC1; p=none; psd=y", "c.d.e.f.g.h.i.j"},
      {"one below psd=y that is the first name after the cut", "x.a.b.c.d.e.f.g",
       "_dmarc.a.b.c.d.e.f.g TXT v=DMARC1; p=none; psd=y", "x.a.b.c.d.e.f.g"},
      {"psd=y above a record between", "a.b.example.com",
       "_dmarc.b.example.com TXT v=DMARC1; p=none\n_dmarc.com TXT v=DMARC1; p=none; psd=y", "example.com"},
      {"strings of one record are joined", "a.example.com",
       "_dmarc.a.example.com TXT \"v=DMARC1; p=no\" \"ne; ps\" \"d=n\"\n_dmarc.example.com TXT v=DMARC1; p=none",
       "a.example.com"},
      {"a record at the top without psd", "example.com", "_dmarc.com TXT v=DMARC1; p=none", "com"},
      {"a record below only", "mail.example.com", "_dmarc.mail.example.com TXT v=DMARC1; p=none", "mail.example.com"},
      {"M4 two records are none", "a.example.com",
       "_dmarc.a.example.com TXT v=DMARC1; psd=n\n_dmarc.a.example.com TXT v=DMARC1; psd=n\n"
       "_dmarc.example.com TXT v=DMARC1; p=none",
       "example.com"},
      {"other texts do not count", "a.example.com",
       "_dmarc.a.example.com TXT v=spf1 -all\n_dmarc.a.example.com TXT v=DMARC1; p=none; psd=n\n"
       "_dmarc.example.com TXT v=DMARC1; p=none",
       "a.example.com"},
      {"a record without p still stands on the way", "a.example.com", "_dmarc.example.com TXT v=DMARC1", "example.com"},
      {"psd=n before the failure", "a.mail.example.com",
       "_dmarc.mail.example.com TXT v=DMARC1; psd=n\n_dmarc.example.com TXT !SERVFAIL", "mail.example.com"},
      {"M9 failure above", "a.example.com",
       "_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT !TIMEOUT", ""},
      {"M9 failure at the start", "a.example.com", "_dmarc.a.example.com TXT !REFUSED", ""},
      {"alias", "a.example.com", "_dmarc.a.example.com CNAME d.example.net\nd.example.net TXT v=DMARC1; p=none; psd=n",
       "a.example.com"},
  };
  for (const auto& c : cases) {
    test::FakeResolver resolver(std::string_view(c.zone));
    Records records(resolver, Deadline::max());
    EXPECT_EQ(records.walk(c.start).org_domain, c.want) << c.rule;
    EXPECT_EQ(records.walk(c.start).reason.empty(), *c.want != '\0') << c.rule;
    EXPECT_LE(resolver.asked().size(), kMaxQueries) << c.rule;
  }
}

TEST(Walk, OnlyPsdEndsItEarly) {  // M1, RFC 9989 Section 4.10 steps 2, 6 and 7
  const std::string top = "TXT _dmarc.a.mail.example.com", mail = "TXT _dmarc.mail.example.com";
  const std::string example = "TXT _dmarc.example.com", com = "TXT _dmarc.com";
  const std::tuple<const char*, const char*, std::vector<std::string>> cases[] = {
      {"nothing", "", {top, mail, example, com}},
      {"records without psd",
       "_dmarc.a.mail.example.com TXT v=DMARC1; p=reject\n_dmarc.mail.example.com TXT v=DMARC1; p=none; psd=u\n"
       "_dmarc.example.com TXT v=DMARC1; p=none; psd=x",
       {top, mail, example, com}},
      {"psd=n at the start", "_dmarc.a.mail.example.com TXT v=DMARC1; p=none; psd=n", {top}},
      {"psd=y at the start", "_dmarc.a.mail.example.com TXT v=DMARC1; p=none; psd=y", {top}},
      {"psd=n on the way", "_dmarc.mail.example.com TXT v=DMARC1; p=none; psd=n", {top, mail}},
      {"psd=y on the way", "_dmarc.mail.example.com TXT v=DMARC1; p=none; psd=y", {top, mail}},
      {"psd=n in one of two records",
       "_dmarc.mail.example.com TXT v=DMARC1; p=none; psd=n\n_dmarc.mail.example.com TXT v=DMARC1; p=none",
       {top, mail, example, com}},
      {"psd=n in what is no record", "_dmarc.mail.example.com TXT v=dmarc1; p=none; psd=n", {top, mail, example, com}},
  };
  for (const auto& [rule, zone, want] : cases) {
    test::FakeResolver resolver{std::string_view(zone)};
    Records records(resolver, Deadline::max());
    (void)records.walk("a.mail.example.com");
    EXPECT_EQ(resolver.asked(), want) << rule;
  }
}

// RFC 9989 Section 5.1.8: what stands in the part cut out is never found, not even below a psd=y.
TEST(Walk, TheCutSkipsWhatIsBetween) {
  test::FakeResolver resolver(
      "_dmarc.b.c.d.e.f.g.example.com TXT v=DMARC1; p=none; psd=n\n"
      "_dmarc.c.d.e.f.g.example.com TXT v=DMARC1; p=none; psd=y");
  Records records(resolver, Deadline::max());
  EXPECT_EQ(records.walk("mail.a.b.c.d.e.f.g.example.com").org_domain, "b.c.d.e.f.g.example.com");
  EXPECT_THAT(resolver.asked(),
              ElementsAre("TXT _dmarc.mail.a.b.c.d.e.f.g.example.com", "TXT _dmarc.c.d.e.f.g.example.com"));
}

TEST(Walk, AsksEachNameOnce) {
  test::FakeResolver resolver("_dmarc.example.com TXT v=DMARC1; p=none");
  Records records(resolver, Deadline::max());
  (void)records.walk("a.example.com");
  (void)records.walk("b.example.com");
  (void)records.walk("a.example.com");
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT _dmarc.a.example.com", "TXT _dmarc.example.com", "TXT _dmarc.com",
                                            "TXT _dmarc.b.example.com"));
}

TEST(Walk, OneBadNameDoesNotPoisonItsSiblings) {  // M9
  test::FakeResolver resolver("_dmarc.bad.example.com TXT !SERVFAIL\n_dmarc.example.com TXT v=DMARC1; p=none");
  Records records(resolver, Deadline::max());
  EXPECT_EQ(records.walk("bad.example.com").reason, "_dmarc.bad.example.com: SERVFAIL");
  EXPECT_EQ(records.walk("good.example.com").org_domain, "example.com");
}

TEST(Walk, SeveralRecordsAreNoted) {  // M4
  test::FakeResolver resolver("_dmarc.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject");
  Records records(resolver, Deadline::max());
  EXPECT_THAT(records.walk("example.com").problems, ElementsAre("_dmarc.example.com: 2 DMARC records"));
}

TEST(Prefetch, AsksWhatTheWalkAsks) {
  const std::pair<const char*, const char*> cases[] = {
      {"A.b.Example.com.", ""},
      {"example.com", "_dmarc.example.com TXT v=DMARC1; p=reject"},
      {"b.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject"},
      {"b.example.com", "_dmarc.b.example.com TXT v=DMARC1; p=reject; psd=n"},
      {"a.b.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; psd=y"},
      {"a.b.example.com", "_dmarc.b.example.com TXT v=DMARC1; psd=n\n_dmarc.b.example.com TXT v=DMARC1; psd=n"},
      {"a.b.example.com", "_dmarc.b.example.com TXT !SERVFAIL"},
      {"a.b.c.d.e.f.g.h.i.example.com", ""},
      {"localhost", ""},
      {"a..b", ""},
      {"", ""},
  };
  for (const auto& [author, zone] : cases) {
    test::LateResolver late(zone);
    prefetch(late, author);
    EXPECT_LE(late.asked().size(), 1U) << author;
    late.let_come();
    test::FakeResolver resolver(zone);
    Evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max()).discover(author);
    EXPECT_THAT(late.asked(), ElementsAreArray(resolver.asked())) << author << " " << zone;
  }
}

}  // namespace
}  // namespace sesame::dmarc
