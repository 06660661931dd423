// RFC 9520: what failed is not asked for again at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Failures = CacheTest;

TEST_F(Failures, AreHeldForTheirTimeAndThenAskedForAgain) {
  int number = 0;
  for (const auto status : {Status::servfail, Status::refused, Status::formerr, Status::notimp, Status::timeout,
                            Status::malformed, Status::cname_limit}) {
    const auto name = std::to_string(++number) + ".test";
    auto answer = text("half an answer", 300);
    answer.status = status;
    upstream.script(name, answer);
    const auto first = ask(name);
    EXPECT_EQ(first->status, status);
    EXPECT_THAT(first->texts, IsEmpty());
    EXPECT_EQ(first->ttl, 0u);
    EXPECT_THAT(ask(name)->texts, IsEmpty());
    clock.pass(4);
    const auto held = ask(name);
    EXPECT_EQ(held->status, status);
    EXPECT_EQ(held->name, name);
    EXPECT_EQ(held->ttl, 0u);
    EXPECT_FALSE(held->stale);
    EXPECT_THAT(upstream.asked(), SizeIs(2 * number - 1)) << to_string(status);
    clock.pass(1);
    EXPECT_TRUE(asks(name)) << to_string(status);
  }
  EXPECT_EQ(resolver.counters().failures_held, 14u);
}

TEST_F(Failures, AHeldOneTellsWhenItFailed) {
  const auto then = clock.steady_now();
  ask("bad.test");
  clock.pass(3);
  EXPECT_EQ(ask("bad.test")->received, then);
}

// RFC 9520 Section 3.2: for the name and type; never for the domain, or one bad name silences a whole customer.
TEST_F(Failures, OfOneNameOrTypeConcernNoOther) {
  upstream.script("bad.example.test", of(Status::servfail, 0));
  ask("bad.example.test");
  for (const auto* name : {"example.test", "good.example.test", "below.bad.example.test"}) EXPECT_TRUE(asks(name));
  resolver.lookup("bad.example.test", Type::a, Deadline::max());
  EXPECT_THAT(upstream.asked(), testing::Contains("A bad.example.test"));
}

TEST_F(Failures, AreHeldForTheAskedNameWhenTheChainBreaksLater) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test"}));
  upstream.script("b.test", of(Status::servfail, 0));
  ask("a.test");
  EXPECT_FALSE(asks("a.test"));
  EXPECT_TRUE(asks("b.test"));
}

TEST_F(Failures, AreForgottenAtOnceWhenSilentServersComeBack) {
  ask("a.test");
  EXPECT_FALSE(asks("a.test"));
  upstream.script("a.test", text("x", 300));
  upstream.recover();
  EXPECT_EQ(ask("a.test")->status, Status::ok);
}

TEST_F(Failures, AfterTheRecoveryAreHeldAgain) {
  ask("a.test");
  upstream.recover();
  EXPECT_TRUE(asks("a.test"));
  EXPECT_FALSE(asks("a.test"));
}

// A question that was asked of silent servers and failed just after they came back is one that they never saw.
TEST_F(Failures, OfQuestionsAskedBeforeTheRecoveryAreNotHeld) {
  upstream.hold();
  resolver.prefetch("a.test", Type::txt);
  upstream.recover();
  upstream.release();
  upstream.script("a.test", text("x", 300));
  EXPECT_EQ(ask("a.test")->status, Status::ok);
}

TEST_F(Failures, AreNotAskedForAheadEither) {
  ask("a.test");
  resolver.prefetch("a.test", Type::txt);
  EXPECT_THAT(upstream.asked(), SizeIs(1));
}

TEST_F(Failures, TakeNoMoreThanTheirRoom) {
  CachingResolver small(std::make_unique<ScriptedUpstream>(), CacheOptions{.max_bytes = 4096}, clock);
  for (int i = 0; i < 200; ++i) small.lookup(std::to_string(i) + ".test", Type::txt, Deadline::max());
  EXPECT_LE(small.counters().bytes, 4096u);
  EXPECT_GT(small.counters().evictions, 100u);
  EXPECT_THAT(small.entries(), IsEmpty());
}

}  // namespace
}  // namespace sesame::dns
