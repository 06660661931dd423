#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dmarc/dmarc.h"
#include "support/fake_resolver.h"
#include "support/stale_resolver.h"

namespace sesame::dmarc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string word(Discovery::State state) {
  switch (state) {
    case Discovery::State::found:
      return "found";
    case Discovery::State::absent:
      return "absent";
    case Discovery::State::temperror:
      return "temperror";
    case Discovery::State::permerror:
      break;
  }
  return "permerror";
}

// "found at example.com: reject quarantine" (policy, disposition), or the state alone.
std::string shown(const Discovery& d) {
  if (d.state != Discovery::State::found) return word(d.state);
  return "found at " + d.record_domain + ": " + to_string(d.policy) + " " + to_string(d.disposition);
}

struct Case {
  const char* rule;
  const char* author;
  const char* zone;
  const char* rfc9989;
  const char* rfc7489;
};

const Case kCases[] = {
    {"none", "example.com", "", "absent", "absent"},
    {"own record", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"any case and a trailing dot", "Example.COM.", "_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"M1 parent's record", "a.b.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"sp for names below", "a.example.com",
     "a.example.com A 192.0.2.1\n_dmarc.example.com TXT v=DMARC1; p=reject; sp=none", "found at example.com: none none",
     "found at example.com: none none"},
    {"own record beats that of the organization", "a.example.com",
     "_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at a.example.com: none none", "found at a.example.com: none none"},
    {"record between is not the policy", "a.b.example.com",
     "_dmarc.b.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"psd=n makes it the organization", "a.b.example.com",
     "_dmarc.b.example.com TXT v=DMARC1; p=none; psd=n\n_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at b.example.com: none none", "found at example.com: reject reject"},
    {"public suffix domain last", "a.example.com", "_dmarc.com TXT v=DMARC1; p=quarantine; psd=y",
     "found at com: quarantine quarantine", "absent"},
    {"organization before public suffix domain", "a.example.com",
     "_dmarc.com TXT v=DMARC1; p=quarantine; psd=y\n_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"record between author and organization below a suffix", "a.b.example.com",
     "_dmarc.com TXT v=DMARC1; p=quarantine; psd=y\n_dmarc.b.example.com TXT v=DMARC1; p=reject",
     "found at com: quarantine quarantine", "absent"},
    {"public suffix domain's own policy", "bank.example",
     "_dmarc.bank.example TXT v=DMARC1; p=quarantine; sp=reject; np=none; psd=y",
     "found at bank.example: quarantine quarantine", "found at bank.example: quarantine quarantine"},
    {"public suffix domain's sp", "a.bank.example",
     "a.bank.example A 192.0.2.1\n_dmarc.bank.example TXT v=DMARC1; p=none; sp=quarantine; np=reject; psd=y",
     "found at bank.example: quarantine quarantine", "found at bank.example: quarantine quarantine"},
    {"public suffix domain's np", "a.bank.example",
     "_dmarc.bank.example TXT v=DMARC1; p=none; sp=quarantine; np=reject; psd=y",
     "found at bank.example: reject reject", "found at bank.example: quarantine quarantine"},
    {"B.4.3 the organization below a public suffix domain", "giant.bank.example",
     "_dmarc.bank.example TXT v=DMARC1; p=reject; psd=y\n_dmarc.giant.bank.example TXT v=DMARC1; p=quarantine",
     "found at giant.bank.example: quarantine quarantine", "found at giant.bank.example: quarantine quarantine"},
    {"M4 two records of the organization: the public suffix domain's", "a.example.com",
     "_dmarc.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=none\n"
     "_dmarc.com TXT v=DMARC1; p=reject; psd=y",
     "found at com: reject reject", "absent"},
    {"M4 two records everywhere", "a.example.com",
     "_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.a.example.com TXT v=DMARC1; p=none\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=none",
     "absent", "absent"},
    {"other texts beside the record", "example.com",
     "_dmarc.example.com TXT v=spf1 -all\n_dmarc.example.com TXT v=dmarc1; p=none\n"
     "_dmarc.example.com TXT p=none; v=DMARC1\n_dmarc.example.com TXT v = DMARC1 ; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"M8 t=y on sp", "a.example.com",
     "a.example.com A 192.0.2.1\n_dmarc.example.com TXT v=DMARC1; p=none; sp=reject; t=y",
     "found at example.com: reject quarantine", "found at example.com: reject reject"},
    {"M8 t=y on np", "a.example.com", "_dmarc.example.com TXT v=DMARC1; p=none; np=quarantine; t=y",
     "found at example.com: quarantine none", "found at example.com: none none"},
    {"M8 pct, rf and ri change nothing now, pct=0 did", "example.com",
     "_dmarc.example.com TXT v=DMARC1; p=reject; pct=0; rf=x; ri=1", "found at example.com: reject reject",
     "found at example.com: reject quarantine"},
    {"M8 t=y is one softer", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; t=y",
     "found at example.com: reject quarantine", "found at example.com: reject reject"},
    {"M8 t=y on quarantine", "example.com", "_dmarc.example.com TXT v=DMARC1; p=quarantine; t=y",
     "found at example.com: quarantine none", "found at example.com: quarantine quarantine"},
    {"t=y on none", "example.com", "_dmarc.example.com TXT v=DMARC1; p=none; t=y", "found at example.com: none none",
     "found at example.com: none none"},
    {"M8 np for NXDOMAIN", "x.example.com", "_dmarc.example.com TXT v=DMARC1; p=none; sp=quarantine; np=reject",
     "found at example.com: reject reject", "found at example.com: quarantine quarantine"},
    {"np not for NODATA", "x.example.com",
     "a.x.example.com A 192.0.2.1\n_dmarc.example.com TXT v=DMARC1; p=none; np=reject",
     "found at example.com: none none", "found at example.com: none none"},
    {"np not for an alias to nothing", "x.example.com",
     "x.example.com CNAME gone.example.net\n_dmarc.example.com TXT v=DMARC1; p=none; np=reject",
     "found at example.com: none none", "found at example.com: none none"},
    {"np not for the record's own name", "example.com", "_dmarc.example.com TXT v=DMARC1; p=none; np=reject",
     "found at example.com: none none", "found at example.com: none none"},
    {"np undecided is the softer", "x.example.com",
     "x.example.com * !SERVFAIL\n_dmarc.example.com TXT v=DMARC1; p=none; np=reject", "found at example.com: none none",
     "found at example.com: none none"},
    {"np undecided is the softer, whichever", "x.example.com",
     "x.example.com * !SERVFAIL\n_dmarc.example.com TXT v=DMARC1; p=reject; np=none", "found at example.com: none none",
     "found at example.com: reject reject"},
    {"np falls back to p", "x.example.com", "_dmarc.example.com TXT v=DMARC1; p=quarantine",
     "found at example.com: quarantine quarantine", "found at example.com: quarantine quarantine"},
    {"sp not for the record's own name", "example.com", "_dmarc.example.com TXT v=DMARC1; p=none; sp=reject; np=reject",
     "found at example.com: none none", "found at example.com: none none"},
    {"np without sp is not for names that exist", "x.example.com",
     "x.example.com TXT hello\n_dmarc.example.com TXT v=DMARC1; p=quarantine; np=reject",
     "found at example.com: quarantine quarantine", "found at example.com: quarantine quarantine"},
    {"np falls back to sp", "x.example.com", "_dmarc.example.com TXT v=DMARC1; p=none; sp=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"M4 two records: on up the tree", "a.example.com",
     "_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.a.example.com TXT v=DMARC1; p=none\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject",
     "found at example.com: reject reject", "absent"},
    {"no p, no rua", "example.com", "_dmarc.example.com TXT v=DMARC1; sp=reject", "absent", "absent"},
    {"no p, rua", "example.com", "_dmarc.example.com TXT v=DMARC1; sp=reject; rua=mailto:a@example.com",
     "found at example.com: none none", "found at example.com: none none"},
    {"p not valid, rua", "example.com", "_dmarc.example.com TXT v=DMARC1; p=rejct; rua=mailto:a@example.com",
     "found at example.com: none none", "found at example.com: none none"},
    {"sp not valid, rua", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com",
     "found at example.com: none none", "found at example.com: none none"},
    {"sp not valid, rua not either", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=x; rua=a", "absent",
     "absent"},
    {"np not valid concerns only who knows it", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; np=x",
     "absent", "found at example.com: reject reject"},
    {"an own record without policy ends it", "a.example.com",
     "_dmarc.a.example.com TXT v=DMARC1\n_dmarc.example.com TXT v=DMARC1; p=reject", "absent", "absent"},
    {"np not valid, rua", "example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; np=x; rua=mailto:a@example.com",
     "found at example.com: none none", "found at example.com: reject reject"},
    {"p not valid for names below", "a.example.com",
     "_dmarc.example.com TXT v=DMARC1; p=x; sp=reject; rua=mailto:a@b.example", "found at example.com: none none",
     "found at example.com: none none"},
    {"p not second", "example.com", "_dmarc.example.com TXT v=DMARC1; sp=none; p=reject",
     "found at example.com: reject reject", "found at example.com: reject reject"},
    {"M9 SERVFAIL at the author", "a.example.com",
     "_dmarc.a.example.com TXT !SERVFAIL\n_dmarc.example.com TXT v=DMARC1; p=reject", "temperror", "temperror"},
    {"M9 timeout above the author", "a.example.com", "_dmarc.example.com TXT !TIMEOUT", "temperror", "temperror"},
    {"M9 SERVFAIL between", "a.b.example.com",
     "_dmarc.b.example.com TXT !SERVFAIL\n_dmarc.example.com TXT v=DMARC1; p=reject", "temperror",
     "found at example.com: reject reject"},
    {"M9 REFUSED at the top", "a.example.com", "_dmarc.com TXT !REFUSED\n_dmarc.example.com TXT v=DMARC1; p=reject",
     "temperror", "found at example.com: reject reject"},
    {"M9 what lies above psd=n is not needed", "a.example.com",
     "_dmarc.com TXT !REFUSED\n_dmarc.example.com TXT v=DMARC1; p=reject; psd=n", "found at example.com: reject reject",
     "found at example.com: reject reject"},
    {"own record whatever fails above", "a.example.com",
     "_dmarc.a.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT !TIMEOUT",
     "found at a.example.com: reject reject", "found at a.example.com: reject reject"},
    {"F15 single label", "localhost", "_dmarc.localhost TXT v=DMARC1; p=reject", "absent", "absent"},
    {"F15 localhost.localdomain", "localhost.localdomain", "", "absent", "absent"},
    {"not a domain", "a..b", "", "permerror", "permerror"},
    {"no domain", "", "", "permerror", "permerror"},
};

