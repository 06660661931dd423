// The daemon's watch where hosts share a history.
#include "milter/watching.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "fleet/told.h"
#include "history/fleet.h"
#include "history/postgres/server.h"
#include "support/dns_server.h"
#include "watch/exchange.h"

namespace sesame::milter::tests {
namespace {

using history::tests::new_database;
using history::tests::url_of;

class FleetWatching : public ::testing::Test {
 protected:
  Snapshot runtime() {
    auto config = config::parse(
        fmt::format("authserv_id = \"mx.example.net\"\n[history]\nstore = \"{}\"\n[status]\nlisten = \"\"\n"
                    "[dns]\nservers = [\"{}\"]\n[watch]\ninterval = 600\n[ses]\nregion = \"us-east-1\"\n"
                    "[[ses.identity]]\nname = \"example.com\"\ndkim.tokens = [\"a\", \"b\", \"c\"]\n",
                    url_, dns_.host_port()),
        "test");
    if (!config) throw std::runtime_error(config.error().message);
    auto made = inspect::make_runtime(*std::move(config));
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }

  // A state of one of the identity's records, as another host found it.
  watch::RecordState found(const inspect::Runtime& runtime) {
    const auto subject = watch::subjects_of(*runtime.accounts).at(0);
    const auto& record = subject.records.at(0);
    return degraded({subject.account, subject.identity, subject.region, record.part, record.name});
  }

  static bool knows(const Watching& watching, const watch::RecordState& state) {
    const auto ledger = watching.ledger();
    if (!ledger) return false;
    for (const auto& each : ledger->states())
      if (each.key == state.key && each.state == state.state) return true;
    return false;
  }

  // Nobody has an SOA record there, so that there are no name servers to ask.
  test::DnsServer dns_{"other.example A 192.0.2.1\n"};
  const std::string url_ = url_of(new_database());
  Log log_;
};

TEST_F(FleetWatching, WhoListensKnowsAndTakesOver) {
  RuntimeStore first_store(runtime()), second_store(runtime());
  const auto state = found(*first_store.current());
  auto other = history::join_fleet(url_);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->hold().value());
  ASSERT_TRUE((*other)->publish(watch::text_of({{state}, {}})));
  Watching watching(log_);
  ASSERT_TRUE(comes([&] {
    watching.follow(second_store);
    return knows(watching, state);
  }));
  EXPECT_FALSE(watching.looks());
  // Predictions draw on it.
  ASSERT_TRUE(second_store.current()->watch);
  EXPECT_EQ(second_store.current()->watch, watching.ledger());
  other->reset();
  ASSERT_TRUE(comes([&] {
    watching.follow(second_store);
    return watching.looks();
  }));
  EXPECT_TRUE(knows(watching, state));
  EXPECT_EQ(second_store.current()->watch, watching.ledger());
  // And tells what it knows, from now on.
  auto third = history::join_fleet(url_);
  ASSERT_TRUE(third);
  EXPECT_FALSE((*third)->hold().value());
  watching.stop();
}

TEST_F(FleetWatching, OfTwoOneLooks) {
  RuntimeStore first_store(runtime()), second_store(runtime());
  Watching first(log_), second(log_);
  ASSERT_TRUE(comes([&] {
    first.follow(first_store);
    return first.looks();
  }));
  for (int i = 0; i < 100; ++i) {
    first.follow(first_store);
    second.follow(second_store);
    EXPECT_TRUE(first.looks());
    EXPECT_FALSE(second.looks());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  first.stop();
  ASSERT_TRUE(comes([&] {
    second.follow(second_store);
    return second.looks();
  }));
  second.stop();
}

}  // namespace
}  // namespace sesame::milter::tests
