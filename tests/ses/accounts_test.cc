// Which account and region a message goes through, and how old what is known of them is.
#include "ses/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sesame::ses {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kDay = 86400;

Identity identity(const std::string& name, const std::string& account, const std::string& region,
                  std::optional<std::int64_t> as_of = {}) {
  Identity result;
  result.name = name;
  result.account = account;
  result.region = region;
  result.as_of = as_of;
  return result;
}

Settings settings() {
  Settings result;
  result.account = "main";
  result.region = "us-east-1";
  result.snapshot_max_age = kDay;
  return result;
}

Snapshot snapshot_of(const std::string& account, const std::string& region, std::int64_t fetched,
                     std::vector<Identity> identities) {
  Snapshot snapshot;
  snapshot.regions.push_back({account, region, fetched, {}, std::move(identities)});
  snapshot.regions.back().standing.as_of = fetched;
  return snapshot;
}

// "account/region/configuration set".
std::string way(const Accounts& accounts, const char* from, const char* sender, const char* relay = "") {
  const auto author = mail::parse_path(from), envelope = mail::parse_path(sender);
  const auto found = accounts.relay_of({author ? &*author : nullptr, envelope ? &*envelope : nullptr, relay});
  return found.account->name + "/" + found.account->region + "/" + found.configuration_set;
}

TEST(Accounts, OfTwoPartsForOnePlaceTheNewerHolds) {
  for (const std::int64_t unnamed : {kNow - 100, kNow - 300}) {
    auto snapshot = snapshot_of("", "us-east-1", unnamed, {identity("unnamed.example", "", "us-east-1")});
    auto named = snapshot_of("main", "us-east-1", kNow - 200, {identity("named.example", "main", "us-east-1")});
    snapshot.regions.push_back(named.regions.front());
    const Accounts accounts(settings(), snapshot, kNow);
    ASSERT_THAT(accounts.usual().identities, SizeIs(1));
    EXPECT_EQ(accounts.usual().identities[0].name, unnamed > kNow - 200 ? "unnamed.example" : "named.example");
    EXPECT_THAT(accounts.remarks(), SizeIs(1));
  }
}

TEST(Described, ARegionThatWasNeverAskedIsNot) {
  auto map = settings();
  map.routes = {{"", "", "far.example", "main", "eu-central-1", ""}};
  const auto described = [&](const Settings& given, const Snapshot& snapshot, const char* relay) {
    const Accounts accounts(given, snapshot, kNow);
    return accounts.relay_of(Hop{nullptr, nullptr, relay}).account->is_described();
  };
  auto asked = snapshot_of("main", "us-east-1", kNow, {identity("example.com", "main", "us-east-1")});
  EXPECT_TRUE(described(map, asked, ""));
  EXPECT_FALSE(described(map, asked, "far.example"));
  asked.regions.push_back({"main", "eu-central-1", kNow, {}, {}});
  EXPECT_TRUE(described(map, asked, "far.example")) << "it was, and has none";
  EXPECT_FALSE(described(map, {}, ""));
  map.identities = {identity("example.com", "main", "us-east-1")};
  EXPECT_TRUE(described(map, {}, "far.example")) << "the configuration names all there are";
}