TEST(Discovery, AppliesTheRightRecord) {
  for (const auto& c : kCases) {
    for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489}) {
      test::FakeResolver resolver(std::string_view(c.zone));
      Evaluator evaluator(resolver, vintage, PublicSuffixList::system(), Deadline::max());
      EXPECT_EQ(shown(evaluator.discover(c.author)), vintage == Vintage::rfc9989 ? c.rfc9989 : c.rfc7489)
          << c.rule << ", " << to_string(vintage);
    }
  }
}

TEST(Discovery, OrganizationalDomainOfTheAuthorIsKnownOrEmpty) {
  const std::tuple<const char*, Vintage, const char*> cases[] = {
      {"_dmarc.example.com TXT v=DMARC1; p=none", Vintage::rfc9989, "example.com"},
      {"_dmarc.a.example.com TXT v=DMARC1; p=none", Vintage::rfc9989, "a.example.com"},
      {"_dmarc.a.example.com TXT v=DMARC1; p=none", Vintage::rfc7489, "example.com"},
      {"_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.com TXT !SERVFAIL", Vintage::rfc9989, ""},
  };
  for (const auto& [zone, vintage, want] : cases) {
    test::FakeResolver resolver{std::string_view(zone)};
    Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
    EXPECT_EQ(evaluator.discover("a.example.com").org_domain, want) << zone;
  }
}

