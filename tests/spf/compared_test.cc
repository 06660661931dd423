// What makes a result hold for a whole address range: Outcome::compared and Outcome::client_specific.
#include <map>
#include <set>

#include "check.h"

namespace sesame::spf {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

Network net(std::string_view text) {
  return Network::parse(text).value();
}

TEST(Compared, HoldsNetworksOfEveryRecordVisitedAlsoWithoutMatch) {
  const auto outcome = check(R"(
    example.com       TXT  v=spf1 ip4:192.0.2.9/24 ip6:2001:db8::/32 a/28 include:inc.example.com mx redirect=red.example.com
    example.com       A    198.51.100.17
    example.com       A    198.51.100.65
    example.com       MX   10 mx.example.com
    mx.example.com    A    203.0.113.1
    inc.example.com   TXT  v=spf1 ip4:203.0.113.128/25 -all
    red.example.com   TXT  v=spf1 -ip4:10.0.0.0/8 ~all
  )",
                             "198.18.0.1");
  EXPECT_EQ(outcome.result, Result::softfail);
  EXPECT_THAT(outcome.compared, UnorderedElementsAre(net("192.0.2.0/24"), net("2001:db8::/32"), net("198.51.100.16/28"),
                                                     net("198.51.100.64/28"), net("203.0.113.128/25"),
                                                     net("203.0.113.1/32"), net("10.0.0.0/8")));
  EXPECT_FALSE(outcome.client_specific);
}

TEST(Compared, EndsWithTheTermThatMatched) {
  const auto outcome =
      check(record_zone("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:198.51.100.0/24 -all"), "192.0.2.200");
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_THAT(outcome.compared, UnorderedElementsAre(net("192.0.2.0/25"), net("192.0.2.128/25")));
}

TEST(Compared, EmptyWhenNoAddressMatters) {
  const auto outcome = check(record_zone("v=spf1 -all"), "192.0.2.1");
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_THAT(outcome.compared, IsEmpty());
}

struct Specific {
  const char* record;
  bool want;
};

TEST(ClientSpecific, WhenAMacroOrPtrAsksAboutTheAddress) {
  const Specific cases[] = {
      {"v=spf1 a mx exists:static.example.com -all", false},
      {"v=spf1 exists:%{l}.%{o}.%{h}.%{v}.example.com -all", false},
      {"v=spf1 exists:%{ir}.example.com -all", true},
      {"v=spf1 a:%{I}.example.com -all", true},
      {"v=spf1 include:inc.example.com -all", true},
      {"v=spf1 ptr -all", true},
      {"v=spf1 exists:%{p}.example.com -all", true},
      {"v=spf1 redirect=%{i}.example.com", true},
      // Not reached, or only told to a person.
      {"v=spf1 all ptr", false},
      {"v=spf1 ip4:192.0.2.1 exists:%{i}.example.com", false},
      {"v=spf1 -all exp=%{ir}.example.com", false},
  };
  for (const auto& c : cases) {
    const auto zone = record_zone(c.record) + R"(
      inc.example.com              TXT  v=spf1 exists:%{i}.example.com
      192.0.2.1.example.com        TXT  v=spf1 -all
      1.2.0.192.example.com        TXT  %{i} %{p}
      example.com                  A    198.51.100.1
      example.com                  MX   10 example.com
    )";
    EXPECT_EQ(check(zone, "192.0.2.1").client_specific, c.want) << c.record;
  }
}

// Every address of a region around all borders gets the result of the one address asked for in its cell.
TEST(Compared, ResultIsConstantBetweenItsBorders) {
  constexpr std::string_view kZone = R"(
    example.com      TXT  v=spf1 ip4:192.0.2.8/29 -a/30 ?mx/31 include:inc.example.com ~ip4:192.0.2.128/25 redirect=red.example.com
    example.com      A    192.0.2.21
    example.com      MX   10 mx.example.com
    mx.example.com   A    192.0.2.77
    inc.example.com  TXT  v=spf1 -ip4:192.0.2.33 ip4:192.0.2.32/28 ~all
    red.example.com  TXT  v=spf1 ip4:192.0.2.0/31 ip4:192.0.2.255 a:dead.example.com -ip4:192.0.2.64/26
    red.example.com  A    192.0.2.2
    dead.example.com A    !SERVFAIL
  )";
  const auto cell = [](const IpAddress& address, const std::vector<Network>& networks) {
    std::string bits;
    for (const auto& network : networks) bits += network.contains(address) ? '1' : '0';
    return bits;
  };
  std::map<IpAddress, Outcome> outcomes;
  std::set<Result> results;
  for (auto client = ip("192.0.2.0"); client <= ip("192.0.2.255"); client = *client.next()) {
    const auto& outcome = outcomes[client] = check(kZone, client.to_string());
    ASSERT_FALSE(outcome.client_specific);
    results.insert(outcome.result);
  }
  for (const auto& [client, outcome] : outcomes) {
    for (const auto& [other, of_other] : outcomes) {
      if (cell(other, outcome.compared) == cell(client, outcome.compared)) {
        ASSERT_EQ(of_other.result, outcome.result) << client.to_string() << " " << other.to_string();
      }
    }
  }
  EXPECT_EQ(results.size(), 5u) << "the zone should give pass, fail, neutral, softfail and temperror";
}

}  // namespace
}  // namespace sesame::spf
