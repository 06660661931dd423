// What follows from the legs: the grade, the sentence, how much a finding weighs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ses/relay.h"
#include "ses/world.h"

namespace sesame::test {
namespace {

using ses::Code;
using ses::Grade;
using ses::Severity;
using ses::Verdict;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const ses::Finding* find(const ses::Prediction& prediction, Code code) {
  const auto found = std::ranges::find(prediction.findings, code, &ses::Finding::code);
  return found == prediction.findings.end() ? nullptr : &*found;
}

std::string text_of(SesWorld& world, Code code) {
  const auto prediction = world.predict();
  const auto* finding = find(prediction, code);
  return finding ? finding->text + "; " + finding->advice : "";
}

TEST(Grade, SaysWhatAPassRestsOn) {
  SesWorld both;
  EXPECT_EQ(both.predict().grade, Grade::both_legs);
  SesWorld dkim;
  dkim.identity().mail_from = {};
  const auto by_dkim = dkim.predict();
  EXPECT_EQ(by_dkim.grade, Grade::dkim_only);
  EXPECT_THAT(by_dkim.why, StartsWith("DMARC will pass for example.com by DKIM d=example.com alone, a single point of "
                                      "failure: SPF will pass for amazonses.com, not aligned"));
  SesWorld spf;
  spf.identity().dkim.signing_enabled = false;
  const auto by_spf = spf.predict();
  EXPECT_EQ(by_spf.grade, Grade::spf_only);
  EXPECT_THAT(by_spf.why, StartsWith("DMARC will pass for example.com by SPF of bounce.example.com alone, which is "
                                     "fragile: forwarding breaks it; DKIM signing is switched off for example.com"));
  spf.identity().mail_from = {};
  EXPECT_EQ(spf.predict().grade, Grade::none);
}

// A leg that is only undecided carries nothing, and nothing is said of why.
TEST(Grade, AnUndecidedLegIsNotCounted) {
  SesWorld world;
  world.dns("bounce.example.com TXT !SERVFAIL");
  const auto p = world.predict();
  EXPECT_EQ(p.grade, Grade::dkim_only);
  EXPECT_EQ(p.why,
            "DMARC will pass for example.com by DKIM d=example.com alone, a single point of failure: whether SPF of "
            "bounce.example.com passes is not known (TXT bounce.example.com: SERVFAIL).");
}

TEST(Grade, WhatConcernsNeitherLegIsNotItsReason) {
  SesWorld world;
  world.identity().mail_from = {};
  world.shape.eight_bit_body = true;
  EXPECT_THAT(world.predict().why, HasSubstr("SPF will pass for amazonses.com"));
  SesWorld spf;
  spf.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s; adkim=s");
  spf.shape.longest_line = 2000;
  spf.from("a@bounce.example.com");
  EXPECT_THAT(spf.predict().why, HasSubstr("adkim=s, but d=example.com signs for bounce.example.com"));
}

TEST(Severity, TheDefaultMailFromIsAnErrorWithoutDkim) {
  SesWorld world;
  world.identity().mail_from = {};
  EXPECT_EQ(find(world.predict(), Code::mailfrom_default)->severity, Severity::warning);
  world.identity().dkim.signing_enabled = false;
  EXPECT_EQ(find(world.predict(), Code::mailfrom_default)->severity, Severity::error);
}

TEST(Severity, WhatMayHaveChangedIsUnknown) {
  SesWorld world;
  world.identity().verified_for_sending = false;
  EXPECT_EQ(find(world.predict(), Code::sending_blocked)->severity, Severity::error);
  world.identity().aged = true;
  world.identity().as_of = 1'600'000'000;
  const auto p = world.predict();
  EXPECT_EQ(find(p, Code::sending_blocked)->severity, Severity::unknown);
  EXPECT_THAT(p.why, HasSubstr("example.com may not send this message: it is not verified for sending, unless that has "
                               "changed since 2020-09-13T12:26:40Z"));
}

TEST(Severity, SizeIsTheOneFaultOfShapeThatRefuses) {
  SesWorld world;
  world.shape = {};
  world.shape.octets = ses::kMaxMessageOctets + 1;
  const auto p = world.predict();
  EXPECT_EQ(p.verdict, Verdict::refused);
  EXPECT_EQ(find(p, Code::ses_lint)->severity, Severity::error);
  EXPECT_THAT(p.why, HasSubstr("41943041 octets; SES takes 41943040 and will answer 552"));
}

TEST(Text, EachFaultOfShapeIsToldByItself) {
  SesWorld world;
  world.shape.longest_line = 999;
  world.shape.eight_bit_body = world.shape.eight_bit_header = true;
  const auto p = world.predict();
  EXPECT_EQ(std::ranges::count(p.findings, Code::ses_lint, &ses::Finding::code), 3);
  EXPECT_EQ(p.verdict, Verdict::pass);
  for (const auto& finding : p.findings)
    if (finding.code == Code::ses_lint) {
      EXPECT_EQ(finding.severity, Severity::warning) << finding.text;
    }
}

TEST(Text, TheSandboxNamesTheRecipient) {
  SesWorld world;
  world.identity().as_of = world.now;
  world.account.name = "shop";
  world.identity().account = "shop";
  world.account.standing.production_access = false;
  EXPECT_THAT(text_of(world, Code::sending_blocked),
              StartsWith("The account shop may not send this message: it is in the sandbox in us-east-1, where the "
                         "recipient reader@receiver.example is not verified;"));
}

TEST(Text, AnotherRegionIsNamedWithItsAccount) {
  SesWorld world;
  world.account.name = world.identity().account = "shop";
  auto other = world.identity();
  other.account = "press";
  world.others.push_back({"press", "us-east-1", ses::Identities::sorted({other}), {}});
  other.region = "eu-west-1", other.account = "shop";
  world.account.identities.edit().push_back(other);
  world.identity().dkim = {};
  world.identity().dkim.status = ses::Status::not_started;
  EXPECT_THAT(text_of(world, Code::region_not_set_up),
              StartsWith("example.com has no DKIM set-up in us-east-1, though it has in eu-west-1, us-east-1 of the "
                         "account press;"));
}

TEST(Text, TheApexNamesTheEnvelopeSender) {
  SesWorld world;
  world.identity().mail_from = {};
  world.dns("example.com TXT v=spf1 include:amazonses.com ~all");
  EXPECT_THAT(text_of(world, Code::spf_apex_irrelevant), HasSubstr("the envelope sender is amazonses.com"));
}

TEST(ConfigurationSet, TheMessageWinsOverTheRelayAndThatOverTheIdentity) {
  SesWorld world;
  EXPECT_EQ(world.predict().configuration_set, "");
  world.identity().configuration_set = "identity";
  EXPECT_EQ(world.predict().configuration_set, "identity");
  world.configuration_set = "relay";
  EXPECT_EQ(world.predict().configuration_set, "relay");
  const auto fields = world.fields;
  world.header("X-SES-Configuration-Set", "");
  EXPECT_EQ(world.predict().configuration_set, "relay");
  world.fields = fields;
  world.header("X-SES-Configuration-Set", "first"), world.header("X-SES-CONFIGURATION-SET", "second");
  EXPECT_EQ(world.predict().configuration_set, "first");
}

TEST(ReturnPathOwner, LeavesDkimAsItIsAndSpfOpen) {
  SesWorld world;
  world.header("X-SES-RETURN-PATH-ARN", "arn:aws:ses:us-east-1:111122223333:identity/example.org");
  const auto p = world.predict();
  EXPECT_EQ(p.dkim.usable, Tri::yes);
  EXPECT_EQ(p.spf.usable, Tri::unknown);
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::unknown);
  EXPECT_THAT(p.spf.reason, HasSubstr("those of another account's identity"));
  EXPECT_EQ(p.grade, Grade::dkim_only);
}

// Its settings are not ours: that they refuse is not certain.
TEST(ReturnPathOwner, MayKeepTheMailFromRejectOff) {
  SesWorld world;
  world.identity().mail_from.status = ses::Status::failed;
  world.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
  EXPECT_EQ(world.predict().verdict, Verdict::refused);
  world.header("X-SES-RETURN-PATH-ARN", "arn:aws:ses:us-east-1:111122223333:identity/example.org");
  EXPECT_EQ(world.predict().verdict, Verdict::unknown);
}

// aspf= and adkim= stand in the record that did not answer.
TEST(Alignment, IsOpenInTheModeNobodyKnows) {
  SesWorld world;
  world.dns("_dmarc.example.com TXT !REFUSED");
  const auto p = world.predict();
  EXPECT_EQ(p.spf.aligned.rfc7489, Tri::unknown);
  EXPECT_EQ(p.dkim.aligned.rfc7489, Tri::yes);  // the same name aligns in either
}

// Whatever is looked up first is asked for before.
class Recorder final : public dns::Resolver {
 public:
  dns::AnswerPtr lookup(std::string_view, dns::Type, Deadline) override { return std::make_shared<dns::Answer>(); }
  void prefetch(std::string_view name, dns::Type type) override {
    asked.insert(std::string(dns::to_string(type)) + " " + std::string(name));
  }
  std::set<std::string> asked;
};

TEST(Prefetch, AsksForTheRecordsOfBothLegs) {
  SesWorld world;
  Recorder recorder;
  ses::prefetch(recorder, world.account, {"news", "example.com"});
  for (const auto* question : {"TXT t1._domainkey.example.com", "TXT t3._domainkey.example.com", "TXT amazonses.com",
                               "MX bounce.example.com", "TXT bounce.example.com", "TXT _dmarc.example.com"})
    EXPECT_TRUE(recorder.asked.contains(question)) << question;
  EXPECT_FALSE(recorder.asked.contains("TXT example.com"));
  world.identity().mail_from = {};
  ses::prefetch(recorder, world.account, {"news", "example.com"});
  EXPECT_TRUE(recorder.asked.contains("TXT example.com"));
}

TEST(Prefetch, AsksForTheTokensOfTheParentOfAReplica) {
  SesWorld world;
  auto replica = world.identity();
  replica.region = world.account.region = "eu-west-1";
  replica.dkim.origin = "AWS_SES_US_EAST_1";
  replica.dkim.tokens.clear();
  world.account.identities.edit().push_back(replica);
  Recorder recorder;
  ses::prefetch(recorder, world.account, {"news", "example.com"});
  EXPECT_TRUE(recorder.asked.contains("TXT t2._domainkey.example.com"));
}

}  // namespace
}  // namespace sesame::test
