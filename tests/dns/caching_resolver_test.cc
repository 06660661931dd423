#include "dns/caching_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

using Cache = CacheTest;

// Less than what is refreshed ahead: the last second is as good as the first.
TEST_F(Cache, KeepsAnAnswerForItsTtl) {
  upstream.script("a.test", text("x", 9));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  clock.pass(8);
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  clock.pass(1);
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  EXPECT_EQ(resolver.counters().hits, 1u);
  EXPECT_EQ(resolver.counters().misses, 2u);
}

TEST_F(Cache, ReceivedIsTheTimeOfTheQuestionNotOfTheHit) {
  upstream.script("a.test", text("x", 10));
  const auto then = clock.steady_now();
  ask("a.test");
  clock.pass(5);
  EXPECT_EQ(ask("a.test")->received, then);
}

TEST_F(Cache, AbsenceIsKeptForItsOwnTtl) {
  for (const auto status : {Status::nxdomain, Status::nodata}) {
    const std::string name = status == Status::nodata ? "empty.test" : "none.test";
    upstream.script(name, of(status, 9));
    EXPECT_EQ(ask(name)->status, status);
    clock.pass(8);
    EXPECT_EQ(ask(name)->status, status);
  }
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  clock.pass(1);
  ask("empty.test");
  EXPECT_THAT(upstream.asked(), SizeIs(3));
}

TEST_F(Cache, TtlsAreCutToTheirLimits) {
  upstream.script("a.test", text("x", 2'000'000));
  upstream.script("none.test", of(Status::nxdomain, 2'000'000));
  EXPECT_EQ(ask("a.test")->ttl, 86400u);
  EXPECT_EQ(ask("none.test")->ttl, 10800u);
}

struct FlooredCache : Cache {
  FlooredCache() : Cache(CacheOptions{.min_ttl = 60, .max_stale = 0s}) {}
};

TEST_F(FlooredCache, RecordsAreKeptAtLeastForTheFloor) {
  upstream.script("short.test", text("x", 5));
  upstream.script("none.test", text("x", 0));
  upstream.script("long.test", text("x", 61));
  EXPECT_EQ(ask("short.test")->ttl, 60u);
  EXPECT_EQ(ask("none.test")->ttl, 60u);
  EXPECT_EQ(ask("long.test")->ttl, 61u);
  clock.pass(53);
  EXPECT_FALSE(asks("short.test"));
  EXPECT_FALSE(asks("none.test"));
  clock.pass(7);
  EXPECT_TRUE(asks("short.test"));
}

TEST_F(FlooredCache, AnAbsenceIsNotKeptLongerThanItIsTrue) {
  upstream.script("none.test", of(Status::nxdomain, 5));
  EXPECT_EQ(ask("none.test")->ttl, 5u);
  clock.pass(5);
  EXPECT_TRUE(asks("none.test"));
}

TEST_F(Cache, NamesAreAskedInCanonicalForm) {
  upstream.script("a.test", text("x", 10));
  EXPECT_EQ(ask("A.Test.")->name, "a.test");
  EXPECT_EQ(ask("a.test")->status, Status::ok);
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test"));
}

TEST_F(Cache, TypesAreKeptApart) {
  upstream.script("a.test", text("x", 10));
  ask("a.test");
  resolver.lookup("a.test", Type::a, Deadline::max());
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "A a.test"));
}

TEST_F(Cache, NamesThatCannotExistAreNotAsked) {
  for (const auto& name :
       {std::string("a..test"), std::string(".test"), std::string(64, 'a') + ".test", std::string(300, 'a')}) {
    EXPECT_EQ(ask(name)->status, Status::nxdomain);
    resolver.prefetch(name, Type::txt);
  }
  EXPECT_THAT(upstream.asked(), IsEmpty());
}

TEST_F(Cache, ChainsGoOnAcrossPackets) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test", "c.test"}));
  upstream.script("c.test", of(Status::nodata, 20, {"d.test"}));
  upstream.script("d.test", text("x", 50));
  const auto answer = ask("a.test");
  EXPECT_EQ(answer->status, Status::ok);
  EXPECT_EQ(answer->name, "a.test");
  EXPECT_THAT(answer->cnames, ElementsAre("b.test", "c.test", "d.test"));
  EXPECT_THAT(answer->texts, ElementsAre("x"));
  EXPECT_EQ(answer->ttl, 20u);
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "TXT c.test", "TXT d.test"));
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(3));
}

