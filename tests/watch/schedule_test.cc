#include "watch/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace sesame::watch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Time = Schedule::Time;
using Haste = Schedule::Candidate::Haste;

const Time kStart = Time(hours(1000));

Turn turn(int number) {
  return {"", fmt::format("d{:05}.example", number), "us-east-1"};
}

std::vector<Schedule::Candidate> candidates(int count, Haste haste, std::size_t questions = 1) {
  std::vector<Schedule::Candidate> all;
  for (int i = 0; i < count; ++i) all.push_back({turn(i), haste, 0, questions});
  return all;
}

// What happens until `end`, where each look is over at once.
struct Turns {
  Schedule& schedule;
  std::size_t questions = 1;
  std::map<Turn, std::vector<Time>> looks = {};
  std::vector<Time> all = {};

  void until(Time end) {
    constexpr int kMost = 2'000'000;
    for (int i = 0; i < kMost; ++i) {
      const auto now = schedule.wake();
      if (now > end) return;
      const auto who = schedule.next(now);
      ASSERT_TRUE(who);
      looks[*who].push_back(now);
      all.push_back(now);
      schedule.done(*who, questions);
    }
    FAIL() << "no end";
  }
  // The most looks that began within this time.
  std::size_t most_within(Duration time) const {
    std::size_t most = 0;
    for (auto first = all.begin(), last = first; last != all.end(); ++last) {
      while (*last - *first >= time) ++first;
      most = std::max(most, static_cast<std::size_t>(last - first) + 1);
    }
    return most;
  }
};

TEST(Schedule, EachHasATurnOncePerIntervalGiveOrTakeATenth) {
  Schedule schedule({minutes(10), 1000});
  schedule.replace(candidates(50, Haste::in_time), kStart);
  Turns run{schedule};
  run.until(kStart + hours(10));
  ASSERT_EQ(run.looks.size(), 50u);
  bool jitter = false;
  for (const auto& [who, times] : run.looks) {
    EXPECT_LT(times.front(), kStart + minutes(10)) << who.identity;
    for (std::size_t i = 1; i < times.size(); ++i) {
      const auto gap = times[i] - times[i - 1];
      EXPECT_GE(gap, minutes(9)) << who.identity;
      EXPECT_LE(gap, minutes(11) + seconds(1)) << who.identity;
      jitter = jitter || gap < minutes(9) + seconds(50) || gap > minutes(10) + seconds(10);
    }
  }
  EXPECT_TRUE(jitter);
}

TEST(Schedule, TheFirstRoundOfTheHealthyIsSpreadOverTheInterval) {
  Schedule schedule({minutes(10), 1e6});
  schedule.replace(candidates(600, Haste::in_time), kStart);
  Turns run{schedule};
  run.until(kStart + minutes(9));
  EXPECT_NEAR(static_cast<double>(run.all.size()), 540, 10);
  EXPECT_LE(run.most_within(seconds(10)), 11u);
}

TEST(Schedule, WhatIsNewOrWasNotWellComesFirstWithinSeconds) {
  Schedule schedule({minutes(10), 1000});
  auto all = candidates(10, Haste::in_time);
  for (const int number : {4, 7, 9}) all[static_cast<std::size_t>(number)].haste = Haste::soon;
  schedule.replace(all, kStart);
  Turns run{schedule};
  run.until(kStart + seconds(5));
  for (const int number : {4, 7, 9}) EXPECT_EQ(run.looks.count(turn(number)), 1u) << number;
}

TEST(Schedule, WhoWasNotLookedAtForLongestGoesFirst) {
  Schedule schedule({minutes(10), 1000});
  auto all = candidates(3, Haste::in_time);
  all[0].checked = 300;
  all[1].checked = 100;
  all[2].checked = 200;
  schedule.replace(all, kStart);
  Turns run{schedule};
  run.until(kStart + minutes(8));
  EXPECT_LT(run.looks[turn(1)].front(), run.looks[turn(2)].front());
  EXPECT_LT(run.looks[turn(2)].front(), run.looks[turn(0)].front());
}

