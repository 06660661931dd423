// What a large cache keeps in shards is one cache to everybody outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::SizeIs;
using namespace std::chrono_literals;

std::string name_of(int number) {
  return "n" + std::to_string(number) + ".test";
}

struct Shards : CacheTest {
  void know(int count, std::size_t size = 10) {
    for (int i = 0; i < count; ++i) {
      upstream.script(name_of(i), text(std::string(size, 'x'), 3000));
      clock.pass(1ms);
      ask(name_of(i));
    }
  }
};

std::vector<std::string> names(const std::vector<KeptAnswer>& entries) {
  std::vector<std::string> names;
  for (const auto& each : entries) names.push_back(each.answer->name);
  return names;
}

TEST_F(Shards, CountTogether) {
  know(100);
  for (int i = 0; i < 100; ++i) ask(name_of(i));
  for (int i = 100; i < 130; ++i) ask(name_of(i));
  for (int i = 100; i < 130; ++i) ask(name_of(i));
  const auto counters = resolver.counters();
  EXPECT_EQ(counters.hits, 100u);
  EXPECT_EQ(counters.misses, 130u);
  EXPECT_EQ(counters.failures_held, 30u);
  EXPECT_EQ(counters.entries, 130u);
  EXPECT_GT(counters.bytes, 130u * 10u);
  EXPECT_THAT(resolver.entries(), SizeIs(100));
}

TEST_F(Shards, TellWhatTheyKeepInTheOrderOfItsValue) {
  know(60);
  std::vector<std::string> wanted;
  for (int i = 0; i < 60; ++i)
    if (i % 3) wanted.push_back(name_of(i));
  // In regular use from now on, the last ones first.
  for (int i = 57; i >= 0; i -= 3) {
    clock.pass(1ms);
    ask(name_of(i));
    wanted.push_back(name_of(i));
  }
  const auto entries = resolver.entries();
  EXPECT_EQ(names(entries), wanted);
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i].in_use, i >= 40);
}

// Where the time goes on, as it does outside of tests.
TEST_F(Shards, HandOverTheirOrderMoreThanOnce) {
  know(60);
  CachingResolver second(std::make_unique<ScriptedUpstream>(), {}, system_clock());
  CachingResolver third(std::make_unique<ScriptedUpstream>(), {}, system_clock());
  auto entries = resolver.entries();
  const auto wanted = names(entries);
  for (auto& each : entries) {
    auto copy = *each.answer;
    copy.received = system_clock().steady_now();
    each.answer = std::make_shared<const Answer>(copy);
  }
  EXPECT_EQ(second.restore(entries), 60u);
  EXPECT_EQ(third.restore(second.entries()), 60u);
  EXPECT_EQ(names(third.entries()), wanted);
}

TEST_F(Shards, KeepEveryAnswerOfUsualSize) {
  know(20, 500'000);
  EXPECT_EQ(resolver.counters().entries, 20u);
}

TEST(ShardsOfAnySize, StayTogetherWithinTheirBytes) {
  for (const std::size_t size : {1u << 12, (4u << 20) - 1, 4u << 20, 9u << 20, 64u << 20}) {
    ManualClock clock;
    auto* const upstream = new ScriptedUpstream;
    CachingResolver resolver(std::unique_ptr<Upstream>(upstream), CacheOptions{.max_bytes = size}, clock);
    const auto each = size / 200;
    for (int i = 0; i < 400; ++i) {
      upstream->script(name_of(i), text(std::string(each, 'x'), 3000));
      resolver.lookup(name_of(i), Type::txt, Deadline::max());
      ASSERT_LE(resolver.counters().bytes, size);
    }
    const auto counters = resolver.counters();
    EXPECT_EQ(counters.entries + counters.evictions, 400u) << size;
    EXPECT_GT(counters.bytes, size / 2) << size;
  }
}

// The cache is asked by the text as it is before anybody looks at its letters.
TEST_F(Shards, FindNamesHoweverTheyAreWritten) {
  upstream.script("a.test", text("x", 100));
  for (const auto* name : {"A.test", "a.test.", "a.test", "A.TEST."}) {
    resolver.prefetch(name, Type::txt);
    EXPECT_EQ(ask(name)->name, "a.test");
  }
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  EXPECT_EQ(resolver.counters().hits, 4u);
  clock.pass(95);
  EXPECT_TRUE(asks("A.test"));  // ahead of its end, which counts as a hit
  EXPECT_FALSE(asks("a.test"));
  EXPECT_EQ(resolver.counters().hits, 6u);
  EXPECT_EQ(resolver.counters().refreshes, 1u);
}

}  // namespace
}  // namespace sesame::dns
