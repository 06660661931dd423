#include "util/lru_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace sesame {
namespace {

using Cache = LruCache<std::string, int>;
using Use = Cache::Use;
constexpr std::size_t kEntry = Cache::kEntryOverhead;

TEST(LruCache, FindsWhatWasPut) {
  Cache cache(10 * kEntry);
  cache.put("a", 1, 0, Use::once);
  ASSERT_NE(cache.peek("a"), nullptr);
  EXPECT_EQ(*cache.peek("a"), 1);
  EXPECT_EQ(*cache.use(std::string_view("a")).value, 1);
  EXPECT_EQ(cache.peek("b"), nullptr);
  EXPECT_EQ(cache.use("b").value, nullptr);
  EXPECT_EQ(cache.bytes(), kEntry);
}

TEST(LruCache, ReplacesWithoutCountingTwice) {
  Cache cache(20 * kEntry);
  cache.put("a", 1, 100, Use::once);
  cache.put("a", 2, 50, Use::once);
  EXPECT_EQ(*cache.peek("a"), 2);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), kEntry + 50);
  EXPECT_EQ(cache.evictions(), 0u);
}

TEST(LruCache, TheLeastRecentlyUsedGoesFirst) {
  Cache cache(5 * kEntry);
  for (const auto* key : {"a", "b", "c", "d", "e"}) cache.put(key, 1, 0, Use::none);
  cache.use("a");
  cache.peek("b");
  cache.put("f", 3, 0, Use::none);
  EXPECT_NE(cache.peek("a"), nullptr);
  EXPECT_EQ(cache.peek("b"), nullptr);
  EXPECT_NE(cache.peek("c"), nullptr);
  EXPECT_EQ(cache.evictions(), 1u);
}

TEST(LruCache, TheSecondUseIsRegularUse) {
  Cache cache(10 * kEntry);
  cache.put("fetched", 1, 0, Use::none);
  EXPECT_FALSE(cache.use("fetched").in_use);
  EXPECT_EQ(cache.protected_bytes(), 0u);
  EXPECT_TRUE(cache.use("fetched").in_use);
  EXPECT_EQ(cache.protected_bytes(), kEntry);
  cache.put("asked", 1, 0, Use::once);
  EXPECT_TRUE(cache.use("asked").in_use);
  // Replacing it is no use, and takes nothing away.
  cache.put("fetched", 2, 0, Use::none);
  EXPECT_EQ(cache.protected_bytes(), 2 * kEntry);
  EXPECT_TRUE(cache.use("fetched").in_use);
}

TEST(LruCache, AFloodDrivesOutNothingInRegularUse) {
  Cache cache(100 * kEntry);
  for (int i = 0; i < 80; ++i) {
    cache.put("used" + std::to_string(i), i, 0, Use::once);
    cache.use("used" + std::to_string(i));
  }
  for (int i = 0; i < 10000; ++i) cache.put("flood" + std::to_string(i), i, i % 2 ? 0 : 19 * kEntry, Use::once);
  for (int i = 0; i < 80; ++i) EXPECT_NE(cache.peek("used" + std::to_string(i)), nullptr);
}

TEST(LruCache, WhatIsNoLongerUsedGivesWayToWhatIs) {
  Cache cache(10 * kEntry);
  for (int i = 0; i < 100; ++i) {
    cache.put(std::to_string(i), i, 0, Use::once);
    cache.use(std::to_string(i));
    EXPECT_LE(cache.protected_bytes(), 8 * kEntry);
  }
  EXPECT_EQ(cache.size(), 10u);
  for (int i = 90; i < 100; ++i) EXPECT_NE(cache.peek(std::to_string(i)), nullptr);
}

TEST(LruCache, WhatCannotFitIsNotKeptAndDrivesOutOnlyItsOldSelf) {
  Cache cache(10 * kEntry);
  cache.put("a", 1, 0, Use::once);
  cache.put("b", 2, 0, Use::once);
  cache.put("b", 3, kEntry + 1, Use::once);
  cache.put("c", 4, static_cast<std::size_t>(-1), Use::once);
  EXPECT_NE(cache.peek("a"), nullptr);
  EXPECT_EQ(cache.peek("b"), nullptr);
  EXPECT_EQ(cache.peek("c"), nullptr);
  EXPECT_EQ(cache.evictions(), 0u);
  Cache none(0);
  none.put("a", 1, 0, Use::once);
  EXPECT_EQ(none.size(), 0u);
}

