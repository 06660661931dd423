#include "inspect/observers.h"

#include <gtest/gtest.h>

#include "inspect/inspect.h"

namespace sesame::inspect {
namespace {

struct Tells final : ses::Observer {
  explicit Tells(ses::History what) : history(std::move(what)) {}
  ses::History history_of(const ses::Identity&) const override { return history; }
  ses::History history;
};

ses::ServerFault fault_of(const std::string& server) {
  ses::ServerFault fault;
  fault.server = server;
  return fault;
}

TEST(Observers, WhatOneAloneTellsIsTold) {
  ses::History records, mail;
  records.present = {fault_of("ns1")};
  records.bogus_zone = "example.com";
  records.dkim_outage = ses::Outage{};
  records.dkim_outage->first_bad = 7;
  mail.arrival = ses::Arrival{};
  mail.arrival->selector = "s1";
  mail.arrivals.seen = 3;
  for (const bool reversed : {false, true}) {
    std::vector<std::shared_ptr<const ses::Observer>> all = {std::make_shared<Tells>(records),
                                                             std::make_shared<Tells>(mail)};
    if (reversed) std::swap(all[0], all[1]);
    const auto history = Observers(all).history_of({});
    ASSERT_EQ(history.present.size(), 1u);
    EXPECT_EQ(history.present[0].server, "ns1");
    EXPECT_EQ(history.bogus_zone, "example.com");
    ASSERT_TRUE(history.dkim_outage);
    EXPECT_EQ(history.dkim_outage->first_bad, 7);
    ASSERT_TRUE(history.arrival);
    EXPECT_EQ(history.arrival->selector, "s1");
    EXPECT_EQ(history.arrivals.seen, 3u);
  }
}

TEST(Observers, OfTheSameTheFirstHoldsAndFaultsAreOfAll) {
  ses::History first, second;
  first.present = {fault_of("ns1")};
  second.present = {fault_of("ns2")};
  first.past = {fault_of("ns3")};
  first.bogus_zone = "first.example";
  second.bogus_zone = "second.example";
  const auto history = Observers({std::make_shared<Tells>(first), std::make_shared<Tells>(second)}).history_of({});
  EXPECT_EQ(history.present.size(), 2u);
  EXPECT_EQ(history.past.size(), 1u);
  EXPECT_EQ(history.bogus_zone, "first.example");
}

TEST(Observers, NobodyIsNullAndOneIsItself) {
  const auto one = std::make_shared<Tells>(ses::History{});
  EXPECT_EQ(join({nullptr, nullptr}), nullptr);
  EXPECT_EQ(join({nullptr, one}), one);
}

TEST(Observers, AWatchJoinsARuntimeAndStaysOverAReload) {
  const auto first = make_runtime(config::defaults());
  ASSERT_TRUE(first);
  ses::History records;
  records.bogus_zone = "example.com";
  const auto watched = with_watch(**first, std::make_shared<Tells>(records));
  const auto second = make_runtime(config::defaults(), *watched);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->observer->history_of({}).bogus_zone, "example.com");
  const auto alone = with_watch(**second, nullptr);
  EXPECT_EQ(alone->observer, alone->arrivals);
}

}  // namespace
}  // namespace sesame::inspect
