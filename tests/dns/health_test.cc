// How servers are judged, on a clock of the test's own.
#include "dns/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;
using State = Health::State;

const Instant kStart{};

// Probes sent in this time, when it is looked every 10 ms.
int probes(Health& health, Instant from, Instant until) {
  int count = 0;
  for (auto now = from; now < until; now += 10ms) count += health.probe_due(now);
  return count;
}

TEST(Health, AQuestionAloneMakesNoServerSilent) {
  Health health(2s);
  health.sent(kStart);
  EXPECT_EQ(probes(health, kStart, kStart + 2s), 0);
  EXPECT_EQ(health.state(), State::good);
  EXPECT_EQ(health.next_event(), kStart + 2s);
  EXPECT_TRUE(health.probe_due(kStart + 2s));
  EXPECT_EQ(health.state(), State::suspect);
}

TEST(Health, WhoAnswersProbesIsGoodHoweverManyQuestionsStayWithoutAnAnswer) {
  Health health(2s);
  int asked = 0;
  for (auto now = kStart; now < kStart + 600s; now += 10ms) {
    health.sent(now);
    if (!health.probe_due(now)) continue;
    ++asked;
    health.answered(now + 1ms, 1ms);
    ASSERT_EQ(health.state(), State::good);
  }
  // Nor does it cost more than a probe in each timeout.
  EXPECT_GT(asked, 250);
  EXPECT_LE(asked, 300);
}

TEST(Health, AnyAnswerAfterTheQuestionKeepsTheServerGood) {
  Health health(2s);
  for (auto now = kStart; now < kStart + 60s; now += 1s) {
    health.sent(now);
    health.answered(now + 1ms, 1ms);
    health.sent(now + 2ms);  // never answered
    EXPECT_EQ(probes(health, now + 2ms, now + 1s), 0);
  }
}

TEST(Health, TwoProbesWithoutAnAnswerMakeItSilentAndThenItIsProbedEverySecond) {
  Health health(2s);
  health.sent(kStart);
  EXPECT_EQ(probes(health, kStart, kStart + 4s), 2);
  EXPECT_EQ(health.state(), State::suspect);
  EXPECT_TRUE(health.probe_due(kStart + 4s));
  EXPECT_EQ(health.state(), State::silent);
  EXPECT_TRUE(health.is_down());
  EXPECT_EQ(probes(health, kStart + 4s + 1ms, kStart + 3604s), 3600 - 1);
  health.answered(kStart + 3604s, 1ms);
  EXPECT_EQ(health.state(), State::good);
  EXPECT_FALSE(health.is_down());
  EXPECT_FALSE(health.next_event());
}

TEST(Health, ALateAnswerIsALifeSign) {
  Health health(2s);
  health.sent(kStart);
  EXPECT_EQ(probes(health, kStart, kStart + 3s), 1);
  health.answered(kStart + 3s, 3s);
  EXPECT_EQ(health.state(), State::good);
  EXPECT_EQ(probes(health, kStart + 3s, kStart + 100s), 0);
}

TEST(Health, WhereNobodyIsThereTheProbesBeginAtOnceAndHaveTheirTimeEvenSo) {
  Health health(2s);
  health.sent(kStart);
  health.unreachable(kStart + 1ms);
  EXPECT_TRUE(health.is_down());
  EXPECT_TRUE(health.probe_due(kStart + 1ms));
  health.unreachable(kStart + 2ms);
  EXPECT_EQ(probes(health, kStart + 2ms, kStart + 2s), 1);
  EXPECT_EQ(health.state(), State::suspect);
  EXPECT_TRUE(health.probe_due(kStart + 2s + 10ms));
  EXPECT_EQ(health.state(), State::silent);
}

TEST(Health, AShortTimeoutLeavesProbesTheirTime) {
  Health health(50ms);
  health.sent(kStart);
  EXPECT_EQ(probes(health, kStart, kStart + 1s), 2);
  EXPECT_EQ(health.state(), State::suspect);
  probes(health, kStart + 1s, kStart + 1100ms);
  EXPECT_EQ(health.state(), State::silent);
}