TEST_F(Cache, AChainMayEndInAbsenceOrFailure) {
  int number = 0;
  for (const auto status : {Status::nodata, Status::nxdomain, Status::servfail, Status::timeout}) {
    const auto name = std::to_string(++number) + ".test";
    upstream.script(name, of(Status::nodata, 100, {"end." + name}));
    upstream.script("end." + name, of(status, 30));
    const auto answer = ask(name);
    EXPECT_EQ(answer->status, status);
    EXPECT_THAT(answer->cnames, ElementsAre("end." + name));
  }
}

TEST_F(Cache, AChainIsAuthenticatedOnlyWhereEveryLinkIs) {
  const auto link = [](const char* next, bool authenticated) {
    auto answer = of(Status::nodata, 100, {next});
    answer.authenticated = authenticated;
    return answer;
  };
  auto end = text("x", 100);
  end.authenticated = true;
  upstream.script("end.test", end);
  upstream.script("good.test", link("end.test", true));
  upstream.script("bad.test", link("end.test", false));
  EXPECT_TRUE(ask("end.test")->authenticated);
  EXPECT_TRUE(ask("good.test")->authenticated);
  EXPECT_FALSE(ask("bad.test")->authenticated);
}

TEST_F(Cache, LoopsAcrossPacketsEnd) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test"}));
  upstream.script("b.test", of(Status::nodata, 100, {"a.test"}));
  EXPECT_EQ(ask("a.test")->status, Status::cname_limit);
  upstream.script("c.test", of(Status::nodata, 100, {"d.test"}));
  upstream.script("d.test", of(Status::nodata, 100, {"e.test"}));
  upstream.script("e.test", of(Status::nodata, 100, {"d.test"}));
  EXPECT_EQ(ask("c.test")->status, Status::cname_limit);
  EXPECT_THAT(upstream.asked(), SizeIs(5));
}

TEST_F(Cache, TheLongestChainIsFollowedAndOneMoreIsNot) {
  const auto link = [](int i) { return "l" + std::to_string(i) + ".test"; };
  for (int i = 0; i < 13; ++i) upstream.script(link(i), of(Status::nodata, 100, {link(i + 1)}));
  upstream.script(link(13), text("x", 100));
  EXPECT_EQ(ask(link(1))->status, Status::ok);
  EXPECT_THAT(ask(link(1))->cnames, SizeIs(12));
  EXPECT_EQ(ask(link(0))->status, Status::cname_limit);
  EXPECT_THAT(ask(link(0))->texts, IsEmpty());
  // Also when one packet has it all.
  std::vector<std::string> chain;
  for (int i = 1; i <= 13; ++i) chain.push_back(link(i));
  upstream.script("whole.test", text("x", 100, chain));
  EXPECT_EQ(ask("whole.test")->status, Status::cname_limit);
  EXPECT_THAT(ask("whole.test")->texts, IsEmpty());
}

TEST_F(Cache, IdenticalQuestionsOnTheirWayAreAskedOnce) {
  upstream.script("a.test", text("x", 0));  // not even kept
  upstream.hold();
  std::vector<std::thread> askers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] { answered += ask("a.test")->texts == std::vector<std::string>{"x"}; });
  while (resolver.counters().merged < 7) std::this_thread::yield();
  upstream.release();
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(answered, 8);
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  EXPECT_EQ(resolver.counters().misses, 1u);
  EXPECT_EQ(resolver.counters().entries, 0u);
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(2));
}

TEST_F(Cache, PastTheDeadlineNobodyWaitsButTheAnswerIsKept) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  const auto answer = resolver.lookup("a.test", Type::txt, clock.steady_now());
  EXPECT_EQ(answer->status, Status::timeout);
  EXPECT_EQ(answer->name, "a.test");
  EXPECT_EQ(resolver.lookup("a.test", Type::txt, clock.steady_now() + 20ms)->status, Status::timeout);
  upstream.release();
  EXPECT_THAT(resolver.lookup("a.test", Type::txt, clock.steady_now())->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
}

TEST_F(Cache, WhatIsKnownNeedsNoTime) {
  upstream.script("a.test", text("x", 300));
  ask("a.test");
  EXPECT_EQ(resolver.lookup("a.test", Type::txt, clock.steady_now() - 1h)->status, Status::ok);
}

TEST_F(Cache, PrefetchStartsTheQuestion) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  resolver.prefetch("A.test", Type::txt);
  resolver.prefetch("a.test", Type::txt);
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  upstream.release();
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  EXPECT_EQ(resolver.counters().hits, 1u);
  EXPECT_EQ(resolver.counters().merged, 0u);
}