TEST(Schedule, TenThousandNewIdentitiesMakeNoBurstAndNoneStarves) {
  // 40 questions a look, 1,000 a second: 25 looks a second at most, 400 seconds for all.
  Schedule schedule({minutes(5), 1000});
  schedule.replace(candidates(10'000, Haste::soon, 40), kStart);
  Turns run{schedule, 40};
  run.until(kStart + hours(1));
  EXPECT_LE(run.most_within(seconds(1)), 25u);
  EXPECT_LE(run.most_within(seconds(60)), 25u * 60);
  ASSERT_EQ(run.looks.size(), 10'000u);
  std::size_t least = 1000, most = 0;
  for (const auto& [who, times] : run.looks) {
    least = std::min(least, times.size());
    most = std::max(most, times.size());
  }
  EXPECT_GE(least, 8u);  // 9 rounds in an hour
  EXPECT_LE(most, 10u);
}

TEST(Schedule, AnIdleTimeIsNotSavedUpForABurst) {
  Schedule schedule({hours(1), 10});
  schedule.replace({}, kStart);
  schedule.replace(candidates(500, Haste::soon, 10), kStart + hours(5));
  Turns run{schedule, 10};
  run.until(kStart + hours(6));
  EXPECT_LE(run.most_within(seconds(10)), 10u);
}

TEST(Schedule, AGuessOfTheQuestionsIsPutRight) {
  Schedule schedule({hours(1), 10});
  schedule.replace(candidates(3, Haste::soon, 1), kStart);
  const auto first = schedule.next(kStart);
  ASSERT_TRUE(first);
  schedule.done(*first, 100);
  EXPECT_FALSE(schedule.next(kStart + seconds(9)));
  EXPECT_TRUE(schedule.next(kStart + seconds(10)));
}

TEST(Schedule, NobodyIsLookedAtTwiceAtOnce) {
  Schedule schedule({minutes(1), 1000});
  schedule.replace(candidates(1, Haste::soon), kStart);
  const auto who = schedule.next(kStart);
  ASSERT_TRUE(who);
  EXPECT_FALSE(schedule.next(kStart + hours(1)));
  EXPECT_EQ(schedule.wake(), Time::max());
  schedule.done(*who, 1);
  EXPECT_TRUE(schedule.next(kStart + hours(1)));
}

TEST(Schedule, AReloadKeepsTurnsForgetsThoseGoneAndTakesInTheNew) {
  Schedule schedule({minutes(10), 1000});
  schedule.replace(candidates(20, Haste::soon), kStart);
  Turns run{schedule};
  run.until(kStart + minutes(1));
  ASSERT_EQ(run.all.size(), 20u);
  // Every minute, as a snapshot may come: nobody's turn is put off or brought forward by it.
  auto wanted = candidates(22, Haste::soon);
  wanted.erase(wanted.begin());
  for (int minute = 1; minute <= 30; ++minute) {
    schedule.replace(wanted, kStart + minutes(minute));
    run.until(kStart + minutes(minute + 1));
  }
  EXPECT_EQ(schedule.size(), 21u);
  EXPECT_EQ(run.looks[turn(0)].size(), 1u);
  for (int i = 1; i < 20; ++i) {
    const auto& times = run.looks[turn(i)];
    ASSERT_GE(times.size(), 3u) << i;
    EXPECT_LE(times.size(), 4u) << i;
    for (std::size_t j = 1; j < times.size(); ++j) EXPECT_GE(times[j] - times[j - 1], minutes(9)) << i;
  }
  for (const int i : {20, 21}) EXPECT_LT(run.looks[turn(i)].front(), kStart + minutes(1) + seconds(3)) << i;
}

TEST(Schedule, WhoIsForgottenDuringALookDoesNotComeBackByItsEnd) {
  Schedule schedule({minutes(1), 1000});
  schedule.replace(candidates(1, Haste::soon), kStart);
  const auto who = schedule.next(kStart);
  ASSERT_TRUE(who);
  schedule.replace({}, kStart);
  schedule.done(*who, 1);
  EXPECT_EQ(schedule.size(), 0u);
  EXPECT_FALSE(schedule.next(kStart + hours(1)));
}

TEST(Schedule, OneUnderWayDuringAReloadGoesOn) {
  Schedule schedule({minutes(1), 1000});
  schedule.replace(candidates(1, Haste::soon), kStart);
  const auto who = schedule.next(kStart);
  ASSERT_TRUE(who);
  schedule.replace(candidates(1, Haste::soon), kStart);
  EXPECT_FALSE(schedule.next(kStart + hours(1)));
  schedule.done(*who, 1);
  EXPECT_TRUE(schedule.next(kStart + hours(1)));
}

}  // namespace
}  // namespace sesame::watch
