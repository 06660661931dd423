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

TEST(Seen, IsUndecidedWhereNothingAnswers) {
  auto dark = look_at(kStart, {{kFirst, watch::Quality::failing, "no answer in 3 s"}});
  dark.nothing_answers = true;
  // What is remembered of before is no answer of now.
  EXPECT_EQ(watch::judge(std::vector<watch::Seen>{{dark, {state_of(State::missing, kStart)}}}), Judgement::undecided);
  EXPECT_THAT(watch::seen_text({{dark, {}}}), HasSubstr("nothing answers"));
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