TEST_F(Cache, QuestionsOnTheirWayEndWithTheResolver) {
  upstream.hold();
  resolver.prefetch("a.test", Type::txt);
  resolver.lookup("b.test", Type::txt, clock.steady_now());
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  // The fixture ends the resolver; the sanitizers watch.
}

TEST_F(Cache, EveryLookUpIsCountedOnceAndItsWaitToo) {
  upstream.script("a.test", text("x", 300));
  ask("a.test");
  ask("a.test");
  ask("dead.test");
  ask("dead.test");
  resolver.prefetch("a.test", Type::txt);
  const auto counters = resolver.counters();
  EXPECT_EQ(counters.misses, 2u);
  EXPECT_EQ(counters.hits, 1u);
  EXPECT_EQ(counters.failures_held, 1u);
  EXPECT_EQ(counters.merged, 0u);
  EXPECT_EQ(std::accumulate(counters.waits.counts.begin(), counters.waits.counts.end(), std::uint64_t{0}), 2u);
}

// What the threads of a busy daemon do all at once, for the sanitizers.
TEST_F(Cache, ManyThreadsShareIt) {
  constexpr int kThreads = 6, kLookups = 2000;
  const auto name = [](int i) { return std::to_string(i % 50) + ".test"; };
  for (int i = 0; i < 50; i += 2) upstream.script(name(i), text("x", 1 + static_cast<std::uint32_t>(i)));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  std::atomic<bool> over = false;
  // Now the servers answer at once, now on a thread of their own.
  std::thread server([&] {
    while (!over) {
      upstream.hold();
      std::this_thread::yield();
      upstream.release();
    }
  });
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kLookups; ++i) {
        const auto number = (i * 7 + thread * 13) % 50;
        const auto answer = ask(name(number));
        wrong += (answer->status == Status::ok) != (number % 2 == 0);
        if (i % 10 == 0) resolver.prefetch(name(i), Type::txt);
        if (i % 50 == 0) clock.pass(1);
        if (i % 200 == 0) {
          upstream.recover();
          resolver.restore(resolver.entries());
        }
      }
    });
  for (auto& thread : threads) thread.join();
  over = true;
  server.join();
  EXPECT_EQ(wrong, 0);
  const auto counters = resolver.counters();
  EXPECT_GE(counters.hits + counters.misses + counters.merged + counters.failures_held,
            static_cast<std::uint64_t>(kThreads * kLookups));
}

struct SmallCache : Cache {
  SmallCache() : Cache(CacheOptions{.max_bytes = 8192}) {}
};

TEST_F(SmallCache, StaysWithinItsBytes) {
  for (int i = 0; i < 200; ++i) {
    const auto name = "n" + std::to_string(i) + ".test";
    upstream.script(name, text(std::string(100, 'x'), 300));
    ask(name);
    ASSERT_LE(resolver.counters().bytes, 8192u);
  }
  const auto counters = resolver.counters();
  EXPECT_GT(counters.entries, 3u);
  EXPECT_EQ(counters.evictions + counters.entries, 200u);
  // The latest is there, the first is not.
  EXPECT_FALSE(asks("n199.test"));
  EXPECT_TRUE(asks("n0.test"));
}

TEST_F(SmallCache, AnAnswerTooBigToKeepIsStillGiven) {
  upstream.script("big.test", text(std::string(20000, 'x'), 300));
  EXPECT_EQ(ask("big.test")->texts.at(0).size(), 20000u);
  EXPECT_EQ(resolver.counters().entries, 0u);
}

TEST_F(SmallCache, AFloodOfNamesAskedOnceDrivesOutNoneInRegularUse) {
  upstream.script("ours.test", text("x", 3000));
  ask("ours.test");
  ask("ours.test");
  for (int i = 0; i < 500; ++i) {
    const auto name = "spam" + std::to_string(i) + ".test";
    // As a message does it: fetched ahead, then asked for once. Some of them fail.
    if (i % 5) upstream.script(name, text(std::string(100, 'x'), 3000));
    resolver.prefetch(name, Type::txt);
    ask(name);
  }
  EXPECT_GT(resolver.counters().evictions, 400u);
  EXPECT_FALSE(asks("ours.test"));
}

TEST_F(SmallCache, AFloodOfPrefetchesAskedOnceEachIsNoRegularUse) {
  upstream.script("spam.test", text("x", 3000));
  resolver.prefetch("spam.test", Type::txt);
  ask("spam.test");
  ASSERT_EQ(resolver.entries().size(), 1u);
  EXPECT_FALSE(resolver.entries().at(0).in_use);
  ask("spam.test");
  EXPECT_TRUE(resolver.entries().at(0).in_use);
}

}  // namespace
}  // namespace sesame::dns
