#include "policy/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authres/authres.h"

namespace sesame::policy {
namespace {

using testing::HasSubstr;
using testing::Not;
using Action = Decision::Action;

Rules rules_with(Level fail, Level refused) {
  Rules rules;
  rules.authserv_id = "mx.example.net";
  rules.own_ids = {"mx.example.net"};
  rules.outbound = {fail, refused};
  return rules;
}

Report outbound(ses::Verdict verdict) {
  Report report;
  report.direction = Direction::outbound;
  report.author.fields = 1;
  report.author.mailboxes = {{"news", "shop.example.com"}};
  report.author.domains = {"shop.example.com"};
  report.prediction.emplace();
  report.prediction->verdict = verdict;
  report.prediction->why = "DMARC will fail for shop.example.com: 100% of the causes; mend them.";
  report.prediction->findings = {ses::make_finding(ses::Code::dmarc_none_aligned, {})};
  return report;
}

Report inbound(dmarc::Result result, dmarc::Policy policy) {
  auto report = outbound(ses::Verdict::fail);
  report.direction = Direction::inbound;
  report.prediction.reset();
  report.dmarc.result = result;
  report.dmarc.discovery.state = dmarc::Discovery::State::found;
  report.dmarc.discovery.domain = "shop.example.com";
  report.dmarc.discovery.policy = report.dmarc.discovery.disposition = policy;
  report.spf_mail_from.emplace();
  report.spf_mail_from->result = spf::Result::softfail;
  report.spf_mail_from->domain = "bounce.example.org";
  return report;
}

TEST(Outbound, EachVerdictMeetsEachRungOfTheLadder) {
  const struct {
    Level level;
    Action action;
    std::size_t edits;
    const char* code;
  } rungs[] = {{Level::observe, Action::observe, 0, ""},
               {Level::tag, Action::tag, 1, ""},
               {Level::hold, Action::hold, 1, ""},
               {Level::reject, Action::reject, 0, "550"}};
  for (const auto verdict : {ses::Verdict::fail, ses::Verdict::refused}) {
    for (const auto& rung : rungs) {
      const bool fail = verdict == ses::Verdict::fail;
      const auto rules = rules_with(fail ? rung.level : Level::observe, fail ? Level::observe : rung.level);
      const auto decision = decide(outbound(verdict), rules);
      EXPECT_EQ(decision.action, rung.action) << to_string(rung.level);
      EXPECT_EQ(decision.edits.size(), rung.edits) << to_string(rung.level);
      EXPECT_EQ(decision.code, rung.code);
      EXPECT_THAT(decision.reason, HasSubstr("shop.example.com"));
    }
  }
}

TEST(Outbound, WhatIsNotKnownToFailIsNeverActedUpon) {
  for (const auto verdict : {ses::Verdict::unknown, ses::Verdict::pass, ses::Verdict::none}) {
    const auto decision = decide(outbound(verdict), rules_with(Level::reject, Level::reject));
    EXPECT_EQ(decision.action, Action::accept) << ses::to_string(verdict);
    EXPECT_TRUE(decision.edits.empty());
  }
}

TEST(Outbound, TheMostSpecificOverrideDecides) {
  auto rules = rules_with(Level::observe, Level::observe);
  rules.overrides = {{"example.com", {Level::hold, Level::hold}}, {"shop.example.com", {Level::tag, Level::observe}}};
  EXPECT_EQ(decide(outbound(ses::Verdict::fail), rules).action, Action::tag);
  rules.overrides.pop_back();
  EXPECT_EQ(decide(outbound(ses::Verdict::fail), rules).action, Action::hold);
  rules.overrides = {{"op.example.com", {Level::hold, Level::hold}}};
  EXPECT_EQ(decide(outbound(ses::Verdict::fail), rules).action, Action::observe);
}

TEST(Outbound, ThePredictionIsNoAuthenticationResult) {
  const auto decision = decide(outbound(ses::Verdict::fail), rules_with(Level::tag, Level::tag));
  ASSERT_EQ(decision.edits.size(), 1u);
  const auto& edit = decision.edits.front();
  EXPECT_EQ(edit.name, "Sesame-Prediction");
  EXPECT_THAT(edit.value, HasSubstr("ses-relay=fail"));
  EXPECT_THAT(edit.value, Not(HasSubstr("dmarc=")));
  const auto parsed = authres::parse(edit.value);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->authserv_id, "mx.example.net");
}

TEST(Outbound, ForgedPredictionsGoLastFirstWhereOursHaveAMeaning) {
  auto report = outbound(ses::Verdict::pass);
  report.forged_predictions = {{"Sesame-Prediction", 3}, {"Sesame-Prediction", 1}};
  EXPECT_TRUE(decide(report, rules_with(Level::observe, Level::observe)).edits.empty());
  const auto decision = decide(report, rules_with(Level::tag, Level::observe));
  ASSERT_EQ(decision.edits.size(), 2u);
  EXPECT_EQ(decision.edits[0].occurrence, 3u);
  EXPECT_EQ(decision.edits[1].occurrence, 1u);
}

TEST(Inbound, ResultsAreAlwaysWrittenAndForgedOnesRemovedFirst) {
  auto report = inbound(dmarc::Result::pass, dmarc::Policy::reject);
  report.forged_results = {{"Authentication-Results", 2}, {"Authentication-Results", 1}};
  const auto decision = decide(report, rules_with(Level::reject, Level::reject));
  EXPECT_EQ(decision.action, Action::accept);
  ASSERT_EQ(decision.edits.size(), 3u);
  EXPECT_EQ(decision.edits[0].kind, Edit::Kind::remove);
  EXPECT_EQ(decision.edits[0].occurrence, 2u);
  EXPECT_EQ(decision.edits[1].occurrence, 1u);
  EXPECT_EQ(decision.edits[2].kind, Edit::Kind::insert);
  EXPECT_THAT(decision.edits[2].value, HasSubstr("dmarc=pass"));
  EXPECT_THAT(decision.edits[2].value, HasSubstr("header.from=shop.example.com"));
  EXPECT_THAT(decision.edits[2].value, HasSubstr("smtp.mailfrom=bounce.example.org"));
}

TEST(Inbound, ThousandsOfSignaturesDoNotSwellTheResultsNorHideTheOneThatPasses) {
  auto report = inbound(dmarc::Result::pass, dmarc::Policy::reject);
  dkim::Outcome broken;
  broken.result = dkim::Result::permerror;
  broken.reason = "syntax: " + std::string(300, 'x');
  report.dkim.assign(20000, broken);
  report.dkim.emplace_back();
  report.dkim.back().result = dkim::Result::pass;
  report.dkim.back().domain = "shop.example.com";
  const auto decision = decide(report, rules_with(Level::observe, Level::observe));
  ASSERT_EQ(decision.edits.size(), 1u);
  EXPECT_LT(decision.edits[0].value.size(), 20000u);
  EXPECT_THAT(decision.edits[0].value, HasSubstr("header.d=shop.example.com"));
  EXPECT_THAT(decision.edits[0].value, HasSubstr("dmarc=pass"));
}

TEST(Inbound, PolicyIsFollowedOnlyWhereConfigured) {
  auto rules = rules_with(Level::observe, Level::observe);
  const auto reject = inbound(dmarc::Result::fail, dmarc::Policy::reject);
  const auto quarantine = inbound(dmarc::Result::fail, dmarc::Policy::quarantine);
  const auto none = inbound(dmarc::Result::fail, dmarc::Policy::none);
  EXPECT_EQ(decide(reject, rules).action, Action::observe);
  rules.on_policy_reject = Handling::reject;
  EXPECT_EQ(decide(reject, rules).action, Action::reject);
  EXPECT_EQ(decide(reject, rules).code, "550");
  EXPECT_EQ(decide(quarantine, rules).action, Action::observe);
  rules.on_policy_quarantine = Handling::quarantine;
  EXPECT_EQ(decide(quarantine, rules).action, Action::hold);
  EXPECT_EQ(decide(none, rules).action, Action::accept);
}

TEST(Inbound, TestingPoliciesActOneStepSofter) {
  auto rules = rules_with(Level::observe, Level::observe);
  rules.on_policy_reject = Handling::reject;
  auto report = inbound(dmarc::Result::fail, dmarc::Policy::reject);
  report.dmarc.discovery.disposition = dmarc::Policy::quarantine;
  EXPECT_EQ(decide(report, rules).action, Action::observe);
  // RFC 9989 Section 9.1: the policy after its options.
  EXPECT_THAT(decide(report, rules).edits.back().value, HasSubstr("policy.dmarc=quarantine"));
}

TEST(Inbound, UndecidedMailIsTemporarilyRefusedOnlyWhereConfigured) {
  auto rules = rules_with(Level::observe, Level::observe);
  rules.on_policy_reject = Handling::reject;
  const auto report = inbound(dmarc::Result::temperror, dmarc::Policy::reject);
  EXPECT_EQ(decide(report, rules).action, Action::accept);
  rules.tempfail_on_temperror = true;
  EXPECT_EQ(decide(report, rules).action, Action::tempfail);
  EXPECT_EQ(decide(report, rules).code, "451");
}

TEST(Inbound, AMessageWithoutOneAuthorIsPermerrorWithTheReason) {
  auto report = inbound(dmarc::Result::permerror, dmarc::Policy::none);
  report.author = {};
  report.author.problem = "2 From fields";
  report.dmarc = {};
  report.dmarc.result = dmarc::Result::permerror;
  auto rules = rules_with(Level::observe, Level::observe);
  const auto decision = decide(report, rules);
  EXPECT_EQ(decision.action, Action::observe);
  EXPECT_THAT(decision.edits.back().value, HasSubstr("dmarc=permerror"));
  EXPECT_THAT(decision.edits.back().value, HasSubstr("2 From fields"));
  rules.on_bad_author = Handling::reject;
  EXPECT_EQ(decide(report, rules).action, Action::reject);
}

const Edit& results_of(const Decision& decision) {
  const auto found =
      std::ranges::find_if(decision.edits, [](const Edit& edit) { return edit.kind == Edit::Kind::insert; });
  EXPECT_NE(found, decision.edits.end());
  return *found;
}

TEST(Inbound, ATrustedForwardersWordStandsInForThePolicy) {  // C2
  const std::string pass = "lists.example.org; dmarc=pass header.from=shop.example.com";
  const auto set = [](int instance, const char* sealer, const std::string& results) {
    return arc::Seal{instance, sealer, results};
  };
  const auto chain = [](arc::Result result, std::vector<arc::Seal> sets) {
    arc::Outcome outcome;
    outcome.result = result;
    outcome.sets = std::move(sets);
    return outcome;
  };
  const struct {
    const char* rule;
    arc::Outcome chain;
    const char* forwarder;
  } cases[] = {
      {"it saw a pass", chain(arc::Result::pass, {set(1, "lists.example.org", pass)}), "lists.example.org"},
      {"in any case of letters",
       chain(arc::Result::pass, {set(1, "lists.example.org", "x; DMARC=Pass Header.From=Shop.Example.COM")}),
       "lists.example.org"},
      {"everybody after it is trusted",
       chain(arc::Result::pass,
             {set(2, "also.example", "x; dmarc=fail header.from=shop.example.com"), set(1, "lists.example.org", pass)}),
       "lists.example.org"},
      {"somebody after it is not",
       chain(arc::Result::pass, {set(2, "other.example", "x; none"), set(1, "lists.example.org", pass)}), ""},
      {"the chain is broken", chain(arc::Result::fail, {set(1, "lists.example.org", pass)}), ""},
      {"there is no chain", chain(arc::Result::none, {}), ""},
      {"nobody trusts the sealer", chain(arc::Result::pass, {set(1, "other.example", pass)}), ""},
      {"not even one below a trusted name", chain(arc::Result::pass, {set(1, "a.lists.example.org", pass)}), ""},
      {"it saw a fail",
       chain(arc::Result::pass, {set(1, "lists.example.org", "x; dmarc=fail header.from=shop.example.com")}), ""},
      {"it saw another author",
       chain(arc::Result::pass, {set(1, "lists.example.org", "x; dmarc=pass header.from=example.com")}), ""},
      {"it says so in words of another version",
       chain(arc::Result::pass, {set(1, "lists.example.org", "x; dmarc/2=pass header.from=shop.example.com")}), ""},
      {"it does not say whose", chain(arc::Result::pass, {set(1, "lists.example.org", "x; dmarc=pass")}), ""},
      {"it says two things",
       chain(arc::Result::pass, {set(1, "lists.example.org", pass + "; dmarc=fail header.from=shop.example.com")}), ""},
      {"it cannot be read", chain(arc::Result::pass, {set(1, "lists.example.org", "; dmarc=pass header.from=")}), ""},
  };
  auto rules = rules_with(Level::observe, Level::observe);
  rules.on_policy_reject = Handling::reject;
  rules.trusted_sealers = {"lists.example.org", "also.example"};
  for (const auto& [rule, arc, forwarder] : cases) {
    auto report = inbound(dmarc::Result::fail, dmarc::Policy::reject);
    report.arc = arc;
    const auto decision = decide(report, rules);
    const bool trusted = *forwarder != '\0';
    EXPECT_EQ(decision.trusted_forwarder, forwarder) << rule;
    EXPECT_EQ(decision.action, trusted ? Action::accept : Action::reject) << rule;
    // The result stays what it is; why nothing follows from it stands beside it.
    EXPECT_THAT(results_of(decision).value, HasSubstr("dmarc=fail")) << rule;
    EXPECT_EQ(results_of(decision).value.find("is trusted") != std::string::npos, trusted) << rule;
  }
}

TEST(Inbound, AForwarderChangesNothingWhereNothingWouldFollow) {
  auto rules = rules_with(Level::observe, Level::observe);
  rules.trusted_sealers = {"lists.example.org"};
  rules.tempfail_on_temperror = true;
  rules.on_bad_author = Handling::reject;
  const auto decided = [&](dmarc::Result result, dmarc::Policy policy, const char* author_problem) {
    auto report = inbound(result, policy);
    report.author.problem = author_problem;
    report.arc.result = arc::Result::pass;
    report.arc.sets = {{1, "lists.example.org", "x; dmarc=pass header.from=shop.example.com"}};
    return decide(report, rules);
  };
  EXPECT_EQ(decided(dmarc::Result::fail, dmarc::Policy::none, "").trusted_forwarder, "");
  EXPECT_EQ(decided(dmarc::Result::temperror, dmarc::Policy::reject, "").action, Action::tempfail);
  EXPECT_EQ(decided(dmarc::Result::permerror, dmarc::Policy::reject, "2 From fields").action, Action::reject);
}

TEST(Inbound, WhatTheMtaFoundOfTheClientsNameIsWritten) {  // RFC 8601 Section 2.7.3
  auto report = inbound(dmarc::Result::pass, dmarc::Policy::none);
  report.envelope.client = IpAddress::parse("2001:db8::1");
  EXPECT_THAT(results_of(decide(report, rules_with(Level::observe, Level::observe))).value, Not(HasSubstr("iprev")));
  for (const auto result : {mail::Iprev::pass, mail::Iprev::fail, mail::Iprev::temperror, mail::Iprev::permerror}) {
    report.envelope.iprev = result;
    report.envelope.client_name = result == mail::Iprev::pass ? "mail.example.com" : "";
    const auto header = authres::parse(results_of(decide(report, rules_with(Level::observe, Level::observe))).value);
    ASSERT_TRUE(header);
    const auto& statement = header->statements.front();
    EXPECT_EQ(statement.method, "iprev");
    EXPECT_EQ(statement.result, mail::to_string(result));
    ASSERT_EQ(statement.properties.size(), 1u);
    EXPECT_EQ(statement.properties[0].type + "." + statement.properties[0].name, "policy.iprev");
    EXPECT_EQ(statement.properties[0].value, "2001:db8::1");
  }
}

TEST(Ignored, NothingIsTouched) {
  auto report = inbound(dmarc::Result::fail, dmarc::Policy::reject);
  report.direction = Direction::ignored;
  report.forged_results = {{"Authentication-Results", 1}};
  auto rules = rules_with(Level::reject, Level::reject);
  rules.on_policy_reject = Handling::reject;
  const auto decision = decide(report, rules);
  EXPECT_EQ(decision.action, Action::accept);
  EXPECT_TRUE(decision.edits.empty());
}

TEST(Reply, IsOneShortPrintableLine) {
  auto report = outbound(ses::Verdict::refused);
  report.prediction->why = std::string(5000, 'x') + "\r\n\x01";
  const auto decision = decide(report, rules_with(Level::reject, Level::reject));
  EXPECT_LT(decision.reason.size(), 450u);
  EXPECT_EQ(decision.reason.find_first_of("\r\n\x01"), std::string::npos);
}

}  // namespace
}  // namespace sesame::policy