TEST(Route, TheFirstThatMatchesHolds) {
  auto map = settings();
  map.routes = {
      {"vip@example.com", "", "", "vip", "eu-west-1", "gold"},
      {"example.com", "bulk.example.net", "", "bulk", "eu-west-1", ""},
      {"example.com", "", "", "main", "eu-central-1", ""},
      {"", "", "email-smtp.ap-south-1.amazonaws.com", "main", "ap-south-1", "set"},
      {"example.com", "", "", "never", "us-west-2", ""},
  };
  const Accounts accounts(map, {}, kNow);
  const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
      {"vip@example.com", "x@example.com", "", "vip/eu-west-1/gold"},
      {"VIP@example.com", "x@example.com", "", "main/eu-central-1/"},  // local parts are case-sensitive
      {"a@example.com", "x@bulk.example.net", "", "bulk/eu-west-1/"},
      {"a@example.com", "x@deep.bulk.example.net", "", "bulk/eu-west-1/"},
      {"a@example.com", "x@notbulk.example.net", "", "main/eu-central-1/"},
      {"a@sub.example.com", "", "", "main/eu-central-1/"},  // the empty sender matches no sender
      {"a@notexample.com", "", "", "main/us-east-1/"},
      {"a@other.example", "", "email-smtp.ap-south-1.amazonaws.com", "main/ap-south-1/set"},
      {"a@other.example", "", "EMAIL-SMTP.ap-south-1.amazonaws.com", "main/ap-south-1/set"},
      {"a@other.example", "", "email-smtp.us-east-1.amazonaws.com", "main/us-east-1/"},
      {"a@example.com", "", "email-smtp.ap-south-1.amazonaws.com", "main/eu-central-1/"},
      {"", "x@bulk.example.net", "", "main/us-east-1/"},  // no usable author: no rule about authors matches
      {"", "", "email-smtp.ap-south-1.amazonaws.com", "main/ap-south-1/set"},
  };
  for (const auto& [from, sender, relay, want] : cases)
    EXPECT_EQ(way(accounts, from, sender, relay), want) << from << " " << sender << " " << relay;
}

TEST(Route, MayHoldWhereTheHostIsNotKnown) {
  auto map = settings();
  map.routes = {
      {"", "", "a.example", "main", "eu-west-1", ""},   {"example.com", "", "b.example", "main", "ap-south-1", ""},
      {"example.com", "", "", "main", "us-west-2", ""}, {"", "", "c.example", "main", "us-east-1", ""},
      {"", "", "d.example", "main", "eu-west-1", ""},
  };
  const Accounts accounts(map, {}, kNow);
  const auto ways = [&](const char* from, const char* relay) {
    const auto author = mail::parse_path(from);
    std::string regions;
    for (const auto& way : accounts.ways_of({&*author, nullptr, relay})) regions += way.account->region + " ";
    return regions;
  };
  EXPECT_EQ(ways("a@example.com", ""), "us-west-2 eu-west-1 ap-south-1 ")
      << "the one for any host first, none behind it";
  EXPECT_EQ(ways("a@other.example", ""), "us-east-1 eu-west-1 ") << "each once";
  EXPECT_EQ(ways("a@example.com", "b.example"), "ap-south-1 ");
  EXPECT_EQ(ways("a@example.com", "x.example"), "us-west-2 ");
  EXPECT_EQ(ways("a@other.example", "x.example"), "us-east-1 ");
}

TEST(Accounts, ThereIsOneForEachRegionNamedAnywhere) {
  auto map = settings();
  map.routes = {{"example.com", "", "", "other", "eu-west-1", ""}};
  map.identities = {identity("example.com", "main", "us-west-2")};
  const Accounts accounts(map, snapshot_of("main", "ap-south-1", kNow, {}), kNow);
  std::vector<std::string> names;
  for (const auto& account : accounts.all()) names.push_back(account.name + "/" + account.region);
  EXPECT_THAT(names, testing::ElementsAre("main/us-east-1", "other/eu-west-1", "main/us-west-2", "main/ap-south-1"));
  EXPECT_EQ(accounts.usual().region, "us-east-1");
  EXPECT_THAT(accounts.usual().identities, SizeIs(1)) << "of all regions of the account";
  EXPECT_THAT(accounts.all()[1].identities, IsEmpty()) << "another account's are none of its";
  EXPECT_TRUE(accounts.knows_identities());
  EXPECT_EQ(accounts.identity_count(), 1u);
}