std::vector<std::string> asked(const char* zone, const char* author, Vintage vintage) {
  test::FakeResolver resolver{std::string_view(zone)};
  Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
  (void)evaluator.discover(author);
  return resolver.asked();
}

TEST(Discovery, HistoricTagsAreIgnoredTestingIsOneSofterAndNpIsForWhatIsNot) {  // M8
  for (const auto& c : kCases) {
    if (!std::string_view(c.rule).starts_with("M8")) continue;
    test::FakeResolver resolver(std::string_view(c.zone));
    Evaluator evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max());
    const auto found = evaluator.discover(c.author);
    EXPECT_EQ(shown(found), c.rfc9989) << c.rule;
    EXPECT_LE(found.disposition, found.policy) << c.rule;
  }
}

// RFC 8767 Section 4: that a record was absent lets mail pass and is used. That a name was absent would make the policy
// harder, and proves nothing.
TEST(Discovery, AStaleAbsenceIsNoPolicyAndNeverTheHarderOne) {
  const auto discover = [](std::vector<std::string> stale) {
    test::FakeResolver fresh("_dmarc.example.com TXT v=DMARC1; p=none; sp=quarantine; np=reject\n");
    test::StaleResolver resolver(fresh, std::move(stale));
    return Evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max()).discover("x.example.com");
  };
  EXPECT_EQ(shown(discover({})), "found at example.com: reject reject");
  EXPECT_EQ(shown(discover({"TXT _dmarc.x.example.com"})), "found at example.com: reject reject");
  EXPECT_EQ(shown(discover({"TXT x.example.com"})), "found at example.com: quarantine quarantine");
}

