// RFC 8767: what may serve past its time to live, and what may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using namespace std::chrono_literals;

struct Stale : CacheTest {
  // Nobody waits long, so that no test does.
  explicit Stale(std::chrono::milliseconds patience = 10ms)
      : CacheTest(CacheOptions{.max_stale = 1000s, .stale_after = patience}) {}

  // Known once, expired now.
  void known(const std::string& name, Answer answer) {
    const auto ttl = answer.ttl;
    upstream.script(name, std::move(answer));
    ask(name);
    clock.pass(ttl);
  }
};

struct PatientStale : Stale {
  PatientStale() : Stale(10min) {}
};

TEST_F(Stale, AnAnswerServesWhenItsRefreshFails) {
  for (const auto status : {Status::servfail, Status::refused, Status::formerr, Status::notimp, Status::timeout,
                            Status::malformed, Status::cname_limit}) {
    const std::string name = std::to_string(static_cast<int>(status)) + ".test";
    known(name, text("x", 10));
    upstream.script(name, of(status, 0));
    const auto answer = ask(name);
    EXPECT_EQ(answer->status, Status::ok) << to_string(status);
    EXPECT_THAT(answer->texts, ElementsAre("x"));
    EXPECT_TRUE(answer->stale);
    // RFC 8767 Section 4
    EXPECT_EQ(answer->ttl, 30u);
    EXPECT_EQ(answer->received, clock.steady_now() - 10s);
  }
  EXPECT_EQ(resolver.counters().stale, 7u);
}

TEST_F(Stale, AbsencesServeToo) {
  for (const auto status : {Status::nodata, Status::nxdomain}) {
    const std::string name = std::to_string(static_cast<int>(status)) + ".test";
    known(name, of(status, 10));
    upstream.forget(name);
    EXPECT_EQ(ask(name)->status, status);
    EXPECT_TRUE(ask(name)->stale);
  }
}

TEST_F(Stale, AChainServesUnderTheNameThatWasAsked) {
  upstream.script("end.test", text("x", 500));
  known("a.test", of(Status::nodata, 10, {"end.test"}));
  upstream.forget("end.test");
  const auto answer = ask("a.test");
  EXPECT_TRUE(answer->stale);
  EXPECT_THAT(answer->cnames, ElementsAre("end.test"));
  EXPECT_THAT(answer->texts, ElementsAre("x"));
}

TEST_F(Stale, NeverWithinItsTimeToLive) {
  upstream.script("a.test", text("x", 10));
  EXPECT_FALSE(ask("a.test")->stale);
  upstream.forget("a.test");
  clock.pass(9);
  EXPECT_FALSE(ask("a.test")->stale);
  EXPECT_EQ(resolver.counters().stale, 0u);
}

TEST_F(Stale, NeverPastItsLimit) {
  known("a.test", text("x", 10));
  upstream.forget("a.test");
  clock.pass(999);
  EXPECT_EQ(ask("a.test")->status, Status::ok);
  clock.pass(1);
  EXPECT_EQ(ask("a.test")->status, Status::timeout);
  EXPECT_EQ(ask("a.test")->status, Status::timeout);  // held
  clock.pass(5);
  EXPECT_EQ(ask("a.test")->status, Status::timeout);
}

TEST_F(Stale, ServingItDoesNotMakeItYounger) {
  known("a.test", text("x", 10));
  upstream.forget("a.test");
  for (int i = 0; i < 99; ++i) {
    clock.pass(10);
    EXPECT_TRUE(ask("a.test")->stale);
  }
  clock.pass(10);
  EXPECT_EQ(ask("a.test")->status, Status::timeout);
}

TEST_F(Stale, NothingServesWhereItIsTurnedOff) {
  auto* servers = new ScriptedUpstream;
  CachingResolver strict(std::unique_ptr<Upstream>(servers), CacheOptions{.max_stale = 0s}, clock);
  servers->script("a.test", text("x", 10));
  strict.lookup("a.test", Type::txt, Deadline::max());
  servers->forget("a.test");
  clock.pass(10);
  EXPECT_EQ(strict.lookup("a.test", Type::txt, Deadline::max())->status, Status::timeout);
}

// Who owns a name can always take something back: what a server says now ends what it said before.
TEST_F(Stale, EveryNewAnswerTakesItsPlaceAbsenceToo) {
  for (auto next : {text("y", 10), of(Status::nodata, 10), of(Status::nxdomain, 10), of(Status::nxdomain, 0)}) {
    known("a.test", text("x", 10));
    upstream.script("a.test", next);
    const auto answer = ask("a.test");
    EXPECT_EQ(answer->status, next.status);
    EXPECT_EQ(answer->texts, next.texts);
    EXPECT_FALSE(answer->stale);
    // Gone for good.
    upstream.forget("a.test");
    clock.pass(10);
    EXPECT_EQ(ask("a.test")->status, next.ttl == 0 ? Status::timeout : next.status);
    clock.pass(3000);
  }
}

TEST_F(Stale, AnAnswerTooBigToKeepStillEndsTheOneBefore) {
  auto* servers = new ScriptedUpstream;
  CachingResolver small(std::unique_ptr<Upstream>(servers), CacheOptions{.max_bytes = 8192}, clock);
  const auto look = [&] { return small.lookup("a.test", Type::txt, Deadline::max()); };
  servers->script("a.test", text("x", 10));
  look();
  clock.pass(10);
  servers->script("a.test", text(std::string(20000, 'y'), 10));
  EXPECT_EQ(look()->texts.at(0).size(), 20000u);
  servers->forget("a.test");
  EXPECT_EQ(look()->status, Status::timeout);
}