TEST(Accounts, TheConfigurationStandsInForTheSnapshot) {
  auto map = settings();
  map.identities = {identity("example.com", "main", "us-east-1")};
  const Accounts accounts(map,
                          snapshot_of("main", "us-east-1", kNow,
                                      {identity("example.com", "main", "us-east-1", kNow),
                                       identity("example.org", "main", "us-east-1", kNow)}),
                          kNow);
  ASSERT_THAT(accounts.usual().identities, SizeIs(2));
  EXPECT_EQ(accounts.usual().find("example.com", "us-east-1")->as_of, std::nullopt);
  EXPECT_EQ(accounts.usual().find("example.org", "us-east-1")->as_of, kNow);
  EXPECT_EQ(accounts.identity_count(), 2u);
}

TEST(Accounts, ARegionWithoutAnAccountIsOfTheConfiguredOne) {
  const Accounts accounts(settings(), snapshot_of("", "us-east-1", kNow, {identity("example.com", "", "us-east-1")}),
                          kNow);
  ASSERT_THAT(accounts.all(), SizeIs(1));
  ASSERT_THAT(accounts.usual().identities, SizeIs(1));
  EXPECT_EQ(accounts.usual().identities[0].account, "main");
  EXPECT_EQ(accounts.usual().identities[0].as_of, kNow) << "as old as the list, never the configuration's word";
}

TEST(Age, IsThatOfEachAnswer) {
  auto map = settings();
  map.identities = {identity("configured.example", "main", "us-east-1")};
  const Accounts accounts(map,
                          snapshot_of("main", "us-east-1", kNow - kDay,
                                      {identity("at.example", "main", "us-east-1", kNow - kDay),
                                       identity("over.example", "main", "us-east-1", kNow - kDay - 1),
                                       identity("future.example", "main", "us-east-1", kNow + kDay + 1)}),
                          kNow);
  const auto aged = [&](const char* name) { return accounts.usual().find(name, "us-east-1")->aged; };
  EXPECT_FALSE(aged("configured.example"));
  EXPECT_FALSE(aged("at.example"));
  EXPECT_TRUE(aged("over.example"));
  EXPECT_TRUE(aged("future.example")) << "a clock was wrong";
  EXPECT_FALSE(accounts.usual().aged);
  EXPECT_FALSE(accounts.usual().standing.aged);
  EXPECT_EQ(accounts.as_of(), kNow - kDay - 1);
  EXPECT_EQ(accounts.aged_count(), 2u);
  EXPECT_EQ(accounts.next_aging(), kNow + 60) << "not for each answer of its own";
}

TEST(Age, ComesWithTime) {
  const auto snapshot =
      snapshot_of("main", "us-east-1", kNow, {identity("example.com", "main", "us-east-1", kNow - 100)});
  const Accounts accounts(settings(), snapshot, kNow);
  EXPECT_FALSE(accounts.usual().identities[0].aged);
  ASSERT_EQ(accounts.next_aging(), kNow - 100 + kDay + 1);
  const Accounts later(settings(), snapshot, *accounts.next_aging());
  EXPECT_TRUE(later.usual().identities[0].aged);
  EXPECT_FALSE(later.usual().aged);
  ASSERT_EQ(later.next_aging(), kNow + kDay + 1);
  const Accounts last(settings(), snapshot, *later.next_aging());
  EXPECT_TRUE(last.usual().aged);
  EXPECT_TRUE(last.usual().standing.aged);
  EXPECT_EQ(last.next_aging(), std::nullopt);
}

TEST(Age, NeverComesToTheConfiguration) {
  auto map = settings();
  map.identities = {identity("example.com", "main", "us-east-1")};
  const Accounts accounts(map, {}, kNow);
  EXPECT_EQ(accounts.next_aging(), std::nullopt);
  EXPECT_EQ(accounts.as_of(), 0);
  EXPECT_FALSE(Accounts(map, {}, kNow + 1000 * kDay).usual().identities[0].aged);
}

}  // namespace
}  // namespace sesame::ses