// RFC 9989 Section 4.10 step 2: they are discarded, and what is above them applies; one who asks is told.
TEST(Discovery, SeveralRecordsAreToldThoughAnotherApplies) {  // M4
  const char* zone =
      "_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.a.example.com TXT v=DMARC1; p=none\n"
      "_dmarc.example.com TXT v=DMARC1; p=reject";
  for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489}) {
    test::FakeResolver resolver{std::string_view(zone)};
    Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
    const auto found = evaluator.discover("a.example.com");
    EXPECT_THAT(found.problems, ElementsAre("_dmarc.a.example.com: 2 DMARC records"));
    EXPECT_EQ(found.state == Discovery::State::found, vintage == Vintage::rfc9989);
  }
}

// RFC 9989 Section 4.10 step 2: it is discarded all the same.
TEST(Discovery, WhatWasMeantToBeARecordIsTold) {
  const std::vector<std::pair<std::string, bool>> texts = {
      {"v=DMARC2; p=reject", true}, {"V = dmarc1; p=none", true}, {"p=reject; v=DMARC1", true},
      {" v=DMARC", true},           {"v=spf1 -all", false},       {"dmarc is not set up here", false},
      {"p=MIGfMA0G", false},        {"v=TLSRPTv1; rua=x", false},
  };
  const std::string at = "_dmarc.example.com TXT \"";
  for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489})
    for (const auto& [text, told] : texts) {
      test::FakeResolver resolver{at + text + "\""};
      Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
      const auto found = evaluator.discover("example.com");
      EXPECT_EQ(found.state, Discovery::State::absent) << text;
      const std::vector<std::string> problem = {"_dmarc.example.com: TXT present but no v=DMARC1"};
      EXPECT_EQ(found.problems, told ? problem : std::vector<std::string>()) << text;

      test::FakeResolver beside{at + text + "\"\n" + at + "v=DMARC1; p=reject\""};
      Evaluator other(beside, vintage, nullptr, Deadline::max());
      EXPECT_EQ(other.discover("example.com").state, Discovery::State::found) << text;
      EXPECT_THAT(other.discover("example.com").problems, testing::IsEmpty()) << text;
    }
}

