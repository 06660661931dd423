// What the daemon says of DNS, and what it knows after a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon.h"
#include "milter/dns_lines.h"

namespace sesame::test {
namespace {

using milter::dns_lines;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Format = config::Log::Format;

constexpr std::int64_t kNow = 1'700'000'000;

dns::CacheCounters cache_counters() {
  dns::CacheCounters counters;
  counters.hits = 1, counters.misses = 2, counters.merged = 3, counters.stale = 4, counters.refreshes = 5;
  counters.failures_held = 6, counters.evictions = 7, counters.entries = 8, counters.bytes = 9;
  for (int i = 0; i < 98; ++i) counters.waits.add(std::chrono::milliseconds(3));
  for (int i = 0; i < 2; ++i) counters.waits.add(std::chrono::milliseconds(200));
  return counters;
}

dns::ServerCounters server_counters() {
  dns::ServerCounters counters;
  counters.server = "192.0.2.1:53";
  counters.health = dns::ServerCounters::Health::silent;
  counters.queries = 10, counters.answers = 11, counters.timeouts = 12, counters.failures = 13, counters.hedges = 14;
  counters.over_tcp = 15, counters.mismatches = 16;
  return counters;
}

TEST(DnsLines, AreOneForTheCacheAndOneForEachServer) {
  EXPECT_THAT(
      dns_lines(cache_counters(), {server_counters()}, Format::text, kNow),
      ElementsAre("dns: cache hits=1 misses=2 merged=3 stale=4 refreshed=5 held=6 evictions=7 entries=8 bytes=9 "
                  "p50=4ms p99=256ms",
                  "dns: server=192.0.2.1:53 health=silent queries=10 answers=11 timeouts=12 failures=13 "
                  "hedges=14 tcp=15 mismatches=16"));
}

TEST(DnsLines, AreObjectsInALogOfJson) {
  const auto lines = dns_lines(cache_counters(), {server_counters()}, Format::json, kNow);
  ASSERT_EQ(lines.size(), 2u);
  const auto cache = json::parse(lines[0]), server = json::parse(lines[1]);
  EXPECT_EQ(cache["event"], "dns_cache");
  EXPECT_EQ(cache["time"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(cache["stale"], 4);
  EXPECT_EQ(cache["p99_ms"], 256);
  EXPECT_EQ(server["event"], "dns_server");
  EXPECT_EQ(server["server"], "192.0.2.1:53");
  EXPECT_EQ(server["health"], "silent");
  EXPECT_EQ(server["mismatches"], 16);
  EXPECT_TRUE(server["p50_ms"].is_null());
}

MilterMessage inbound_from(const std::string& from) {
  MilterMessage message;
  message.mail = {"<" + from + ">"};
  message.fields = {{"From", " <" + from + ">"}, {"Subject", " x"}};
  message.queue_id = "4QUEUE1";
  return message;
}

bool passes(const MilterResult& result) {
  return !result.edits.empty() && result.edits.back().value.find("dmarc=pass") != std::string::npos;
}

TEST(DnsCounters, AreToldOnSignalAndAtTheEnd) {
  Daemon daemon;
  EXPECT_TRUE(passes(daemon.connect()->send(inbound_from("a@clean.example"))));
  daemon.signal(SIGUSR1);
  ASSERT_TRUE(daemon.logs("dns: cache hits="));
  ASSERT_TRUE(daemon.logs("dns: server=" + daemon.dns().host_port() + " health=good queries="));
  EXPECT_TRUE(passes(daemon.connect()->send(inbound_from("a@clean.example"))));
  const auto before = daemon.log().size();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log().substr(before), HasSubstr("dns: cache hits="));
}

TEST(DnsCounters, OfAResolverThatAReloadReplacesAreTold) {
  Daemon daemon;
  daemon.write_config("", "", "max_ttl = 3600");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  EXPECT_TRUE(daemon.logs("dns: cache hits="));
}

class DnsFile : public testing::Test {
 protected:
  DnsFile() { restart(); }

  // With the file; the daemon that ends writes its own.
  void restart() {
    stop();
    daemon_.write_config("", "", "cache_file = \"" + file() + "\"");
    daemon_.start();
  }
  void stop() {
    daemon_.signal(SIGTERM);
    EXPECT_EQ(daemon_.wait_for_exit(), 0);
  }
  std::string file() const { return daemon_.path("dns-cache"); }

  Daemon daemon_;
};

TEST_F(DnsFile, WhatWasKnownIsKnownAfterARestart) {
  EXPECT_TRUE(passes(daemon_.connect()->send(inbound_from("a@clean.example"))));
  stop();
  EXPECT_THAT(daemon_.log(), HasSubstr("answers kept in " + file()));
  EXPECT_TRUE(std::filesystem::exists(file()));
  daemon_.dns().stop();
  daemon_.start();
  EXPECT_TRUE(daemon_.logs("answers taken from " + file()));
  EXPECT_TRUE(passes(daemon_.connect()->send(inbound_from("a@clean.example"))));
}

TEST_F(DnsFile, OneThatCannotBeReadIsToldAndLeftAlone) {
  stop();
  std::ofstream(file()) << "somebody else's\n";
  daemon_.start();
  EXPECT_TRUE(daemon_.logs("dns.cache_file: the cache begins empty: "));
  EXPECT_TRUE(passes(daemon_.connect()->send(inbound_from("a@clean.example"))));
  stop();
  EXPECT_THAT(daemon_.log(), HasSubstr("dns.cache_file: the answers are not kept: "));
  std::ifstream in(file());
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "somebody else's");
}

TEST_F(DnsFile, NoneIsNoFault) {
  EXPECT_THAT(daemon_.log(), Not(HasSubstr("dns.cache_file")));
}

}  // namespace
}  // namespace sesame::test
