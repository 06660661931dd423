#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dmarc/dmarc.h"
#include "support/fake_resolver.h"

namespace sesame::dmarc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using enum Identifier::Method;
using enum Identifier::State;

constexpr const char* kReject = "_dmarc.example.com TXT v=DMARC1; p=reject";

Outcome run(test::FakeResolver& resolver, const std::string& author, const std::vector<Identifier>& identifiers) {
  Evaluator evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max());
  return evaluate(evaluator, author, identifiers);
}

Outcome run(const char* zone, const std::string& author, const std::vector<Identifier>& identifiers) {
  test::FakeResolver resolver{std::string_view(zone)};
  return run(resolver, author, identifiers);
}

TEST(Evaluate, NothingPassesNothingFailsOpen) {  // M5
  const auto outcome = run(kReject, "example.com", {});
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.reason, "neither SPF nor DKIM passed");
  EXPECT_EQ(outcome.discovery.policy, Policy::reject);
}

TEST(Evaluate, NoRecordIsNone) {
  const auto outcome = run("", "example.com", {{spf, "example.com", pass}});
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.reason, "no DMARC record");
  EXPECT_EQ(outcome.spf_aligned, Tri::no);
  EXPECT_EQ(run("_dmarc.localhost TXT v=DMARC1; p=reject", "localhost", {}).result, Result::none);  // F15
}

TEST(Evaluate, NoAuthorDomainIsPermerror) {
  EXPECT_EQ(run(kReject, "", {}).result, Result::permerror);
}

TEST(Evaluate, UnansweredPolicyIsTemperrorWhateverPassed) {  // M9
  const auto outcome = run("_dmarc.example.com TXT !SERVFAIL", "example.com", {{dkim, "example.com", pass}});
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_EQ(outcome.reason, "_dmarc.example.com: SERVFAIL");
}

TEST(Evaluate, AlignedFailureAndUnalignedPassIsFail) {  // M6
  const auto outcome = run(kReject, "example.com", {{dkim, "example.com", not_pass}, {dkim, "example.net", pass}});
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.reason, "DKIM domain example.net is not aligned");
  EXPECT_EQ(outcome.dkim_aligned, Tri::no);
}

TEST(Evaluate, BothLegsAreReported) {
  const auto outcome = run(kReject, "example.com", {{dkim, "mail.example.com", pass}, {spf, "example.com", pass}});
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.dkim_aligned, Tri::yes);
  EXPECT_EQ(outcome.spf_aligned, Tri::yes);
  EXPECT_EQ(outcome.aligned_domain, "mail.example.com");
  EXPECT_EQ(outcome.reason, "");
}

TEST(Evaluate, EachMethodHasItsMode) {  // M2
  const char* zone = "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=r";
  EXPECT_EQ(run(zone, "example.com", {{dkim, "a.example.com", pass}}).result, Result::fail);
  EXPECT_EQ(run(zone, "example.com", {{spf, "a.example.com", pass}}).result, Result::pass);
  EXPECT_EQ(run(zone, "example.com", {{dkim, "EXAMPLE.com.", pass}}).result, Result::pass);
}

TEST(Evaluate, UnansweredMethodCountsWhereItWouldAlign) {
  const std::tuple<const char*, std::vector<Identifier>, Result> cases[] = {
      {"SPF undecided while DKIM fails",
       {{spf, "example.com", temperror}, {dkim, "example.com", not_pass}},
       Result::temperror},
      {"key undecided", {{dkim, "a.example.com", temperror}}, Result::temperror},
      {"undecided elsewhere", {{spf, "example.net", temperror}, {dkim, "example.org", temperror}}, Result::fail},
      {"another passes", {{spf, "example.com", temperror}, {dkim, "example.com", pass}}, Result::pass},
      {"permanent error is no pass", {{spf, "example.com", permerror}, {dkim, "example.com", permerror}}, Result::fail},
      {"no domain", {{spf, "", temperror}, {spf, "", pass}}, Result::fail},
      {"not a domain", {{dkim, "a..example.com", pass}}, Result::fail},
  };
  for (const auto& [rule, identifiers, want] : cases)
    EXPECT_EQ(run(kReject, "example.com", identifiers).result, want) << rule;
}