TEST(Health, PatienceIsTheUsualTimeAndItsVariation) {
  Health health(2s);
  EXPECT_EQ(health.patience(), 500ms);
  health.answered(kStart, 200ms);
  EXPECT_EQ(health.patience(), 600ms);  // 200 + 4 * 100
  for (int i = 0; i < 100; ++i) health.answered(kStart, 200ms);
  EXPECT_LT(health.patience(), 210ms);
  EXPECT_GE(health.patience(), 200ms);
  for (int i = 0; i < 100; ++i) health.answered(kStart, 1ms);
  EXPECT_EQ(health.patience(), 100ms);
  for (int i = 0; i < 100; ++i) health.answered(kStart, 60s);
  EXPECT_EQ(health.patience(), 2s);
  EXPECT_EQ(Health(50ms).patience(), 50ms);
}

std::vector<Health> servers(const std::vector<std::chrono::milliseconds>& speeds) {
  std::vector<Health> all;
  for (const auto speed : speeds) {
    all.emplace_back(2s);
    all.back().sent(kStart);
    all.back().answered(kStart, speed);
  }
  return all;
}

TEST(Preferred, ServersComeInTheOrderGivenUnlessFarSlower) {
  EXPECT_THAT(preferred(servers({5ms, 1ms, 3ms}), kStart), ElementsAre(0, 1, 2));
  EXPECT_THAT(preferred(servers({40ms, 20ms}), kStart), ElementsAre(0, 1));
  EXPECT_THAT(preferred(servers({300ms, 200ms, 20ms}), kStart), ElementsAre(2, 1, 0));
}

TEST(Preferred, SilentServersAreNotAsked) {
  auto all = servers({1ms, 1ms});
  all[0].sent(kStart);
  probes(all[0], kStart, kStart + 5s);
  EXPECT_THAT(preferred(all, kStart + 5s), ElementsAre(1));
  all[1].sent(kStart);
  probes(all[1], kStart, kStart + 5s);
  EXPECT_THAT(preferred(all, kStart + 5s), IsEmpty());
  all[0].answered(kStart + 6s, 1ms);
  EXPECT_THAT(preferred(all, kStart + 6s), ElementsAre(0));
}

TEST(Preferred, WhoLagsOrIsSuspectComesAfterTheOthers) {
  auto all = servers({1ms, 1ms});
  all[0].sent(kStart);
  EXPECT_THAT(preferred(all, kStart + 99ms), ElementsAre(0, 1));
  EXPECT_THAT(preferred(all, kStart + 101ms), ElementsAre(1, 0));
  all[0].answered(kStart + 200ms, 1ms);
  EXPECT_THAT(preferred(all, kStart + 201ms), ElementsAre(0, 1));
  all[0].unreachable(kStart + 300ms);
  EXPECT_THAT(preferred(all, kStart + 300ms), ElementsAre(1, 0));
}

TEST(Preferred, WhoTurnsUsAwayComesAfterTheOthersForAWhile) {
  auto all = servers({1ms, 1ms});
  for (int i = 0; i < 2; ++i) all[0].turned_away(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(0, 1));
  all[0].turned_away(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(1, 0));
  auto later = all;
  later[0].answered(kStart + 61s, 1ms);
  later[1].answered(kStart + 61s, 1ms);
  EXPECT_THAT(preferred(later, kStart + 61s), ElementsAre(0, 1));
  all[0].useful(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(0, 1));
}

TEST(Preferred, WhoWasOfUseLatelyKeepsItsPlace) {
  auto all = servers({1ms, 1ms});
  all[0].useful(kStart);
  const auto turn_away = [&](Instant now) {
    for (auto& each : all) each.answered(now, 1ms);
    for (int i = 0; i < 3; ++i) all[0].turned_away(now);
  };
  turn_away(kStart + 60s);
  EXPECT_THAT(preferred(all, kStart + 60s), ElementsAre(0, 1));
  turn_away(kStart + 61s);
  EXPECT_THAT(preferred(all, kStart + 61s), ElementsAre(1, 0));
}