TEST(LruCache, EraseGivesTheBytesBack) {
  Cache cache(10 * kEntry);
  cache.put("a", 1, 7, Use::once);
  cache.use("a");
  EXPECT_TRUE(cache.erase("a"));
  EXPECT_FALSE(cache.erase("a"));
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.protected_bytes(), 0u);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(LruCache, VisitsWhatItWouldForgetFirstFirst) {
  Cache cache(10 * kEntry);
  for (const auto* key : {"a", "b", "c", "d"}) cache.put(key, 1, 0, Use::once);
  cache.use("b");
  cache.use("a");
  std::string order;
  cache.for_each([&](const std::string& key, int, bool in_use) { order += key + (in_use ? "!" : ""); });
  EXPECT_EQ(order, "cdb!a!");
}

// Keys of the same hash, which chance alone brings about.
TEST(LruCache, TellsKeysOfTheSameHashApart) {
  struct Poor {
    std::size_t operator()(std::string_view key) const { return key.size(); }
  };
  LruCache<std::string, int, Poor> cache(10 * kEntry);
  for (int i = 0; i < 10; ++i) cache.put(std::to_string(i), i, 0, decltype(cache)::Use::none);
  EXPECT_TRUE(cache.erase("4"));
  EXPECT_FALSE(cache.erase("4"));
  EXPECT_FALSE(cache.erase("44"));
  cache.put("5", 50, 0, decltype(cache)::Use::none);
  EXPECT_EQ(cache.size(), 9u);
  EXPECT_EQ(cache.peek("4"), nullptr);
  EXPECT_EQ(*cache.peek("5"), 50);
  EXPECT_EQ(*cache.use("9").value, 9);
}

// The same, said slowly: lists of keys, the first used last.
struct Model {
  struct Known {
    int value;
    std::size_t bytes;
    bool used;
  };
  std::size_t max;
  std::map<std::string, Known> known;
  std::list<std::string> probation, regular;
  std::uint64_t evictions = 0;

  static bool has(const std::list<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  }
  std::size_t sum(const std::list<std::string>& keys) const {
    std::size_t total = 0;
    for (const auto& key : keys) total += known.at(key).bytes;
    return total;
  }
  bool erase(const std::string& key) {
    probation.remove(key);
    regular.remove(key);
    return known.erase(key) == 1;
  }
  void trim() {
    while (sum(regular) > max / 5 * 4) {
      probation.push_front(regular.back());
      regular.pop_back();
    }
    while (sum(regular) + sum(probation) > max) {
      ++evictions;
      erase(std::string(probation.back()));
    }
  }
  void put(const std::string& key, int value, std::size_t bytes, bool used) {
    const bool was_regular = has(regular, key);
    used = used || (known.contains(key) && known.at(key).used);
    erase(key);
    if (bytes > max - max / 5 * 4) return;
    known[key] = {value, bytes, used};
    (was_regular ? regular : probation).push_front(key);
    trim();
  }
  void use(const std::string& key) {
    const bool to_regular = std::exchange(known.at(key).used, true);
    probation.remove(key);
    regular.remove(key);
    (to_regular ? regular : probation).push_front(key);
    trim();
  }
};

TEST(LruCache, KeepsItsInvariantsUnderRandomUse) {
  constexpr std::size_t kMax = 40 * kEntry;
  Cache cache(kMax);
  Model model{kMax, {}, {}, {}};
  std::mt19937 random(1);
  for (int now = 0; now < 30000; ++now) {
    const auto key = std::to_string(random() % 60);
    const auto action = random() % 8;
    if (action == 0) {
      ASSERT_EQ(cache.erase(key), model.erase(key));
    } else if (action < 4) {
      const auto found = cache.use(key);
      ASSERT_EQ(found.value != nullptr, model.known.contains(key));
      if (found.value) {
        EXPECT_EQ(*found.value, model.known.at(key).value);
        EXPECT_EQ(found.in_use, model.known.at(key).used);
        model.use(key);
      }
    } else {
      const auto size = random() % (8 * kEntry);
      cache.put(key, now, size, action < 6 ? Use::none : Use::once);
      model.put(key, now, size + kEntry, action >= 6);
    }
    std::list<std::string> order(model.probation.rbegin(), model.probation.rend());
    order.insert(order.end(), model.regular.rbegin(), model.regular.rend());
    std::list<std::string> seen;
    cache.for_each([&](const std::string& each, int value, bool in_use) {
      seen.push_back(each);
      EXPECT_EQ(value, model.known.at(each).value);
      EXPECT_EQ(in_use, Model::has(model.regular, each));
    });
    ASSERT_EQ(seen, order);
    ASSERT_EQ(cache.size(), order.size());
    ASSERT_EQ(cache.protected_bytes(), model.sum(model.regular));
    ASSERT_EQ(cache.bytes(), model.sum(seen));
    ASSERT_LE(cache.bytes(), cache.max_bytes());
    ASSERT_LE(cache.protected_bytes(), cache.protected_max());
    ASSERT_EQ(cache.evictions(), model.evictions);
  }
  EXPECT_GT(model.evictions, 100u);
}

}  // namespace
}  // namespace sesame