TEST(Evaluate, UnansweredWalkOfWhatPassedIsTemperror) {
  const char* zone =
      "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.a.example.com TXT !TIMEOUT\n_dmarc.b.example.com TXT !TIMEOUT";
  const auto outcome = run(zone, "example.com", {{dkim, "a.example.com", pass}});
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_EQ(outcome.dkim_aligned, Tri::unknown);
  EXPECT_EQ(outcome.reason, "DKIM domain a.example.com alignment is undecided");
  EXPECT_EQ(run(zone, "example.com", {{dkim, "a.example.com", not_pass}}).result, Result::fail);
  EXPECT_EQ(run(zone, "example.com", {{dkim, "a.example.com", pass}, {spf, "example.com", pass}}).result, Result::pass);
}

TEST(Evaluate, NoWalkIsTakenThatCannotMatter) {
  const std::tuple<const char*, const char*, std::vector<Identifier>> cases[] = {
      {"equal", kReject, {{spf, "example.com", pass}, {dkim, "Example.com", pass}}},
      {"strict", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s", {{dkim, "a.example.com", pass}}},
      {"did not pass", kReject, {{dkim, "a.example.com", not_pass}, {spf, "b.example.com", permerror}}},
      {"elsewhere", kReject, {{dkim, "a.example.net", pass}, {spf, "notexample.com", pass}}},
      {"undecided, but another passed", kReject, {{dkim, "example.com", pass}, {spf, "b.example.com", temperror}}},
      {"another aligned already", kReject, {{dkim, "example.com", pass}, {dkim, "a.example.com", pass}}},
      {"no record", "", {{dkim, "a.example.com", pass}}},
  };
  for (const auto& [rule, zone, identifiers] : cases) {
    test::FakeResolver resolver{std::string_view(zone)};
    (void)run(resolver, "example.com", identifiers);
    EXPECT_THAT(resolver.asked(), ElementsAre("TXT _dmarc.example.com", "TXT _dmarc.com")) << rule;
  }
}

TEST(Evaluate, EachIdentifierIsWalkedForItself) {  // M3
  const char* zone = "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.own.example.com TXT v=DMARC1; p=none; psd=n";
  EXPECT_EQ(run(zone, "example.com", {{dkim, "a.own.example.com", pass}}).result, Result::fail);
  EXPECT_EQ(run(zone, "example.com", {{dkim, "a.other.example.com", pass}}).result, Result::pass);
}

// RFC 9989 Section 4.10.2: the author's walk first, then what another identifier's walk needs beyond it.
TEST(Evaluate, EachIdentifiersWalkAsksInOrder) {  // M3
  test::FakeResolver resolver{std::string_view(kReject)};
  (void)run(resolver, "mail.example.com",
            {{dkim, "x.news.example.com", pass}, {dkim, "mail.example.com", pass}, {spf, "bounce.example.com", pass}});
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT _dmarc.mail.example.com", "TXT _dmarc.example.com", "TXT _dmarc.com",
                                            "TXT _dmarc.x.news.example.com", "TXT _dmarc.news.example.com",
                                            "TXT _dmarc.bounce.example.com"));
}

TEST(Evaluate, AcrossAPublicSuffixDomainNothingAligns) {  // RFC 9989 Appendix B.4.3
  const char* zone =
      "_dmarc.bank.example TXT v=DMARC1; p=reject; psd=y\n_dmarc.giant.bank.example TXT v=DMARC1; p=quarantine";
  EXPECT_EQ(run(zone, "giant.bank.example", {{dkim, "mail.giant.bank.example", pass}}).result, Result::pass);
  for (const char* other : {"evil.bank.example", "mail.evil.bank.example", "bank.example", "example"})
    EXPECT_EQ(run(zone, "giant.bank.example", {{dkim, other, pass}, {spf, other, pass}}).result, Result::fail) << other;
  EXPECT_EQ(run(zone, "giant.bank.example", {}).discovery.policy, Policy::quarantine);
  EXPECT_EQ(run(zone, "evil.bank.example", {}).discovery.policy, Policy::reject);
}

