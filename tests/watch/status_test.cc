// What `sesame watch --status` and `--once` tell, and how they end.
#include "watch/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chronicle_case.h"

namespace sesame::test {

using ::testing::HasSubstr;
using ::testing::Not;
using watch::Judgement;
using watch::State;
using watch::Status;

namespace {

// Looked at a minute ago.
Status status_with(const std::vector<watch::RecordState>& states) {
  Status status;
  status.states = states;
  status.interval = std::chrono::seconds(kInterval);
  status.now = kStart + kDay;
  status.last_look = status.now - 60;
  return status;
}

watch::RecordState of_amazon(State state) {
  auto record = state_of(state, kStart);
  record.key.part = watch::Part::amazon;
  return record;
}

}  // namespace

TEST(Status, IsBadWithAFaultOfTheUsersRecords) {
  EXPECT_EQ(watch::judge(status_with({state_of(State::healthy, kStart)})), Judgement::fine);
  EXPECT_EQ(watch::judge(status_with({state_of(State::recovering, kStart)})), Judgement::fine);
  EXPECT_EQ(watch::judge(status_with({state_of(State::degraded, kStart)})), Judgement::bad);
  EXPECT_EQ(watch::judge(status_with({state_of(State::missing, kStart)})), Judgement::bad);
  EXPECT_EQ(watch::judge(status_with({of_amazon(State::missing)})), Judgement::fine);
}

TEST(Status, IsUndecidedWhenNobodyLookedLately) {
  auto status = status_with({state_of(State::healthy, kStart)});
  EXPECT_THAT(watch::status_text(status), Not(HasSubstr("too long")));
  status.last_look = status.now - 5 * kInterval;
  EXPECT_EQ(watch::judge(status), Judgement::undecided);
  EXPECT_THAT(flat(watch::status_text(status)), HasSubstr("That is too long: does it run?"));
  EXPECT_EQ(nlohmann::json::parse(watch::status_json(status))["late"], true);
  status.last_look = 0;
  EXPECT_EQ(watch::judge(status), Judgement::undecided);
  EXPECT_THAT(watch::status_text(status), HasSubstr("No watch has looked at anything yet."));
  // A fault is one however old.
  EXPECT_EQ(watch::judge(status_with({state_of(State::missing, 1)})), Judgement::bad);
}

TEST(Status, OfThoseThatAreWellIsACount) {
  auto ill = state_of(State::degraded, kStart);
  ill.reason = "ns2.example.com (192.0.2.53) answered SERVFAIL";
  const auto other = subject_of("example.org");
  auto status = status_with({ill, state_of(State::healthy, kStart, other)});
  status.silences = {{"main", "example.com", "us-east-1", watch::Silence::Kind::silenced, kStart, kStart + 2 * kDay}};
  const auto text = flat(watch::status_text(status));
  EXPECT_THAT(text, HasSubstr("DKIM t1._domainkey.example.com: degraded since 2026-01-01 00:00 UTC: ns2.example.com"));
  EXPECT_THAT(text, HasSubstr("silenced until 2026-01-03 00:00 UTC"));
  EXPECT_THAT(text, HasSubstr("1 of 2 identities healthy"));
  EXPECT_THAT(text, Not(HasSubstr("example.org")));
  status.detail = Status::Detail::all;
  EXPECT_THAT(flat(watch::status_text(status)), HasSubstr("example.org in us-east-1 (account main): healthy"));
}

// At fault at ns2 since the fault began, as SES may come upon it.
watch::RecordState at_fault(State state, const std::string& name = kKeyName) {
  auto record = state_of(state, kStart);
  record.key.name = name;
  record.first_bad = record.last_bad = kStart;
  if (state == State::missing) record.missing_since = kStart;
  record.reason = "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT " + name + " over UDP and TCP";
  record.faults = {{"ns2.example.com (192.0.2.53)", name, dns::Type::txt, "SERVFAIL", "UDP", kStart, kStart, 1}};
  return record;
}

TEST(Status, OfWhatIsOnlyDegradedNothingIsCertain) {
  const auto degraded = status_with({at_fault(State::degraded)});
  const auto text = flat(watch::status_text(degraded));
  EXPECT_THAT(text,
              HasSubstr("SES stops signing: at any moment since 2026-01-01 00:00 UTC, should SES come upon the fault"));
  EXPECT_THAT(text, HasSubstr("SES revokes DKIM: not before 2026-01-06 00:00 UTC, should SES come upon the fault"));
  EXPECT_THAT(text, Not(HasSubstr("at the latest")));
  const auto deadlines = nlohmann::json::parse(watch::status_json(degraded))["identities"][0]["deadlines"];
  ASSERT_EQ(deadlines.size(), 2u);
  for (const auto& deadline : deadlines) EXPECT_FALSE(deadline.contains("latest")) << deadline;
  EXPECT_THAT(flat(watch::seen_text({{look_at(kStart, {{kFirst}}), {at_fault(State::degraded)}}})),
              Not(HasSubstr("at the latest")));
}

TEST(Status, OfWhatIsMissingTellsTheLatest) {
  auto missing = status_with({at_fault(State::missing)});
  const auto look_now = [&] { missing.states.front().last_bad = missing.states.front().checked = missing.now; };
  look_now();
  EXPECT_THAT(
      flat(watch::status_text(missing)),
      HasSubstr("SES stops signing: at any moment since 2026-01-01 00:00 UTC, at the latest 2026-01-04 00:00 UTC"));
  const auto value = nlohmann::json::parse(watch::status_json(missing));
  EXPECT_EQ(value["identities"][0]["deadlines"][1]["latest"], "2026-01-09T00:00:00Z");
  missing.now = kStart + 4 * kDay;
  EXPECT_THAT(flat(watch::status_text(missing)), Not(HasSubstr("is taken to"))) << "nobody has looked since";
  look_now();
  EXPECT_THAT(flat(watch::status_text(missing)),
              HasSubstr("SES stops signing: is taken to have done so by 2026-01-04 00:00 UTC"));
}

TEST(Status, TellsRecordsThatAreAlikeTogether) {
  const auto status = status_with(
      {at_fault(State::degraded, "t1._domainkey.example.com"), at_fault(State::degraded, "t2._domainkey.example.com")});
  EXPECT_THAT(
      flat(watch::status_text(status)),
      HasSubstr("DKIM (2 records: t1._domainkey.example.com, t2._domainkey.example.com): degraded since "
                "2026-01-01 00:00 UTC: ns2.example.com (192.0.2.53) answered SERVFAIL for TXT over UDP and TCP"));
  EXPECT_EQ(nlohmann::json::parse(watch::status_json(status))["identities"][0]["records"].size(), 2u);
}

TEST(Status, OfWhatWasNeverLookedAtIsUnknown) {
  auto zone = state_of(State::healthy, 0);
  zone.key.part = watch::Part::zone;
  auto status = status_with({state_of(State::healthy, kStart), zone});
  status.detail = Status::Detail::all;
  EXPECT_THAT(flat(watch::status_text(status)), HasSubstr("zone t1._domainkey.example.com: not known yet"));
  const auto identity = nlohmann::json::parse(watch::status_json(status))["identities"][0];
  EXPECT_EQ(identity["state"], "healthy");
  EXPECT_EQ(identity["records"][1]["state"], "unknown");
  EXPECT_FALSE(identity["records"][1].contains("since"));
  EXPECT_FALSE(identity["records"][1].contains("checked"));
  // Of whom nothing is known nobody says that he is well.
  const auto dark = status_with({zone});
  EXPECT_EQ(watch::judge(dark), Judgement::undecided);
  EXPECT_EQ(nlohmann::json::parse(watch::status_json(dark))["identities"][0]["state"], "unknown");
  EXPECT_THAT(watch::status_text(dark), HasSubstr("0 of 1 identity healthy"));
}

// A policy may stand further up the tree.
TEST(Status, OfADmarcRecordThatNeverWasIsNoSince) {
  auto dmarc = state_of(State::healthy, 0);
  dmarc.key.part = watch::Part::dmarc;
  dmarc.checked = kStart;
  auto status = status_with({dmarc});
  status.detail = Status::Detail::all;
  EXPECT_THAT(flat(watch::status_text(status)), HasSubstr(": none; there may be a policy further up the tree"));
  const auto record = nlohmann::json::parse(watch::status_json(status))["identities"][0]["records"][0];
  EXPECT_EQ(record["state"], "healthy");
  EXPECT_FALSE(record.contains("since"));
}

// Each answer is told as it was: nothing is said of a transport that was fine.
TEST(Seen, TellsRecordsThatAreAlikeTogether) {
  auto subject = subject_of();
  auto look = look_at(kStart, {{kFirst},
                               {kSecond, watch::Quality::failing, "SERVFAIL"},
                               {kSecond, watch::Quality::failing, "SERVFAIL", dns::Transport::tcp}});
  std::vector<watch::RecordState> states{at_fault(State::degraded)};
  for (const auto* name : {"t2._domainkey.example.com", "t3._domainkey.example.com"}) {
    auto record = look.records[0];
    record.record.name = name;
    for (auto& seen : record.observations) seen.name = name;
    look.records.push_back(record);
    states.push_back(at_fault(State::degraded, name));
  }
  look.records[2].observations.pop_back();
  const auto text = flat(watch::seen_text({{look, states}}));
  EXPECT_THAT(text, HasSubstr("DKIM (3 records: t1._domainkey.example.com, t2._domainkey.example.com, "
                              "t3._domainkey.example.com): degraded since"));
  EXPECT_THAT(text, HasSubstr("ns2.example.com (192.0.2.53): SERVFAIL to TXT t1._domainkey.example.com, TXT "
                              "t2._domainkey.example.com over UDP and TCP (failing)"));
  EXPECT_THAT(text,
              HasSubstr("ns2.example.com (192.0.2.53): SERVFAIL to TXT t3._domainkey.example.com over UDP (failing)"));
  EXPECT_THAT(text, HasSubstr("3 good answers of 1 server"));
}

TEST(Seen, OfWhatWasNeverLookedAtIsUnknown) {
  const auto look = look_at(kStart, {});
  for (const auto& states : {std::vector<watch::RecordState>{}, {state_of(State::healthy, 0)}}) {
    const auto value = nlohmann::json::parse(watch::seen_json({{look, states}}))["looks"][0];
    EXPECT_EQ(value["state"], "unknown");
    EXPECT_EQ(value["records"][0]["state"], "unknown");
  }
}

TEST(Seen, IsUndecidedWhereNothingAnswers) {
  auto dark = look_at(kStart, {{kFirst, watch::Quality::failing, "no answer in 3 s"}});
  dark.nothing_answers = true;
  // What is remembered of before is no answer of now.
  EXPECT_EQ(watch::judge(std::vector<watch::Seen>{{dark, {state_of(State::missing, kStart)}}}), Judgement::undecided);
  EXPECT_THAT(flat(watch::seen_text({{dark, {}}})),
              HasSubstr("nothing answers The resolver of this host, and perhaps every name server, does not answer"));
  const auto bad = look_at(kStart, {{kFirst}, {kSecond, watch::Quality::failing, "SERVFAIL"}});
  const std::vector<watch::Seen> both{{dark, {}}, {bad, {state_of(State::degraded, kStart)}}};
  EXPECT_EQ(watch::judge(both), Judgement::bad);
  const auto text = flat(watch::seen_text(both));
  EXPECT_THAT(text, HasSubstr("ns2.example.com (192.0.2.53): SERVFAIL to TXT t1._domainkey.example.com over UDP"));
  EXPECT_THAT(text, HasSubstr("1 good answer of 1 server"));
  const auto value = nlohmann::json::parse(watch::seen_json(both));
  EXPECT_EQ(value["looks"][1]["records"][0]["answers"].size(), 2u);
}

}  // namespace sesame::test
