#include "policy/repair.h"

#include <gmock/gmock.h>

#include "policy/decide.h"

namespace sesame::policy {
namespace {

using mail::Fields;
using testing::ElementsAre;
using testing::IsEmpty;

RepairRules duplicate_rules() {
  RepairRules rules;
  rules.duplicate_fields = true;
  return rules;
}
RepairRules ses_rules(std::vector<Network> trusted = {}) {
  RepairRules rules;
  rules.ses_fields = true;
  rules.ses_fields_trusted = std::move(trusted);
  return rules;
}
RepairRules signature_rules() {
  RepairRules rules;
  rules.upstream_signatures = true;
  return rules;
}
RepairRules all_rules() {
  return {true, true, true, {}, true};
}

// "duplicate:Subject:2"
std::vector<std::string> told(const std::vector<Repair>& repairs) {
  std::vector<std::string> result;
  for (const auto& [reason, place] : repairs)
    result.push_back(reason + ":" + place.name + ":" + std::to_string(place.occurrence));
  return result;
}

const mail::Author& nobody() {
  static const auto author = mail::find_author({});
  return author;
}

mail::Envelope envelope_of(const char* client) {
  mail::Envelope envelope;
  if (client) envelope.client = IpAddress::parse(client);
  return envelope;
}

std::vector<std::string> planned(const Fields& fields, const RepairRules& rules, const char* client = "192.0.2.1",
                                 const std::vector<Place>& own = {}) {
  return told(plan_field_repairs(fields, envelope_of(client), own, rules));
}

TEST(Repairs, NothingIsMendedUnlessConfigured) {
  const Fields fields = {{"Subject", " x"},           {"Subject", " x"},        {"X-SES-SOURCE-ARN", " arn"},
                         {"Sesame-Prediction", " x"}, {"DKIM-Signature", " x"}, {"DKIM-Signature", " x"}};
  const RepairRules rules;
  EXPECT_FALSE(rules.any());
  EXPECT_THAT(planned(fields, rules, nullptr, {{"Sesame-Prediction", 1}}), IsEmpty());
  const std::vector<dkim::Outcome> outcomes(2);
  EXPECT_THAT(plan_signature_repairs(fields, {outcomes, nobody(), nullptr}, {}, rules), IsEmpty());
}

TEST(Duplicates, TheFirstStaysWhenAllSayTheSame) {
  EXPECT_THAT(planned({{"Subject", " x"}, {"To", " b"}, {"Subject", " x"}, {"Subject", " x"}}, duplicate_rules()),
              ElementsAre("duplicate:Subject:2", "duplicate:Subject:3"));
  EXPECT_THAT(
      planned({{"MIME-Version", " 1.0"}, {"Date", " d"}, {"Date", " d"}, {"mime-version", " 1.0"}}, duplicate_rules()),
      ElementsAre("duplicate:Date:2", "duplicate:mime-version:2"));
}

TEST(Duplicates, NamesAreCountedAsAnMtaCountsThem) {
  EXPECT_THAT(planned({{"subject", " x"}, {"SUBJECT ", " x"}, {"Subject\t", " x"}}, duplicate_rules()),
              ElementsAre("duplicate:SUBJECT:2", "duplicate:Subject:3"));
}

TEST(Duplicates, OnlyFieldsThatSesWantsOnceAreLookedAt) {
  for (const auto* name : {"To", "Cc", "Received", "X-Mailer", "Authentication-Results", "ARC-Seal", "Resent-From"})
    EXPECT_THAT(planned({{name, " x"}, {name, " x"}}, duplicate_rules()), IsEmpty()) << name;
  for (const auto* name : {"Accept-Language", "Content-Type", "List-Unsubscribe", "Sender", "Return-Path", "VBR-Info"})
    EXPECT_THAT(planned({{name, " x"}, {name, " x"}}, duplicate_rules()).size(), 1u) << name;
}

TEST(Duplicates, WhatIsSaidIsComparedUnfoldedAndTrimmed) {
  const struct {
    const char *one, *other;
    bool same;
  } cases[] = {
      {" x", "x", true},
      {" x", " x \t", true},
      {" a b", "\r\n a\r\n b", true},
      {" a b", " a\r\n\tb", false},  // a tab is no space
      {" a b", " a  b", false},
      {" a b", " ab", false},
      {" x", " X", false},
      {" x", " y", false},
      {" x", "", false},
      {"", "  ", true},
      {" a, b", " b, a", false},
      {" x\ry", " x\ry", false},  // readers disagree on what it says
      {" x\ny", " x\ny", false},
      {" x\r\ny", " x\r\ny", false},
      {" x\r", " x\r", false},
      {" x\r\n", " x\r\n", false},
  };
  for (const auto& [one, other, same] : cases)
    for (const auto& fields :
         {Fields{{"Subject", one}, {"Subject", other}}, Fields{{"Subject", other}, {"Subject", one}}})
      EXPECT_EQ(planned(fields, duplicate_rules()).size(), same ? 1u : 0u)
          << testing::PrintToString(one) << " " << testing::PrintToString(other);
}

TEST(Duplicates, WhereOneSaysSomethingElseAllStay) {
  EXPECT_THAT(planned({{"Subject", " x"}, {"Subject", " x"}, {"Subject", " y"}}, duplicate_rules()), IsEmpty());
  EXPECT_THAT(planned({{"Subject", " x"}, {"Subject", " x"}, {"Subject", " y"}, {"Date", " d"}, {"Date", " d"}},
                      duplicate_rules()),
              ElementsAre("duplicate:Date:2"));
}

TEST(Duplicates, ASecondFromGoesOnlyWhenItIsTheSameToTheLastOctet) {
  const std::string first = " A <a@example.com>";
  EXPECT_THAT(planned({{"From", first}, {"from", first}}, duplicate_rules()), ElementsAre("duplicate:from:2"));
  for (const auto* other : {" A <b@example.com>", "A <a@example.com>", " A <a@example.com> ", " a <a@example.com>",
                            " A\r\n <a@example.com>", " A <a@Example.com>", " A <a@example.com>\r"})
    EXPECT_THAT(planned({{"From", first}, {"From", other}}, duplicate_rules()), IsEmpty()) << other;
}

TEST(Duplicates, OneHiddenBehindABareLineEndKeepsAllOfThem) {
  for (const auto* line_end : {"\r", "\n", "\r\n", "\r\r"}) {
    const auto hiding = std::string(" x") + line_end;
    EXPECT_THAT(planned({{"From", " a@b.example"}, {"From", " a@b.example"}, {"X-A", hiding + "From: c@d.example"}},
                        duplicate_rules()),
                IsEmpty());
    EXPECT_THAT(planned({{"Subject", " x"}, {"X-A", hiding + "sUBJECT : x"}, {"Subject", " x"}}, duplicate_rules()),
                IsEmpty());
    EXPECT_THAT(planned({{"Subject", " x"}, {"X-A", hiding + "X-B: x"}, {"Subject", " x"}}, duplicate_rules()).size(),
                1u);
  }
}

TEST(SesFields, AreRemovedHoweverTheyAreWritten) {
  EXPECT_THAT(planned({{"X-SES-SOURCE-ARN", " arn"},
                       {"From", " a@b.example"},
                       {"x-ses-Configuration-Set", " c"},
                       {"X-SES-Source-ARN ", " arn"},
                       {"X-Ses-Whatever\t", " c"},
                       {"X-SESSION", " c"},
                       {"X-SES", " c"}},
                      ses_rules()),
              ElementsAre("ses-field:X-SES-SOURCE-ARN:1", "ses-field:x-ses-Configuration-Set:1",
                          "ses-field:X-SES-Source-ARN:2", "ses-field:X-Ses-Whatever:1"));
}

TEST(SesFields, AFieldThatHidesOneGoesWithIt) {
  for (const auto* hiding : {" x\rX-SES-SOURCE-ARN: arn", " x\nx-ses-source-arn:arn", "\rX-SES-A : b",
                             " x\r\nX-SES-A: b", " x\r\n fold\rA: b\rX-SES-FROM-ARN\t: arn"})
    EXPECT_THAT(planned({{"X-A", " a"}, {"X-A", hiding}}, ses_rules()), ElementsAre("ses-field:X-A:2")) << hiding;
  for (const auto* harmless : {" x\r\n X-SES-SOURCE-ARN: arn", " X-SES-SOURCE-ARN: arn", " x\r X-SES-SOURCE-ARN: arn"})
    EXPECT_THAT(planned({{"X-A", harmless}}, ses_rules()), IsEmpty()) << harmless;
}

TEST(SesFields, StayWhereTheClientIsTrusted) {
  const Fields fields = {{"X-SES-SOURCE-ARN", " arn"}};
  const auto trusted = ses_rules({*Network::parse("192.0.2.0/28"), *Network::parse("2001:db8::1")});
  for (const auto* client : {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"})
    EXPECT_THAT(planned(fields, trusted, client), IsEmpty()) << client;
  for (const auto* client : {"192.0.2.16", "2001:db8::2", "127.0.0.1"})
    EXPECT_EQ(planned(fields, trusted, client).size(), 1u) << client;
}

TEST(SesFields, AClientWithoutAnAddressIsNeverTrusted) {
  const Fields fields = {{"X-SES-SOURCE-ARN", " arn"}};
  const auto everybody = ses_rules({*Network::parse("0.0.0.0/0"), *Network::parse("::/0")});
  EXPECT_EQ(planned(fields, everybody, nullptr).size(), 1u);
  EXPECT_THAT(planned(fields, everybody, "127.0.0.1"), IsEmpty());
}

TEST(OwnFields, AreTheOnesNoted) {
  const Fields fields = {{"Authentication-Results", " mx.example.net; none"},
                         {"Subject", " x"},
                         {"authentication-results ", " other.example; none"},
                         {"AUTHENTICATION-RESULTS", " mx.example.net; none"}};
  RepairRules rules;
  rules.own_fields = true;
  EXPECT_THAT(planned(fields, rules, "192.0.2.1", {{"Authentication-Results", 1}, {"Authentication-Results", 3}}),
              ElementsAre("own-field:Authentication-Results:1", "own-field:AUTHENTICATION-RESULTS:3"));
  EXPECT_THAT(planned(fields, rules), IsEmpty());
}

TEST(Repairs, AFieldIsRemovedOnceAndWhatIsLeftIsCompared) {
  const Fields fields = {{"Subject", " x"},
                         {"Subject", " x\rX-SES-SOURCE-ARN: arn"},
                         {"Subject", " x"},
                         {"X-SES-Message-Tags", " x\rSesame-Prediction: y"}};
  EXPECT_THAT(planned(fields, all_rules(), "192.0.2.1", {{"x-ses-message-tags", 1}}),
              ElementsAre("ses-field:Subject:2", "duplicate:Subject:3", "own-field:X-SES-Message-Tags:1"));
}

// Signatures ------------------------------------------------------------------------------------------------------

struct Signed {
  std::string domain;
  dkim::Result result = dkim::Result::pass;
  std::vector<std::string> covers = {"from", "subject"};
  bool testing = false;
};

std::vector<dkim::Outcome> outcomes_of(const std::vector<Signed>& signatures) {
  std::vector<dkim::Outcome> outcomes;
  for (const auto& signature : signatures) {
    auto& outcome = outcomes.emplace_back();
    outcome.domain = signature.domain;
    outcome.result = signature.result;
    outcome.signed_fields = signature.covers;
    outcome.testing = signature.testing;
  }
  return outcomes;
}

std::vector<Repair> plan_signed(const std::vector<Signed>& signatures, const RepairRules& rules,
                                const std::vector<Repair>& before = {}) {
  Fields fields = {{"From", " a@news.example.com"}};
  for (std::size_t i = 0; i < signatures.size(); ++i)
    fields.push_back({i % 2 == 0 ? "DKIM-Signature" : "Dkim-Signature ", " " + std::to_string(i)});
  const auto author = mail::find_author(fields);
  const auto outcomes = outcomes_of(signatures);
  return plan_signature_repairs(fields, {outcomes, author, dmarc::PublicSuffixList::system()}, before, rules);
}

// The places of the signatures that are removed.
std::vector<std::size_t> removed(const std::vector<Signed>& signatures) {
  std::vector<std::size_t> places;
  for (const auto& [reason, place] : plan_signed(signatures, signature_rules())) {
    EXPECT_EQ(reason, "upstream-signature");
    places.push_back(place.occurrence);
  }
  return places;
}

TEST(Signatures, ThatSesBreaksAreRemoved) {
  for (const auto* name : {"date", "message-id", "return-path", "bounces-to", "feedback-id", "x-ses-source-arn"})
    EXPECT_THAT(removed({{"example.com", dkim::Result::pass, {"from", name}}}), ElementsAre(1u)) << name;
  EXPECT_THAT(removed({{"example.com"}}), IsEmpty());
  EXPECT_THAT(removed({{"example.com", dkim::Result::fail}}), IsEmpty()) << "it harms nothing";
  EXPECT_THAT(removed({{"", dkim::Result::permerror, {}}}), IsEmpty());
}

TEST(Signatures, OfSeveralTheMostUsefulStays) {
  using enum dkim::Result;
  const Signed exact{"news.example.com"}, parent{"example.com"}, sibling{"mail.example.com"}, foreign{"example.org"};
  const Signed broken{"news.example.com", pass, {"from", "date"}};
  const Signed open{"news.example.com", temperror}, failed{"news.example.com", fail}, limited{"example.org", neutral};
  const Signed testing{"news.example.com", pass, {"from"}, true}, open_foreign{"example.org", temperror};
  // The second of each is worth more.
  const std::pair<Signed, Signed> cases[] = {
      {parent, exact},   {sibling, exact},  {foreign, exact},        {foreign, parent},      {foreign, sibling},
      {open, exact},     {open, sibling},   {testing, exact},        {failed, foreign},      {failed, open},
      {failed, testing}, {foreign, open},   {open_foreign, foreign}, {failed, open_foreign}, {limited, foreign},
      {broken, failed},  {broken, foreign},
  };
  for (const auto& [less, more] : cases) {
    EXPECT_THAT(removed({less, more}), ElementsAre(1u)) << less.domain << " " << more.domain;
    EXPECT_THAT(removed({more, less}), ElementsAre(2u)) << less.domain << " " << more.domain;
    EXPECT_THAT(removed({less, more, less, more}), ElementsAre(1u, 3u, 4u)) << less.domain << " " << more.domain;
  }
  EXPECT_THAT(removed({failed, failed, failed}), ElementsAre(2u, 3u));
  EXPECT_THAT(removed({broken, broken}), ElementsAre(1u, 2u));
}

TEST(Signatures, WithoutAnAuthorOneStillStays) {
  const Fields fields = {{"DKIM-Signature", " a"}, {"DKIM-Signature", " b"}};
  const auto outcomes = outcomes_of({{"example.com", dkim::Result::fail}, {"example.com"}});
  EXPECT_THAT(told(plan_signature_repairs(fields, {outcomes, nobody(), nullptr}, {}, signature_rules())),
              ElementsAre("upstream-signature:DKIM-Signature:1"));
}

TEST(Signatures, IdenticalOnesAreDuplicates) {
  const Fields fields = {
      {"DKIM-Signature", " a"}, {"DKIM-Signature", " a"}, {"DomainKey-Signature", " x"}, {"DomainKey-Signature", " x"}};
  const auto outcomes = outcomes_of({{"example.com"}, {"example.com"}});
  const Signatures signatures{outcomes, nobody(), nullptr};
  EXPECT_THAT(told(plan_signature_repairs(fields, signatures, {}, duplicate_rules())),
              ElementsAre("duplicate:DKIM-Signature:2"));
  EXPECT_THAT(planned(fields, duplicate_rules()), ElementsAre("duplicate:DomainKey-Signature:2"));
}

TEST(Signatures, OfDomainKeysTheFirstStays) {
  const Fields fields = {{"DomainKey-Signature", " x"}, {"Subject", " x"}, {"domainkey-signature", " y"}};
  EXPECT_THAT(told(plan_signature_repairs(fields, {{}, nobody(), nullptr}, {}, signature_rules())),
              ElementsAre("upstream-signature:domainkey-signature:2"));
}

TEST(Signatures, WhatIsRemovedAnywayIsNotChosen) {
  const std::vector<Repair> before = {{"ses-field", {"DKIM-Signature", 1}}};
  EXPECT_THAT(told(plan_signed({{"news.example.com"}, {"example.org"}}, signature_rules(), before)),
              ElementsAre("ses-field:DKIM-Signature:1"));
  EXPECT_THAT(told(plan_signed({{"news.example.com"}, {"example.org"}, {"example.com"}}, signature_rules(), before)),
              ElementsAre("ses-field:DKIM-Signature:1", "upstream-signature:Dkim-Signature:2"));
}

TEST(Mended, IsTheRestInItsOrder) {
  const Fields fields = {
      {"A", "1"}, {"b ", "2"}, {"a", "3"}, {"B", "4"}, {"DKIM-Signature", "5"}, {"dkim-signature", "6"}};
  const std::vector<Repair> repairs = {{"", {"A", 2}}, {"", {"B", 1}}, {"", {"dkim-signature", 1}}};
  std::vector<std::string> values;
  for (const auto& field : mended(fields, repairs)) values.emplace_back(field.value);
  EXPECT_THAT(values, ElementsAre("1", "4", "6"));
  const auto outcomes = mended(outcomes_of({{"one.example"}, {"two.example"}}), repairs);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].domain, "two.example");
}

// What is done ----------------------------------------------------------------------------------------------------

Report outbound(ses::Verdict verdict) {
  Report report;
  report.direction = Direction::outbound;
  report.author = nobody();
  ses::Prediction prediction;
  prediction.verdict = verdict;
  prediction.why = "because";
  prediction.region = "eu-west-1";
  report.prediction = prediction;
  report.repairs = {
      {"duplicate", {"Subject", 2}}, {"own-field", {"Sesame-Prediction", 1}}, {"duplicate", {"subject", 3}}};
  return report;
}

Rules rules_at(Level level) {
  Rules rules;
  rules.authserv_id = "mx.example.net";
  rules.outbound = {level, level};
  return rules;
}

std::vector<std::string> removals(const Decision& decision) {
  std::vector<std::string> result;
  for (const auto& edit : decision.edits)
    if (edit.kind == Edit::Kind::remove) result.push_back(edit.name + ":" + std::to_string(edit.occurrence));
  return result;
}

TEST(Decide, RepairsAreDoneWhateverTheVerdict) {
  for (const auto verdict : {ses::Verdict::pass, ses::Verdict::none, ses::Verdict::unknown, ses::Verdict::fail}) {
    for (const auto level : {Level::observe, Level::tag, Level::hold}) {
      const auto report = outbound(verdict);
      const auto decision = decide(report, rules_at(level));
      EXPECT_THAT(removals(decision), ElementsAre("subject:3", "Subject:2", "Sesame-Prediction:1"));
      EXPECT_EQ(decision.repairs, report.repairs);
    }
  }
}

TEST(Decide, OurOwnTagIsInsertedBehindTheRemovals) {
  const auto decision = decide(outbound(ses::Verdict::fail), rules_at(Level::tag));
  ASSERT_EQ(decision.edits.size(), 4u);
  EXPECT_EQ(decision.edits.back().kind, Edit::Kind::insert);
  EXPECT_EQ(decision.edits.back().name, kPredictionField);
}

TEST(Decide, NothingIsRemovedTwice) {
  auto report = outbound(ses::Verdict::pass);
  report.forged_predictions = {{"sesame-prediction", 2}, {"SUBJECT", 2}, {"Sesame-Prediction", 1}};
  EXPECT_THAT(removals(decide(report, rules_at(Level::tag))),
              ElementsAre("subject:3", "Subject:2", "sesame-prediction:2", "Sesame-Prediction:1"));
}

TEST(Decide, WhatIsRejectedIsNotMended) {
  const auto decision = decide(outbound(ses::Verdict::fail), rules_at(Level::reject));
  EXPECT_EQ(decision.action, Decision::Action::reject);
  EXPECT_THAT(decision.edits, IsEmpty());
  EXPECT_THAT(decision.repairs, IsEmpty());
}

TEST(Forget, WithoutItsRepairsNothingIsSaidOfAMessage) {
  auto report = outbound(ses::Verdict::pass);
  forget_repairs(report);
  EXPECT_THAT(report.repairs, IsEmpty());
  EXPECT_EQ(report.prediction->verdict, ses::Verdict::unknown);
  EXPECT_EQ(report.prediction->region, "eu-west-1");
  EXPECT_THAT(why(report), testing::HasSubstr("repairs"));
  auto whole = outbound(ses::Verdict::pass);
  whole.repairs.clear();
  forget_repairs(whole);
  EXPECT_EQ(whole.prediction->verdict, ses::Verdict::pass) << "nothing was to be mended";
}

}  // namespace
}  // namespace sesame::policy