TEST(Discovery, AsksWhetherTheAuthorExistsOnlyWhenItMatters) {
  const char* np = "_dmarc.example.com TXT v=DMARC1; p=none; np=reject";
  EXPECT_THAT(asked(np, "x.example.com", Vintage::rfc9989), Contains("TXT x.example.com"));
  EXPECT_THAT(asked(np, "x.example.com", Vintage::rfc7489), Not(Contains("TXT x.example.com")));
  EXPECT_THAT(asked(np, "example.com", Vintage::rfc9989), Not(Contains("TXT example.com")));
  EXPECT_THAT(asked("_dmarc.example.com TXT v=DMARC1; p=none", "x.example.com", Vintage::rfc9989),
              Not(Contains("TXT x.example.com")));
  EXPECT_THAT(asked("_dmarc.example.com TXT v=DMARC1; p=none; sp=reject; np=reject", "x.example.com", Vintage::rfc9989),
              Not(Contains("TXT x.example.com")));
  // NODATA at _dmarc.x proves that x exists.
  EXPECT_THAT(asked("_dmarc.x.example.com A 192.0.2.1\n_dmarc.example.com TXT v=DMARC1; p=none; np=reject",
                    "x.example.com", Vintage::rfc9989),
              Not(Contains("TXT x.example.com")));
  // So does an alias there, whatever became of its target.
  EXPECT_THAT(asked("_dmarc.x.example.com CNAME gone.example.net\n_dmarc.example.com TXT v=DMARC1; p=none; np=reject",
                    "x.example.com", Vintage::rfc9989),
              Not(Contains("TXT x.example.com")));
}

TEST(Discovery, OldReceiversAskTwoNames) {
  EXPECT_THAT(asked("", "a.b.c.example.com", Vintage::rfc7489),
              ElementsAre("TXT _dmarc.a.b.c.example.com", "TXT _dmarc.example.com"));
  EXPECT_THAT(asked("", "example.com", Vintage::rfc7489), ElementsAre("TXT _dmarc.example.com"));
}

// RFC 9989 Sections 4.10 and 4.10.1: the author domain first, then up to the top.
TEST(Discovery, AsksInTheOrderOfTheWalk) {  // M1
  EXPECT_THAT(asked("_dmarc.b.example.com TXT v=DMARC1; p=none", "a.b.example.com", Vintage::rfc9989),
              ElementsAre("TXT _dmarc.a.b.example.com", "TXT _dmarc.b.example.com", "TXT _dmarc.example.com",
                          "TXT _dmarc.com"));
  EXPECT_THAT(asked("_dmarc.example.com TXT v=DMARC1; p=none; psd=n", "a.example.com", Vintage::rfc9989),
              ElementsAre("TXT _dmarc.a.example.com", "TXT _dmarc.example.com"));
  std::string twenty = "example.com";
  for (int i = 0; i < 18; ++i) twenty = "l" + std::to_string(i) + "." + twenty;
  EXPECT_EQ(asked("", twenty.c_str(), Vintage::rfc9989).size(), 8U);
  EXPECT_EQ(asked("", twenty.c_str(), Vintage::rfc7489).size(), 2U);
}

// RFC 7489 Section 6.6.3: a missing p is p=none with reports, and nothing without; psd, np and t are not known.
TEST(Discovery, OldReceiversKnowNoNewTags) {
  const char* zone = "_dmarc.example.com TXT v=DMARC1; p=quarantine; np=reject; psd=n; t=y";
  test::FakeResolver resolver{std::string_view(zone)};
  Evaluator evaluator(resolver, Vintage::rfc7489, nullptr, Deadline::max());
  EXPECT_EQ(shown(evaluator.discover("x.example.com")), "found at example.com: quarantine quarantine");
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT _dmarc.x.example.com", "TXT _dmarc.example.com"));
}

TEST(Discovery, SingleLabelAsksNothing) {  // F15
  EXPECT_THAT(asked("", "localhost", Vintage::rfc9989), IsEmpty());
}

TEST(Discovery, ReasonsNameTheRecord) {
  const std::tuple<const char*, const char*> cases[] = {
      {"_dmarc.example.com TXT !SERVFAIL", "_dmarc.example.com: SERVFAIL"},
      {"_dmarc.example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=none",
       "_dmarc.example.com: 2 DMARC records"},
      {"_dmarc.example.com TXT v=DMARC1", "_dmarc.example.com: p is missing or a policy is not valid"},
      {"", ""},
  };
  for (const auto& [zone, want] : cases) {
    test::FakeResolver resolver{std::string_view(zone)};
    Evaluator evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max());
    EXPECT_EQ(evaluator.discover("example.com").reason, want);
  }
}

}  // namespace
}  // namespace sesame::dmarc
