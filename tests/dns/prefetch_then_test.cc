// What an answer makes possible: to ask for the names in it, before anybody waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "dns/cache_fixture.h"
#include "dns/meter.h"
#include "support/fake_resolver.h"
#include "support/stale_resolver.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct PrefetchThen : CacheTest {
  using CacheTest::CacheTest;

  // Notes what it is told.
  Resolver::Then note() {
    return [this](Resolver&, const Answer& answer) {
      told.push_back(answer.name + " " + to_string(answer.status));
      for (const auto& each : answer.texts) told.back() += " " + each;
    };
  }
  void prefetch(std::string_view name) { resolver.prefetch_then(name, Type::txt, note()); }

  std::vector<std::string> told;
};

TEST_F(PrefetchThen, IsToldAtOnceWhatIsKnown) {
  upstream.script("a.test", text("x", 300));
  upstream.script("none.test", of(Status::nxdomain, 300));
  for (const auto* name : {"a.test", "none.test"}) ask(name);
  upstream.hold();
  for (const auto* name : {"A.test.", "none.test"}) prefetch(name);
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x", "none.test NXDOMAIN"));
  EXPECT_THAT(upstream.asked(), SizeIs(2));
}

TEST_F(PrefetchThen, IsToldWhenTheAnswerComes) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  prefetch("a.test");
  EXPECT_THAT(told, IsEmpty());
  upstream.release();
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x"));
}

TEST_F(PrefetchThen, EverybodyIsToldWhoJoinsAQuestionOnItsWay) {
  upstream.script("a.test", text("x", 0));  // not even kept
  upstream.hold();
  resolver.prefetch("a.test", Type::txt);
  prefetch("a.test");
  resolver.lookup("a.test", Type::txt, clock.steady_now());
  prefetch("a.test");
  upstream.release();
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x", "a.test NOERROR x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
}

// The thread that brings answers is not for one sender alone.
TEST_F(PrefetchThen, ACrowdIsNotToldToTheLast) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  for (int i = 0; i < 1000; ++i) prefetch("a.test");
  upstream.release();
  EXPECT_THAT(told, SizeIs(64));
  prefetch("a.test");
  EXPECT_THAT(told, SizeIs(65));
}

TEST_F(PrefetchThen, AChainIsToldOnceAtItsEnd) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test"}));
  upstream.script("b.test", text("x", 100));
  upstream.hold();
  prefetch("a.test");
  upstream.release();
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x"));
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "TXT b.test"));
}

TEST_F(PrefetchThen, FailuresAreNotTold) {
  upstream.script("bad.test", of(Status::servfail, 0));
  for (const auto* name : {"bad.test", "dead.test", "bad.test", "a..test"}) prefetch(name);
  EXPECT_THAT(told, IsEmpty());
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT bad.test", "TXT dead.test"));
}

// Whoever waits for the second name then waits from the same moment on as for the first.
TEST_F(PrefetchThen, WhatIsPastItsTimeIsToldOnceWhileANewerOneIsOnItsWay) {
  upstream.script("a.test", text("old", 5));
  ask("a.test");
  clock.pass(5);
  upstream.script("a.test", text("new", 5));
  upstream.hold();
  prefetch("a.test");
  EXPECT_THAT(told, ElementsAre("a.test NOERROR old"));
  upstream.release();
  EXPECT_THAT(told, SizeIs(1));
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  clock.pass(5);
  upstream.forget("a.test");
  prefetch("a.test");
  prefetch("a.test");
  EXPECT_THAT(told, ElementsAre("a.test NOERROR old", "a.test NOERROR new", "a.test NOERROR new"));
  EXPECT_EQ(resolver.counters().stale, 0u);
}

TEST_F(PrefetchThen, IsNoUse) {
  upstream.script("a.test", text("x", 300));
  for (int i = 0; i < 3; ++i) prefetch("a.test");
  ask("a.test");
  EXPECT_FALSE(resolver.entries().at(0).in_use);
  EXPECT_EQ(resolver.counters().hits, 1u);
  EXPECT_EQ(resolver.counters().misses, 1u);
}