// Servers of this kind, in order: v validates, p does not; V and P are silent, X validates and nobody is there, S
// validates and turns us away.
std::vector<Health> kinds(std::string_view which) {
  std::vector<Health> all;
  for (const char kind : which) {
    auto& server = all.emplace_back(2s);
    server.sent(kStart);
    server.answered(kStart, 1ms);
    if (kind != 'p' && kind != 'P') server.validated();
    if (kind == 'X') server.unreachable(kStart);
    for (int i = 0; kind == 'S' && i < 3; ++i) server.turned_away(kStart);
    if (kind != 'V' && kind != 'P') continue;
    server.sent(kStart - 10s);
    probes(server, kStart - 10s, kStart);
  }
  return all;
}

TEST(Preferred, WhileOneThatValidatesServesNoOtherIsAsked) {
  const std::pair<std::string_view, std::vector<std::size_t>> cases[] = {
      {"pp", {0, 1}}, {"vp", {0}}, {"pv", {1}},    {"vv", {0, 1}}, {"pvpv", {1, 3}}, {"Vp", {1}},
      {"VP", {}},     {"vP", {0}}, {"Xp", {1, 0}}, {"Sp", {1, 0}}, {"Svp", {1, 0}},  {"XVp", {2, 0}},
  };
  for (const auto& [which, order] : cases) EXPECT_EQ(preferred(kinds(which), kStart), order) << which;
}

TEST(Preferred, NoSlownessAndNoSpeedPutsAServerBeforeOneThatValidates) {
  auto all = servers({2s, 1ms});
  all.emplace_back(2s);  // unknown
  all[0].validated();
  all[0].sent(kStart);
  EXPECT_THAT(preferred(all, kStart + 3s), ElementsAre(0));
  probes(all[0], kStart + 3s, kStart + 4s);
  EXPECT_EQ(all[0].state(), State::suspect);
  EXPECT_THAT(preferred(all, kStart + 4s), ElementsAre(0));
}

TEST(MayOverrule, TheServfailOfAServerThatValidatesOnlyByOneThatDoesToo) {
  struct {
    std::string_view which;
    std::size_t server;
    std::set<std::size_t> servfails;
    bool want;
  } const cases[] = {
      {"vp", 1, {}, true},   {"vp", 1, {0}, false}, {"vp", 0, {1}, true},  {"vp", 0, {0, 1}, true},
      {"pp", 1, {0}, true},  {"vv", 1, {0}, true},  {"ppv", 1, {0}, true}, {"ppv", 1, {0, 2}, false},
      {"pvv", 2, {1}, true}, {"Vp", 1, {0}, false}, {"Sp", 1, {0}, false},
  };
  for (const auto& each : cases)
    EXPECT_EQ(may_overrule(kinds(each.which), each.server, each.servfails), each.want) << each.which << each.server;
}

TEST(Health, WhetherAServerValidatesIsAskedOnceAMinuteUntilItIsKnown) {
  Health health(2s);
  EXPECT_TRUE(health.check_due(kStart));
  EXPECT_FALSE(health.check_due(kStart + 59s));
  EXPECT_TRUE(health.check_due(kStart + 60s));
  health.validated();
  EXPECT_FALSE(health.check_due(kStart + 600s));
}

TEST(Preferred, ASpeedThatIsNotKnownIsMeasuredOnceInAWhile) {
  auto all = servers({1ms, 1ms});
  all.emplace_back(2s);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(2, 0, 1));
  all[2].sent(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(0, 1, 2));
  // Forgotten after a minute.
  all[2].answered(kStart + 1ms, 1000ms);
  all[0].answered(kStart + 59s, 1ms);
  all[1].answered(kStart + 59s, 1ms);
  EXPECT_THAT(preferred(all, kStart + 60s), ElementsAre(0, 1, 2));
  EXPECT_THAT(preferred(all, kStart + 61s), ElementsAre(2, 0, 1));
}

TEST(HedgeBudget, ATenthOfTheQuestionsAndAFewAtOnce) {
  HedgeBudget budget;
  int taken = 0;
  while (budget.take()) ASSERT_LE(++taken, 5);
  EXPECT_EQ(taken, 5);
  for (int i = 0; i < 1000; ++i) {
    budget.question();
    taken += budget.take();
  }
  EXPECT_EQ(taken, 105);
  for (int i = 0; i < 1000; ++i) budget.question();
  int at_once = 0;
  while (budget.take()) ASSERT_LE(++at_once, 5);
  EXPECT_EQ(at_once, 5);
}

}  // namespace
}  // namespace sesame::dns
