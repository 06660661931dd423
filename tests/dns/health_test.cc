// How servers are judged, on a clock of the test's own.
#include "dns/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Preferred, WhoIsOftenOverruledComesAfterTheOthersForAWhile) {
  auto all = servers({1ms, 1ms});
  for (int i = 0; i < 2; ++i) all[0].overruled(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(0, 1));
  all[0].overruled(kStart);
  EXPECT_THAT(preferred(all, kStart), ElementsAre(1, 0));
  auto later = all;
  later[0].answered(kStart + 61s, 1ms);
  later[1].answered(kStart + 61s, 1ms);
  EXPECT_THAT(preferred(later, kStart + 61s), ElementsAre(0, 1));
  all[0].useful();
  EXPECT_THAT(preferred(all, kStart), ElementsAre(0, 1));
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
