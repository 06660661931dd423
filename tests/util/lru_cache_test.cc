#include "util/lru_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace sesame {
namespace {

using Cache = LruCache<std::string, int>;
constexpr std::size_t kEntry = Cache::kEntryOverhead;

TEST(LruCache, FindsWhatWasPut) {
  Cache cache(10 * kEntry);
  cache.put("a", 1, 0);
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_EQ(cache.bytes(), kEntry);
}

TEST(LruCache, ReplacesWithoutCountingTwice) {
  Cache cache(10 * kEntry);
  cache.put("a", 1, 100);
  cache.put("a", 2, 50);
  EXPECT_EQ(*cache.find("a"), 2);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), kEntry + 50);
  EXPECT_EQ(cache.evictions(), 0u);
}

TEST(LruCache, TheLeastRecentlyUsedGoesFirst) {
  Cache cache(2 * kEntry);
  cache.put("a", 1, 0);
  cache.put("b", 2, 0);
  cache.find("a");
  cache.put("c", 3, 0);
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
  EXPECT_EQ(cache.evictions(), 1u);
}

TEST(LruCache, ABigEntryDrivesOutSeveral) {
  Cache cache(3 * kEntry);
  for (const auto* key : {"a", "b", "c"}) cache.put(key, 0, 0);
  cache.put("big", 1, kEntry);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_NE(cache.find("c"), nullptr);
  EXPECT_EQ(cache.evictions(), 2u);
}

TEST(LruCache, WhatCannotFitIsNotKeptAndDrivesOutOnlyItsOldSelf) {
  Cache cache(2 * kEntry);
  cache.put("a", 1, 0);
  cache.put("b", 2, 0);
  cache.put("b", 3, kEntry + 1);
  cache.put("c", 4, static_cast<std::size_t>(-1));
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_EQ(cache.find("c"), nullptr);
  EXPECT_EQ(cache.evictions(), 0u);
  Cache none(0);
  none.put("a", 1, 0);
  EXPECT_EQ(none.size(), 0u);
}

TEST(LruCache, EraseGivesTheBytesBack) {
  Cache cache(2 * kEntry);
  cache.put("a", 1, 7);
  EXPECT_TRUE(cache.erase("a"));
  EXPECT_FALSE(cache.erase("a"));
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.size(), 0u);
}

// Against a model that does the same slowly: every key with its size and the time of its last use.
TEST(LruCache, KeepsItsInvariantsUnderRandomUse) {
  struct Known {
    int value;
    std::size_t bytes;
    int used;
  };
  constexpr std::size_t kMax = 20 * kEntry;
  Cache cache(kMax);
  std::map<std::string, Known> model;
  std::uint64_t evictions = 0;
  std::mt19937 random(1);
  for (int now = 0; now < 20000; ++now) {
    const auto key = std::to_string(random() % 40);
    const auto action = random() % 4;
    if (action == 0) {
      EXPECT_EQ(cache.erase(key), model.erase(key) == 1);
    } else if (action == 1) {
      const auto* found = cache.find(key);
      const auto known = model.find(key);
      ASSERT_EQ(found != nullptr, known != model.end());
      if (found) {
        EXPECT_EQ(*found, known->second.value);
        known->second.used = now;
      }
    } else {
      const auto size = random() % (4 * kEntry);
      cache.put(key, now, size);
      model.erase(key);
      const auto sum = [&] {
        std::size_t total = 0;
        for (const auto& entry : model) total += entry.second.bytes;
        return total;
      };
      while (sum() + size + kEntry > kMax) {
        auto oldest = model.begin();
        for (auto it = model.begin(); it != model.end(); ++it)
          if (it->second.used < oldest->second.used) oldest = it;
        model.erase(oldest);
        ++evictions;
      }
      model[key] = {now, size + kEntry, now};
    }
    std::size_t total = 0;
    for (const auto& entry : model) total += entry.second.bytes;
    ASSERT_EQ(cache.bytes(), total);
    ASSERT_LE(cache.bytes(), cache.max_bytes());
    ASSERT_EQ(cache.size(), model.size());
    ASSERT_EQ(cache.evictions(), evictions);
  }
  EXPECT_GT(evictions, 100u);
}

}  // namespace
}  // namespace sesame
