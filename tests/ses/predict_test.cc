#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "ses/predict_case.h"

namespace sesame::test {
namespace {

using ses::Status;
using ses::Verdict;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Predict : public testing::TestWithParam<PredictCase> {};

TEST_P(Predict, VerdictAndFindings) {
  const auto& c = GetParam();
  SesWorld world;
  c.change(world);
  const auto prediction = world.predict();
  EXPECT_STREQ(ses::to_string(prediction.verdict), ses::to_string(c.verdict)) << prediction.why;
  EXPECT_STREQ(ses::to_string(prediction.confidence), ses::to_string(c.confidence)) << prediction.why;
  const auto found = codes(prediction);
  for (const auto& code : c.codes) EXPECT_THAT(found, Contains(code)) << prediction.why;
  if (!c.codes.empty() && !found.empty()) {
    EXPECT_EQ(found.front(), c.codes.front()) << prediction.why;
  }
  for (const auto& code : c.not_codes) EXPECT_THAT(found, Not(Contains(code)));
  EXPECT_FALSE(prediction.why.empty());
  EXPECT_EQ(prediction.why.find('{'), std::string::npos) << "a field of a text was not filled: " << prediction.why;
  for (const auto& finding : prediction.findings)
    EXPECT_EQ((finding.text + finding.advice).find('{'), std::string::npos) << finding.text << finding.advice;
}

std::string name_of(const testing::TestParamInfo<PredictCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Dkim, Predict, testing::ValuesIn(dkim_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(DkimState, Predict, testing::ValuesIn(dkim_state_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(History, Predict, testing::ValuesIn(history_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Outage, Predict, testing::ValuesIn(outage_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Identity, Predict, testing::ValuesIn(identity_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Coverage, Predict, testing::ValuesIn(coverage_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(MailFrom, Predict, testing::ValuesIn(mail_from_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Spf, Predict, testing::ValuesIn(spf_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Dmarc, Predict, testing::ValuesIn(dmarc_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Refusal, Predict, testing::ValuesIn(refusal_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Upstream, Predict, testing::ValuesIn(upstream_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Stale, Predict, testing::ValuesIn(stale_cases()), name_of);

TEST(PredictLegs, HealthyDomainAlignsOnBothInBothVintages) {
  SesWorld world;
  const auto p = world.predict();
  EXPECT_EQ(p.dkim.domain, "example.com");
  EXPECT_EQ(p.dkim.usable, Tri::yes);
  EXPECT_EQ(p.dkim.aligned.rfc9989, Tri::yes);
  EXPECT_EQ(p.dkim.aligned.rfc7489, Tri::yes);
  EXPECT_EQ(p.spf.domain, "bounce.example.com");
  EXPECT_EQ(p.spf.result, spf::Result::pass);
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::yes);
  EXPECT_EQ(p.rfc9989.policy, dmarc::Policy::reject);
  EXPECT_EQ(p.why, "DMARC will pass for example.com: DKIM d=example.com and SPF of bounce.example.com both align.");
}

TEST(PredictLegs, DefaultMailFromOfTheRegionPassesUnaligned) {
  SesWorld world;
  world.identity().mail_from = {};
  world.account.region = world.identity().region = "eu-west-1";
  const auto p = world.predict();
  EXPECT_EQ(p.spf.domain, "eu-west-1.amazonses.com");
  EXPECT_EQ(p.spf.result, spf::Result::pass);
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::no);
  EXPECT_EQ(p.spf.aligned.rfc7489, Tri::no);
}

TEST(PredictLegs, LegsAreReportedWithoutAPolicyAndForRefusedMail) {
  SesWorld world;
  world.resolver.zone().remove("_dmarc.example.com");
  EXPECT_EQ(world.predict().dkim.aligned.rfc9989, Tri::yes);
  SesWorld refused;
  refused.envelope.mail_from = "";
  EXPECT_EQ(refused.predict().dkim.usable, Tri::yes);
  EXPECT_EQ(refused.predict().rfc9989.result, ses::DmarcPrediction::Result::pass);
}

TEST(PredictLegs, VintagesSplitWhenOnlyTheSubdomainHasARecord) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
  world.from("a@shop.example.com");
  const auto p = world.predict();
  EXPECT_EQ(p.dkim.aligned.rfc9989, Tri::no);
  EXPECT_EQ(p.dkim.aligned.rfc7489, Tri::yes);
  EXPECT_EQ(p.rfc7489.result, ses::DmarcPrediction::Result::pass);
}

TEST(PredictLegs, MissingMxMakesTheLegUnknownAndNamesBothDomains) {
  SesWorld world;
  world.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
  const auto p = world.predict();
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::unknown);
  EXPECT_THAT(p.spf.reason, HasSubstr("amazonses.com"));
}

dkim::Outcome upstream_signature(std::vector<std::string> signed_fields) {
  dkim::Outcome outcome;
  outcome.result = dkim::Result::pass;
  outcome.domain = "example.com";
  outcome.selector = "mta";
  outcome.signed_fields = std::move(signed_fields);
  return outcome;
}

TEST(PredictUpstream, ASignatureThatSesLeavesAloneCarriesTheMessage) {
  SesWorld world;
  world.identity().dkim.signing_enabled = false;
  world.identity().mail_from = {};
  world.upstream = {upstream_signature({"from", "subject", "to"})};
  const auto p = world.predict();
  EXPECT_EQ(p.verdict, Verdict::pass);
  EXPECT_EQ(p.dkim.source, "upstream");
  EXPECT_EQ(p.dkim.domain, "example.com");
}

TEST(PredictUpstream, ASignatureOverAFieldThatSesReplacesBreaks) {
  for (const std::string field :
       {"date", "message-id", "return-path", "bounces-to", "feedback-id", "x-ses-configuration-set"}) {
    SesWorld world;
    world.identity().dkim.signing_enabled = false;
    world.identity().mail_from = {};
    world.upstream = {upstream_signature({"from", field})};
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::fail) << field;
    EXPECT_THAT(codes(p), Contains("upstream-sig-will-break"));
  }
}

// What decides stands first: DKIM's own misalignment before what SPF lacks besides.
TEST(PredictOrder, StrictParentComesBeforeTheDefaultMailFrom) {
  SesWorld world;
  world.identity().mail_from = {};
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s");
  world.from("a@shop.example.com");
  EXPECT_THAT(codes(world.predict()),
              testing::ElementsAre("dkim-strict-parent", "mailfrom-default", "dmarc-none-aligned", "dkim-ok"));
}

// A fault that passes is never the reason for a fail.
TEST(PredictOrder, MisalignmentComesBeforeAKeyThatDidNotAnswer) {
  SesWorld world;
  world.identity().mail_from = {};
  world.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
  world.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
  world.from("a@shop.example.com");
  const auto p = world.predict();
  EXPECT_EQ(p.verdict, Verdict::fail);
  EXPECT_EQ(codes(p).front(), "orgdomain-split");
  EXPECT_THAT(p.why, HasSubstr("publish a DMARC record at _dmarc.example.com"));
}

TEST(PredictUpstream, ThatCarriesTheMessageKeepsTheDefaultMailFromAWarning) {
  SesWorld world;
  world.identity().dkim.signing_enabled = false;
  world.identity().mail_from = {};
  world.upstream = {upstream_signature({"from"})};
  for (const auto& finding : world.predict().findings) {
    if (finding.code == ses::Code::mailfrom_default) {
      EXPECT_EQ(finding.severity, ses::Severity::warning);
    }
  }
}

TEST(PredictUpstream, UndecidedIsSaidWithItsSignature) {
  for (const bool testing : {false, true}) {
    SesWorld world;
    world.identity().dkim.signing_enabled = false;
    world.identity().mail_from = {};
    world.upstream = {upstream_signature({"from"})};
    world.upstream.front().testing = testing;
    world.upstream.front().reason = "key: SERVFAIL";
    if (!testing) world.upstream.front().result = dkim::Result::temperror;
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::unknown);
    EXPECT_EQ(p.why,
              "No prediction for example.com: the signature d=example.com on the message: key: SERVFAIL; the mail is "
              "let pass.");
  }
}

TEST(PredictUpstream, ABrokenSignatureThatIsMissedIsAWarning) {
  SesWorld world;
  world.upstream = {upstream_signature({"from", "date"})};
  EXPECT_EQ(world.predict().findings.back().severity, ses::Severity::info);
  world.identity().dkim.signing_enabled = false;
  const auto findings = world.predict().findings;
  const auto found = std::ranges::find(findings, ses::Code::upstream_sig_will_break, &ses::Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->severity, ses::Severity::warning);
}

// Whatever leaves a prediction open, the sentence names the record.
TEST(PredictWhy, UnknownNamesWhatIsNotKnown) {
  const std::vector<std::pair<std::function<void(SesWorld&)>, std::string>> cases = {
      {[](SesWorld& w) { w.dns("bounce.example.com MX !SERVFAIL"), w.identity().mail_from.status.reset(); },
       "MX of bounce.example.com is unknown (SERVFAIL): SES may use amazonses.com instead"},
      {[](SesWorld& w) {
         w.dns("bounce.example.com MX !SERVFAIL"), w.identity().mail_from.status.reset();
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
       },
       "MX of bounce.example.com is unknown (SERVFAIL): SES may refuse the message"},
      {[](SesWorld& w) { w.dns("bounce.example.com TXT !REFUSED"); }, "SPF of bounce.example.com: "},
      {[](SesWorld& w) {
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 exists:%{l}.users.example.com include:amazonses.com -all");
       },
       "SPF of bounce.example.com gives no foreseeable result for addresses of SES"},
      {[](SesWorld& w) {
         w.add_identity("example.net");
         w.envelope.mail_from = "bounces@example.net";
       },
       "whether the MAIL FROM settings of example.com or those of example.net"},
      {[](SesWorld& w) {
         const auto mail_from = w.identity().mail_from;
         w.add_identity("news@example.com").mail_from = mail_from;
       },
       "whether it signs as example.com does is not known"},
      {[](SesWorld& w) {
         w.dns("_dmarc.shop.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT !SERVFAIL");
         w.from("a@shop.example.com");
       },
       "_dmarc.example.com"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SesWorld world;
    if (i != 5) world.identity().dkim.signing_enabled = false;
    if (i == 5) world.identity().mail_from = {};
    cases[i].first(world);
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::unknown) << cases[i].second;
    EXPECT_THAT(p.why, HasSubstr(cases[i].second));
  }
}

// A pass by one leg says what keeps the other from being known.
TEST(PredictWhy, PassNamesWhatLeavesTheOtherLegOpen) {
  const std::vector<std::pair<std::function<void(SesWorld&)>, std::string>> cases = {
      {[](SesWorld& w) { w.dns("bounce.example.com TXT !SERVFAIL"); },
       "a single point of failure: whether SPF of bounce.example.com passes is not known (TXT bounce.example.com: "
       "SERVFAIL)."},
      {[](SesWorld& w) { w.dns("amazonses.com TXT !SERVFAIL"); },
       "whether SPF of bounce.example.com passes is not known"},
      {[](SesWorld& w) { w.dns("bounce.example.com MX !SERVFAIL"), w.identity().mail_from.status.reset(); },
       "MX of bounce.example.com is unknown (SERVFAIL): SES may use amazonses.com instead)."},
      {[](SesWorld& w) {
         w.dns(
             "t1._domainkey.example.com * !SERVFAIL\nt2._domainkey.example.com * !SERVFAIL\n"
             "t3._domainkey.example.com * !SERVFAIL");
       },
       "forwarding breaks it; whether DKIM d=example.com passes is not known ("},
  };
  for (const auto& [change, text] : cases) {
    SesWorld world;
    change(world);
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::pass) << p.why;
    EXPECT_THAT(p.why, HasSubstr(text));
  }
}

TEST(PredictWhy, WithoutIdentitiesSaysWhereTheyCanBeTold) {
  SesWorld world;
  world.account.identities.edit().clear();
  world.account.name = "shop";
  EXPECT_EQ(world.predict().why,
            "No prediction: no SES identity is known for the account shop in us-east-1; list those it has under "
            "[[ses.identity]] or run sesame sync.");
}

TEST(PredictText, AnArnFieldWithoutAnArnIsToldAsSuch) {
  SesWorld world;
  world.header("X-SES-SOURCE-ARN", "");
  const auto findings = world.predict().findings;
  ASSERT_FALSE(findings.empty());
  EXPECT_THAT(findings.front().text, HasSubstr("another account (none named)"));
}

TEST(PredictText, ADomainThatDoesNotAnswerIsNoFaultOfTheRecord) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; np=none");
  world.dns("shop.example.com TXT !SERVFAIL");
  world.from("a@shop.example.com");
  EXPECT_THAT(codes(world.predict()), Not(Contains("dmarc-invalid")));
}

TEST(PredictText, UnusableRecordsSayWhatEachVintageDoes) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; np=x");
  const auto findings = world.predict().findings;
  const auto found = std::ranges::find(findings, ses::Code::dmarc_invalid, &ses::Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_THAT(found->text, HasSubstr("receivers of RFC 9989 find no policy, those of RFC 7489 find a policy"));
}

TEST(PredictText, HostileValuesArePrintedSafely) {
  SesWorld world;
  world.envelope.mail_from = std::string("evil\r\nX: y\x01@host.example");
  for (const auto& finding : world.predict().findings)
    for (const char c : finding.text) EXPECT_GE(c, ' ') << finding.text;
}

}  // namespace
}  // namespace sesame::test