TEST_F(PrefetchThen, MayAskForMoreAlsoForTheSameName) {
  upstream.script("a.test", text("b.test", 300));
  upstream.script("b.test", text("c.test", 300));
  upstream.script("c.test", text("a.test", 300));
  int calls = 0;
  std::function<void(Resolver&, const Answer&)> follow = [&](Resolver& behind, const Answer& answer) {
    behind.prefetch(answer.name, answer.type);
    if (++calls < 5) behind.prefetch_then(answer.texts.at(0), answer.type, follow);
  };
  upstream.hold();
  resolver.prefetch_then("a.test", Type::txt, follow);
  upstream.release();
  EXPECT_EQ(calls, 5);
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "TXT b.test", "TXT c.test"));
  EXPECT_EQ(resolver.lookup("c.test", Type::txt, clock.steady_now())->status, Status::ok);
}

TEST_F(PrefetchThen, WhatItThrowsEndsThere) {
  upstream.script("a.test", text("x", 300));
  const auto fail = [](Resolver&, const Answer&) { throw std::runtime_error("no"); };
  upstream.hold();
  resolver.prefetch_then("a.test", Type::txt, fail);
  prefetch("a.test");
  upstream.release();
  resolver.prefetch_then("a.test", Type::txt, fail);
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x"));
}

TEST_F(PrefetchThen, NobodyIsToldOnceTheResolverEnds) {
  // Says on its way out what it has not said before.
  struct LateUpstream final : Upstream {
    ~LateUpstream() override {
      for (const auto& done : waiting) done(text("x", 300));
    }
    void ask(const std::string&, Type, std::function<void(Answer)> done) override {
      waiting.push_back(std::move(done));
    }
    std::vector<std::function<void(Answer)>> waiting;
  };
  {
    CachingResolver late(std::make_unique<LateUpstream>(), {}, clock);
    late.prefetch_then("a.test", Type::txt, note());
  }
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(PrefetchThen, ThroughAMeterOutlivesTheMessage) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  {
    Meter meter(resolver, clock);
    meter.prefetch_then("a.test", Type::txt, [this](Resolver& behind, const Answer& answer) {
      note()(behind, answer);
      behind.prefetch("b.test", Type::a);
    });
  }
  upstream.release();
  EXPECT_THAT(told, ElementsAre("a.test NOERROR x"));
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "A b.test"));
}

// For the sanitizers.
TEST_F(PrefetchThen, ManyThreadsAreToldAndTheLastOnesNot) {
  constexpr int kThreads = 4, kNames = 2000;
  std::atomic<int> calls = 0;
  {
    auto* const servers = new ScriptedUpstream;
    for (int i = 0; i < kNames; ++i) servers->script(std::to_string(i) + ".test", text("next", 300));
    CachingResolver shared(std::unique_ptr<Upstream>(servers), {}, clock);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < kNames; ++i) {
          if (i % 20 == 0) servers->hold();
          shared.prefetch_then(std::to_string(i) + ".test", Type::txt, [&](Resolver& behind, const Answer& answer) {
            behind.prefetch(answer.texts.at(0) + answer.name, Type::a);
            ++calls;
          });
          if (i % 20 == 10) servers->release();
        }
      });
    for (auto& thread : threads) thread.join();
    servers->release();
    EXPECT_EQ(calls, kThreads * kNames);
    servers->hold();
    shared.prefetch_then("left.test", Type::txt, [&](Resolver&, const Answer&) { ++calls; });
  }
  EXPECT_EQ(calls, kThreads * kNames);
}

TEST(PrefetchThenInMemory, IsToldAtOnceAndCountsAsNoQuestion) {
  test::FakeResolver fresh("a.test TXT b.test\nb.test TXT !SERVFAIL 1\nb.test TXT x\n");
  test::StaleResolver resolver(fresh, {"TXT b.test"});
  std::vector<std::string> told;
  resolver.prefetch_then("A.test", Type::txt, [&](Resolver& behind, const Answer& answer) {
    EXPECT_EQ(&behind, &resolver);
    told.push_back(answer.name);
    behind.prefetch_then(answer.texts.at(0), Type::txt, [&](Resolver&, const Answer&) { told.emplace_back("no"); });
    behind.prefetch_then("none.test", Type::txt,
                         [&](Resolver&, const Answer& absence) { told.push_back(absence.name); });
  });
  EXPECT_THAT(told, ElementsAre("a.test", "none.test"));
  EXPECT_THAT(fresh.asked(), IsEmpty());
  EXPECT_EQ(resolver.lookup("b.test", Type::txt, Deadline::max())->status, Status::servfail);
  EXPECT_EQ(resolver.lookup("b.test", Type::txt, Deadline::max())->status, Status::ok);
}

}  // namespace
}  // namespace sesame::dns