TEST_F(Stale, IsAnsweredAfterAShortWaitAndTheRefreshGoesOn) {
  known("a.test", text("x", 10));
  upstream.script("a.test", text("y", 10));
  upstream.hold();
  EXPECT_TRUE(ask("a.test")->stale);
  EXPECT_TRUE(ask("a.test")->stale);
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  upstream.release();
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("y"));
  EXPECT_FALSE(ask("a.test")->stale);
  EXPECT_THAT(upstream.asked(), SizeIs(2));
}

TEST_F(PatientStale, ARefreshThatComesInTimeIsWaitedFor) {
  known("a.test", text("x", 10));
  upstream.script("a.test", text("y", 10));
  upstream.hold();
  std::thread server([&] {
    while (upstream.asked().size() < 2) std::this_thread::yield();
    upstream.release();
  });
  const auto answer = ask("a.test");
  server.join();
  EXPECT_THAT(answer->texts, ElementsAre("y"));
  EXPECT_FALSE(answer->stale);
}

TEST_F(PatientStale, ADeadlineBeforeThatIsKept) {
  known("a.test", text("x", 10));
  upstream.hold();
  EXPECT_TRUE(resolver.lookup("a.test", Type::txt, clock.steady_now())->stale);
  EXPECT_TRUE(resolver.lookup("a.test", Type::txt, clock.steady_now() + 5ms)->stale);
  upstream.release();
}

TEST_F(PatientStale, OfAllWhoWaitForSilentServersOnlyTheFirstWaitsLong) {
  known("a.test", text("x", 10));
  upstream.hold();
  resolver.prefetch("a.test", Type::txt);
  clock.pass(600);
  // The time began with the question. Were it to begin again, this would not end.
  EXPECT_TRUE(ask("a.test")->stale);
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  upstream.release();
}

TEST_F(Stale, IsAnsweredAtOnceWhileTheFailureIsHeld) {
  known("a.test", text("x", 10));
  upstream.script("a.test", of(Status::servfail, 0));
  ask("a.test");
  upstream.script("a.test", text("y", 10));
  clock.pass(4);
  EXPECT_FALSE(asks("a.test"));
  EXPECT_TRUE(ask("a.test")->stale);
  EXPECT_EQ(resolver.counters().failures_held, 2u);
  clock.pass(1);
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("y"));
}

TEST_F(PatientStale, NobodyWaitsForAServerThatDidNotAnswerLastTime) {
  known("a.test", text("x", 10));
  upstream.forget("a.test");
  ask("a.test");
  clock.pass(5);
  upstream.hold();
  EXPECT_TRUE(asks("a.test"));
  EXPECT_TRUE(ask("a.test")->stale);
  upstream.release();
}

TEST_F(PatientStale, ButWhenServersAreBackTheyAreWaitedForAtOnce) {
  known("a.test", text("x", 10));
  upstream.forget("a.test");
  EXPECT_TRUE(ask("a.test")->stale);
  upstream.recover();
  upstream.script("a.test", text("y", 10));
  upstream.hold();
  std::thread server([&] {
    while (upstream.asked().size() < 3) std::this_thread::yield();
    upstream.release();
  });
  const auto answer = ask("a.test");
  server.join();
  EXPECT_THAT(answer->texts, ElementsAre("y"));
  EXPECT_FALSE(answer->stale);
}

TEST_F(Stale, APrefetchOfWhatHasExpiredAsks) {
  known("a.test", text("x", 10));
  upstream.script("a.test", text("y", 10));
  resolver.prefetch("a.test", Type::txt);
  EXPECT_FALSE(asks("a.test"));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("y"));
}

TEST_F(Stale, AFailureThatCameWithinTheTimeToLiveIsHeldPastIt) {
  upstream.script("a.test", text("x", 100));
  ask("a.test");
  clock.pass(98);
  upstream.forget("a.test");
  EXPECT_TRUE(asks("a.test"));  // ahead
  clock.pass(2);
  EXPECT_FALSE(asks("a.test"));
  EXPECT_TRUE(ask("a.test")->stale);
}

// An hour in which nobody answers: what is known serves, nothing piles up, and the end of it shows at once.
TEST_F(Stale, AnHourOfSilenceIsOutlived) {
  known("warm.test", text("x", 300));
  upstream.forget("warm.test");
  const auto before = resolver.counters().entries;
  for (int second = 0; second < 900; ++second) {
    EXPECT_EQ(ask("warm.test")->status, Status::ok);
    EXPECT_EQ(ask("cold.test")->status, Status::timeout);
    clock.pass(1);
  }
  EXPECT_EQ(resolver.counters().entries, before + 1);
  // RFC 9520: once in five seconds for either, at most.
  EXPECT_LE(upstream.asked().size(), 2u * 180 + 1);
  upstream.script("warm.test", text("y", 300));
  upstream.script("cold.test", text("z", 300));
  upstream.recover();
  EXPECT_THAT(ask("warm.test")->texts, ElementsAre("y"));
  EXPECT_THAT(ask("cold.test")->texts, ElementsAre("z"));
}

}  // namespace
}  // namespace sesame::dns
