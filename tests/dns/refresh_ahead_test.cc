// Names in regular use are asked for before their answers expire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/cache_fixture.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

using RefreshAhead = CacheTest;

TEST_F(RefreshAhead, AHitInTheLastTenthAsksOnceAndDoesNotWait) {
  upstream.script("a.test", text("x", 100));
  ask("a.test");
  upstream.script("a.test", text("y", 100));
  clock.pass(89);
  EXPECT_FALSE(asks("a.test"));
  upstream.hold();
  clock.pass(1);
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  upstream.release();
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("y"));
  clock.pass(89);
  EXPECT_FALSE(asks("a.test"));
  const auto counters = resolver.counters();
  EXPECT_EQ(counters.refreshes, 1u);
  EXPECT_EQ(counters.misses, 1u);
  EXPECT_EQ(counters.hits, 5u);
}

TEST_F(RefreshAhead, ANameNobodyElseAskedForIsLeftToExpire) {
  upstream.script("a.test", text("x", 100));
  resolver.prefetch("a.test", Type::txt);
  clock.pass(95);
  EXPECT_FALSE(asks("a.test"));
  EXPECT_TRUE(asks("a.test"));
}

TEST_F(RefreshAhead, ANameThatLivesShortIsLeftToExpire) {
  upstream.script("a.test", text("x", 9));
  ask("a.test");
  clock.pass(std::chrono::milliseconds(8500));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(asks("a.test"));
}

TEST_F(RefreshAhead, AFailureIsHeldHereTooAndCostsNothing) {
  upstream.script("a.test", text("x", 1000));
  ask("a.test");
  clock.pass(950);
  upstream.script("a.test", of(Status::servfail, 0));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_FALSE(asks("a.test"));
  EXPECT_FALSE(ask("a.test")->stale);
  clock.pass(5);
  EXPECT_TRUE(asks("a.test"));
}

TEST_F(RefreshAhead, AnAbsenceThatComesAheadReplacesTheRecords) {
  upstream.script("a.test", text("x", 100));
  ask("a.test");
  clock.pass(95);
  upstream.script("a.test", of(Status::nxdomain, 100));
  ask("a.test");
  EXPECT_EQ(ask("a.test")->status, Status::nxdomain);
}

TEST_F(RefreshAhead, AbsencesAreRefreshedToo) {
  upstream.script("a.test", of(Status::nxdomain, 100));
  ask("a.test");
  clock.pass(95);
  upstream.script("a.test", text("x", 100));
  EXPECT_TRUE(asks("a.test"));
  EXPECT_EQ(ask("a.test")->status, Status::ok);
}

}  // namespace
}  // namespace sesame::dns