// RFC 9989 Section 4.10: only psd=y makes a public suffix; a list does for RFC 7489 alone.
TEST(Evaluate, PrivateSuffixesExistForTheListOnly) {
  test::FakeResolver resolver("_dmarc.github.io TXT v=DMARC1; p=reject\n_dmarc.a.github.io TXT v=DMARC1; p=reject");
  for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489}) {
    Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
    EXPECT_EQ(evaluate(evaluator, "a.github.io", {{dkim, "b.github.io", pass}}).result,
              vintage == Vintage::rfc9989 ? Result::pass : Result::fail);
  }
}

TEST(Evaluate, NamesAreComparedWithoutCaseAndFinalDot) {
  const char* zone = "_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject; adkim=s; aspf=s";
  for (const char* author : {"xn--bcher-kva.example", "XN--Bcher-KVA.Example."})
    for (const char* name : {"xn--bcher-kva.example", "Xn--bcher-kva.EXAMPLE."}) {
      EXPECT_EQ(run(zone, author, {{dkim, name, pass}}).result, Result::pass) << author << " " << name;
      EXPECT_EQ(run(zone, author, {{spf, name, pass}}).result, Result::pass) << author << " " << name;
    }
  EXPECT_EQ(run(zone, "xn--bcher-kva.example", {{dkim, "bcher-kva.example", pass}}).result, Result::fail);
}

TEST(Evaluate, TestingAndPolicyChangeNoResult) {  // M8
  for (const char* record :
       {"p=none", "p=quarantine; t=y", "p=reject; t=y", "p=reject; pct=0", "rua=mailto:a@b.example"}) {
    const auto zone = std::string("_dmarc.example.com TXT v=DMARC1; ") + record;
    EXPECT_EQ(run(zone.c_str(), "example.com", {}).result, Result::fail) << record;
    EXPECT_EQ(run(zone.c_str(), "example.com", {{dkim, "example.com", pass}}).result, Result::pass) << record;
  }
}

TEST(Evaluate, RecordsThatDidNotCountAreToldWithTheFailure) {  // M4
  const auto outcome =
      run("_dmarc.a.example.com TXT v=DMARC1; p=none\n_dmarc.a.example.com TXT v=DMARC1; p=none\n"
          "_dmarc.example.com TXT v=DMARC1; p=reject",
          "a.example.com", {});
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.discovery.policy, Policy::reject);
  EXPECT_EQ(outcome.reason, "neither SPF nor DKIM passed; _dmarc.a.example.com: 2 DMARC records");
}

TEST(Evaluate, ARecordWithoutPolicyOrReportsIsNone) {
  const auto outcome = run("_dmarc.example.com TXT v=DMARC1; p=rejct", "example.com", {{dkim, "example.com", pass}});
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.reason, "_dmarc.example.com: p is missing or a policy is not valid");
}

TEST(Evaluate, AlignmentAnswersWithoutARecord) {
  test::FakeResolver resolver("");
  Evaluator evaluator(resolver, Vintage::rfc9989, nullptr, Deadline::max());
  const auto author = evaluator.discover("example.com");
  EXPECT_EQ(evaluator.aligned(author, "example.com", Mode::relaxed), Tri::yes);
  EXPECT_EQ(evaluator.aligned(author, "a.example.com", Mode::relaxed), Tri::no);
}

TEST(Evaluate, RecordBelowOnlyAlignsWithTheSuffixListButNotWithTheWalk) {
  test::FakeResolver resolver("_dmarc.a.example.com TXT v=DMARC1; p=reject");
  for (const auto vintage : {Vintage::rfc9989, Vintage::rfc7489}) {
    Evaluator evaluator(resolver, vintage, nullptr, Deadline::max());
    EXPECT_EQ(evaluate(evaluator, "a.example.com", {{dkim, "example.com", pass}}).result,
              vintage == Vintage::rfc9989 ? Result::fail : Result::pass);
  }
}

TEST(Evaluate, ReasonsAreShortAndPrintable) {
  std::vector<Identifier> identifiers(100, {dkim, "a\r\nX: y.example.net", pass});
  const auto outcome = run(kReject, "example.com", identifiers);
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_LT(outcome.reason.size(), 400U);
  EXPECT_THAT(outcome.reason, Not(HasSubstr("\r")));
}

}  // namespace
}  // namespace sesame::dmarc
