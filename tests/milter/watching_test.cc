// The watch over the records, as the daemon starts, changes and ends it.
#include "milter/watching.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "config/config.h"
#include "daemon.h"

namespace sesame::milter {
namespace {

// Nobody has an SOA record there, so that there are no name servers to ask.
constexpr const char* kNoZones = "other.example A 192.0.2.1\n";

class Watched : public testing::Test {
 protected:
  Snapshot runtime(int interval, int identities = 1) {
    auto text = fmt::format(
        "authserv_id = \"mx.example.net\"\n[history]\nstore = \"\"\n[status]\nlisten = \"\"\n"
        "[dns]\nservers = [\"{}\"]\n[watch]\ninterval = {}\n[ses]\nregion = "
        "\"us-east-1\"\n",
        dns_.host_port(), interval);
    for (int i = 0; i < identities; ++i)
      text += fmt::format("[[ses.identity]]\nname = \"d{}.example\"\ndkim.tokens = [\"a\", \"b\", \"c\"]\n", i);
    auto config = config::parse(text, "test");
    if (!config) throw std::runtime_error(config.error().message);
    auto made = inspect::make_runtime(*std::move(config));
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }

  test::DnsServer dns_{kNoZones};
  Log log_;
};

TEST_F(Watched, IdentitiesAreCountedUnlessTheIntervalIsZero) {
  EXPECT_EQ(watched_by(*runtime(600, 3)), 3u);
  EXPECT_EQ(watched_by(*runtime(0, 3)), 0u);
  EXPECT_EQ(watched_by(*runtime(600, 0)), 0u);
}

TEST_F(Watched, PredictionsGetWhatTheWatchTellsUntilItEnds) {
  RuntimeStore store(runtime(600));
  Watching watching(log_);
  watching.follow(store);
  const auto first = store.current();
  ASSERT_TRUE(first->watch);
  EXPECT_NE(first->observer, first->arrivals);
  watching.follow(store);
  EXPECT_EQ(store.current(), first);
  store.replace(inspect::with_watch(*runtime(0), first->watch));  // as a reload does
  watching.follow(store);
  EXPECT_FALSE(store.current()->watch);
  EXPECT_EQ(store.current()->observer, store.current()->arrivals);
  watching.stop();
}

TEST_F(Watched, AReloadKeepsTheWatchAndOtherSettingsReplaceIt) {
  RuntimeStore store(runtime(600));
  Watching watching(log_);
  watching.follow(store);
  const auto ledger = store.current()->watch;
  store.replace(inspect::with_watch(*runtime(600, 2), ledger));
  watching.follow(store);
  EXPECT_EQ(store.current()->watch, ledger);
  store.replace(inspect::with_watch(*runtime(300, 2), ledger));
  watching.follow(store);
  EXPECT_TRUE(store.current()->watch);
  EXPECT_NE(store.current()->watch, ledger);
  watching.stop();
}

TEST(WatchingDaemon, TellsHowManyAtTheStartAndEndsAsTold) {
  test::Daemon daemon("[watch]\ninterval = 600\nmax_rate = 1000\n");
  EXPECT_TRUE(daemon.logs("watch=5"));
  daemon.write_config("[watch]\ninterval = 0\n");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(daemon.logs("watch=0"));
  daemon.write_config("[watch]\ninterval = 600\n");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(daemon.logs("watch: identities=5"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
}

}  // namespace
}  // namespace sesame::milter
