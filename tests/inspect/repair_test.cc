// Outbound mail is mended before it is judged: what is predicted is what leaves.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "inspect/inspect.h"
#include "inspect/render.h"
#include "mail/message.h"
#include "support/fake_resolver.h"
#include "support/signer.h"

namespace sesame::inspect {
namespace {

using policy::Direction;
using policy::Repair;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kZone =
    "_dmarc.example.com TXT v=DMARC1; p=reject\n"
    "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n";

std::shared_ptr<Runtime> runtime_with(const policy::RepairRules& rules) {
  auto runtime = std::make_shared<Runtime>();
  runtime->config = config::defaults();
  runtime->config.rules.authserv_id = "mx.example.net";
  runtime->config.rules.own_ids = {"mx.example.net"};
  runtime->config.rules.repair = rules;
  runtime->config.ses.region = "us-east-1";
  ses::Identity identity;
  identity.name = "example.com";
  identity.region = "us-east-1";
  identity.dkim.signing_enabled = false;
  runtime->config.ses.identities = {identity};
  runtime->accounts = std::make_shared<ses::Accounts>(runtime->config.ses, ses::Snapshot{}, 0);
  runtime->resolver = std::make_shared<test::FakeResolver>(std::string(kZone) + "s._domainkey.example.com TXT " +
                                                           test::Signer::rsa(1024).record() + "\n");
  runtime->suffixes = dmarc::PublicSuffixList::system();
  return runtime;
}

const policy::RepairRules kNone;
const policy::RepairRules kAll = {true, true, true, {}, true};

mail::Envelope envelope_from(const char* client) {
  mail::Envelope envelope;
  envelope.client = IpAddress::parse(client);
  envelope.mail_from = "a@example.com";
  envelope.recipients = {"b@example.net"};
  return envelope;
}

policy::Report inspected(const std::shared_ptr<Runtime>& runtime, const mail::Fields& fields,
                         std::string_view body = "hello\r\n", const char* client = "127.0.0.1") {
  const auto envelope = envelope_from(client);
  Options options;
  options.now = 1700000000;
  Inspection inspection(runtime, direction_of(runtime->config, envelope), envelope, options);
  for (const auto& field : fields) inspection.field(field);
  inspection.end_of_header();
  inspection.body(body);
  return inspection.finish();
}

policy::Report inspected(const mail::Fields& fields, const policy::RepairRules& rules) {
  return inspected(runtime_with(rules), fields);
}

bool has_finding(const policy::Report& report, ses::Code code) {
  return std::ranges::any_of(report.prediction->findings, [&](const auto& finding) { return finding.code == code; });
}

mail::Fields with_from(const mail::Fields& fields) {
  mail::Fields all = {{"From", " a@example.com"}};
  for (const auto& field : fields) all.push_back(field);
  return all;
}

TEST(Repair, ThePredictionIsOfTheMendedMessage) {
  const auto fields = with_from({{"Subject", " x"}, {"Subject", "\r\n x"}});
  const auto as_it_is = inspected(fields, kNone);
  EXPECT_EQ(as_it_is.prediction->verdict, ses::Verdict::refused);
  EXPECT_TRUE(has_finding(as_it_is, ses::Code::dup_header));
  EXPECT_THAT(as_it_is.repairs, IsEmpty());
  const auto mended = inspected(fields, kAll);
  EXPECT_EQ(mended.prediction->verdict, ses::Verdict::fail);
  EXPECT_FALSE(has_finding(mended, ses::Code::dup_header));
  EXPECT_THAT(mended.repairs, ElementsAre(Repair{"duplicate", {"Subject", 2}}));
}

TEST(Repair, ASecondFromIsMendedOnlyWhenItIsTheSame) {
  const auto same = inspected({{"From", " a@example.com"}, {"from ", " a@example.com"}}, kAll);
  EXPECT_TRUE(same.author.usable());
  EXPECT_EQ(same.prediction->verdict, ses::Verdict::fail);
  for (const auto* other : {" b@example.org", " a@Example.com", " <a@example.com>", " a@example.com\rX-A: b"}) {
    const auto report = inspected({{"From", " a@example.com"}, {"From", other}}, kAll);
    EXPECT_FALSE(report.author.usable()) << other;
    EXPECT_EQ(report.prediction->verdict, ses::Verdict::refused) << other;
    EXPECT_THAT(report.repairs, IsEmpty()) << other;
  }
  const auto hidden =
      inspected({{"From", " a@example.com"}, {"From", " a@example.com"}, {"X-A", " b\rFrom: b@example.org"}}, kAll);
  EXPECT_FALSE(hidden.author.usable());
  EXPECT_THAT(hidden.repairs, IsEmpty());
}

// A message of example.com whose subject stands in the header twice; `lines` are those that were signed.
policy::Report signed_twice(const char* names, const std::vector<std::string>& lines,
                            const policy::RepairRules& rules) {
  const std::string subject = "Subject: x\r\n", from = "From: a@example.com\r\n";
  const auto message = mail::read_message(test::sign_simple(
      test::Signer::rsa(1024), {.tags = std::string("v=1; a=rsa-sha256; d=example.com; s=s; h=") + names + ";",
                                .signed_lines = lines,
                                .header = from + subject + subject,
                                .body = "hello\r\n",
                                .body_after = ""}));
  return inspected(runtime_with(rules), message.fields, message.body);
}

TEST(Repair, SignaturesAreVerifiedOnWhatLeaves) {
  const std::string subject = "Subject: x\r\n", from = "From: a@example.com\r\n";
  const struct {
    const char* names;
    std::vector<std::string> lines;
    dkim::Result before, after;
  } cases[] = {
      {"from:subject", {from, subject}, dkim::Result::pass, dkim::Result::pass},
      // Signed before somebody doubled the field, and so that nobody could.
      {"from:subject:subject", {from, subject}, dkim::Result::fail, dkim::Result::pass},
      // Signed with both.
      {"from:subject:subject", {from, subject, subject}, dkim::Result::pass, dkim::Result::fail},
  };
  for (const auto& [names, lines, before, after] : cases) {
    const auto as_it_is = signed_twice(names, lines, kNone);
    ASSERT_EQ(as_it_is.dkim.size(), 1u);
    EXPECT_EQ(as_it_is.dkim[0].result, before) << names << " " << as_it_is.dkim[0].reason;
    const auto mended = signed_twice(names, lines, kAll);
    ASSERT_EQ(mended.dkim.size(), 1u);
    EXPECT_EQ(mended.dkim[0].result, after) << names << " " << mended.dkim[0].reason;
    EXPECT_EQ(mended.prediction->verdict, after == dkim::Result::pass ? ses::Verdict::pass : ses::Verdict::fail);
  }
}

// The value of a signature that need not verify.
std::string signature(const char* domain, const char* names) {
  return std::string(" v=1; a=rsa-sha256; d=") + domain + "; s=none; h=" + names +
         "; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA";
}

TEST(Repair, RemovedSignaturesHaveNoOutcome) {
  const auto fields = with_from({{"DKIM-Signature", signature("one.example", "from:date")},
                                 {"DKIM-Signature", signature("two.example", "from")},
                                 {"DKIM-Signature", " nothing"},
                                 {"DKIM-Signature", signature("example.com", "message-id:from")}});
  const auto as_it_is = inspected(fields, kNone);
  EXPECT_EQ(as_it_is.dkim.size(), 4u);
  EXPECT_TRUE(has_finding(as_it_is, ses::Code::dup_header));
  EXPECT_TRUE(has_finding(as_it_is, ses::Code::upstream_sig_will_break));
  const auto mended = inspected(fields, kAll);
  ASSERT_EQ(mended.dkim.size(), 1u);
  EXPECT_EQ(mended.dkim[0].domain, "two.example");
  EXPECT_FALSE(has_finding(mended, ses::Code::dup_header));
  EXPECT_FALSE(has_finding(mended, ses::Code::upstream_sig_will_break));
  EXPECT_THAT(mended.repairs, ElementsAre(Repair{"upstream-signature", {"DKIM-Signature", 1}},
                                          Repair{"upstream-signature", {"DKIM-Signature", 3}},
                                          Repair{"upstream-signature", {"DKIM-Signature", 4}}));
}

TEST(Repair, ASignatureFieldThatHidesSomethingTakesNoOthersOutcome) {
  const auto mended =
      inspected(with_from({{"DKIM-Signature", signature("one.example", "from") + "\rX-SES-SOURCE-ARN: arn"},
                           {"DKIM-Signature", signature("two.example", "from")}}),
                kAll);
  EXPECT_THAT(mended.repairs, ElementsAre(Repair{"ses-field", {"DKIM-Signature", 1}}));
  ASSERT_EQ(mended.dkim.size(), 1u);
  EXPECT_EQ(mended.dkim[0].domain, "two.example");
}

TEST(Repair, OwnAndSesFieldsGoAlsoWhereTheyHide) {
  const auto report = inspected(with_from({{"Authentication-Results", " mx.example.net; dmarc=pass"},
                                           {"Authentication-Results", " other.example; dmarc=pass"},
                                           {"X-A", " b\rauthentication-results: mx.example.net; none"},
                                           {"sesame-prediction", " x"},
                                           {"x-ses-Source-arn", " arn:aws:ses:us-east-1:111122223333:identity/x"},
                                           {"X-A", " c\rX-SES-FROM-ARN : arn"}}),
                                kAll);
  EXPECT_THAT(report.repairs,
              ElementsAre(Repair{"own-field", {"Authentication-Results", 1}}, Repair{"own-field", {"X-A", 1}},
                          Repair{"own-field", {"sesame-prediction", 1}}, Repair{"ses-field", {"x-ses-Source-arn", 1}},
                          Repair{"ses-field", {"X-A", 2}}));
  EXPECT_FALSE(has_finding(report, ses::Code::owner_settings_unknown));
}

TEST(Repair, AnIdentityOfAnotherAccountCountsWhereTheClientMayNameIt) {
  const auto fields = with_from({{"X-SES-SOURCE-ARN", " arn:aws:ses:us-east-1:111122223333:identity/example.com"}});
  auto rules = kAll;
  rules.ses_fields_trusted = {*Network::parse("127.0.0.1")};
  const auto trusted = inspected(fields, rules);
  EXPECT_THAT(trusted.repairs, IsEmpty());
  EXPECT_EQ(trusted.prediction->verdict, ses::Verdict::unknown);
  EXPECT_EQ(inspected(fields, kNone).prediction->verdict, ses::Verdict::unknown);
  EXPECT_EQ(inspected(fields, kAll).prediction->verdict, ses::Verdict::fail);
}

TEST(Repair, WhatIsRemovedIsNotMeasured) {
  const auto fields = with_from({{"X-SES-MESSAGE-TAGS", " " + std::string(2000, 'x')}});
  EXPECT_TRUE(has_finding(inspected(fields, kNone), ses::Code::ses_lint));
  EXPECT_FALSE(has_finding(inspected(fields, kAll), ses::Code::ses_lint));
}

TEST(Repair, InboundMailIsNeverMended) {
  const auto fields = with_from({{"Subject", " x"}, {"Subject", " x"}, {"X-SES-Outgoing", " x"}});
  const auto report = inspected(runtime_with(kAll), fields, "", "203.0.113.7");
  EXPECT_EQ(report.direction, Direction::inbound);
  EXPECT_THAT(report.repairs, IsEmpty());
}

TEST(Repair, IgnoredAuthorsAreThoseOfTheMessageAsItCame) {
  auto runtime = runtime_with(kAll);
  runtime->config.directions.ignore_from_domains = {"example.com"};
  const auto ignored = inspected(runtime, with_from({{"Subject", " x"}, {"Subject", " x"}}));
  EXPECT_EQ(ignored.direction, Direction::ignored);
  EXPECT_THAT(ignored.repairs, IsEmpty());
  const auto doubled = inspected(runtime, with_from({{"From", " a@example.com"}}));
  EXPECT_EQ(doubled.direction, Direction::outbound);
  EXPECT_THAT(doubled.repairs, ElementsAre(Repair{"duplicate", {"From", 2}}));
}

// Behind the limit may stand what makes a repair wrong; what SES obeys is no less dangerous there.
TEST(Repair, AnOverlongHeaderIsNotMendedButLosesWhatSesObeys) {
  auto runtime = runtime_with(kAll);
  runtime->config.limits.header_bytes = 1000;
  const auto fields = with_from({{"Subject", " x"},
                                 {"Subject", " x"},
                                 {"x-ses-source-arn", " one"},
                                 {"X-Big", " " + std::string(2000, 'x')},
                                 {"Date", " d"},
                                 {"Date", " d"},
                                 {"Authentication-Results", " mx.example.net; none"},
                                 {"X-SES-Source-ARN ", " two"},
                                 {"X-SES-CONFIGURATION-SET", " three"}});
  const auto report = inspected(runtime, fields);
  EXPECT_THAT(report.repairs,
              ElementsAre(Repair{"ses-field", {"x-ses-source-arn", 1}}, Repair{"ses-field", {"X-SES-Source-ARN", 2}},
                          Repair{"ses-field", {"X-SES-CONFIGURATION-SET", 1}}));
  EXPECT_EQ(report.prediction->verdict, ses::Verdict::unknown);
  runtime->config.rules.repair = kNone;
  EXPECT_THAT(inspected(runtime, fields).repairs, IsEmpty());
}

TEST(Repair, IsTold) {
  const auto report = inspected(with_from({{"Subject", " x"}, {"Subject", " x"}, {"X-SES-SOURCE-ARN", " x"}}), kAll);
  const auto decision = policy::decide(report, runtime_with(kAll)->config.rules);
  EXPECT_THAT(log_text(report, decision), HasSubstr(" repairs=duplicate:Subject:2,ses-field:X-SES-SOURCE-ARN:1 "));
  const auto event = nlohmann::json::parse(log_json(report, decision));
  EXPECT_EQ(event["repairs"].size(), 2u);
  EXPECT_EQ(event["repairs"][0], (nlohmann::json{{"reason", "duplicate"}, {"field", "Subject"}, {"occurrence", 2}}));
  EXPECT_EQ(event["repaired"], 2);
  EXPECT_EQ(nlohmann::json::parse(preflight_json(report, decision))["repairs"].size(), 2u);
  EXPECT_THAT(preflight_text(report, decision), HasSubstr("duplicate"));
  EXPECT_THAT(preflight_text(report, decision), HasSubstr("X-SES-SOURCE-ARN, number 1"));
  const auto untouched = inspected(with_from({}), kAll);
  EXPECT_THAT(log_text(untouched, {}), Not(HasSubstr("repair")));
  EXPECT_FALSE(nlohmann::json::parse(log_json(untouched, {})).contains("repairs"));
  EXPECT_THAT(nlohmann::json::parse(preflight_json(untouched, {}))["repairs"], IsEmpty());
}

TEST(Repair, ThousandsAreDoneAndTheFirstAreTold) {
  const auto report = inspected(with_from(mail::Fields(std::vector<mail::Field>(5000, {"X-SES-A", "x"}))), kAll);
  const auto decision = policy::decide(report, runtime_with(kAll)->config.rules);
  EXPECT_EQ(decision.edits.size(), 5000u);
  EXPECT_LT(log_json(report, decision).size(), 6000u);
  EXPECT_THAT(log_text(report, decision), HasSubstr("ses-field:X-SES-A:20,+4980 "));
}

}  // namespace
}  // namespace sesame::inspect
