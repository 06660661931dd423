#include "watch/look.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "support/dns_server.h"
#include "support/fake_resolver.h"

namespace sesame::watch {
namespace {

using test::DnsServer;
using test::FakeResolver;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

constexpr int kServers = 4;  // of example.test; the one after them serves its parent
constexpr int kParent = 5;

// What the identity's name servers have.
constexpr std::string_view kRecords = R"(
example.test                SOA   7 3600
example.test                NS    ns1.example.test
example.test                NS    ns2.example.test
example.test                NS    ns3.example.test
example.test                NS    ns4.example.test
ns1.example.test            A     127.53.0.1
ns2.example.test            A     127.53.0.2
ns3.example.test            A     127.53.0.3
ns4.example.test            A     127.53.0.4
tok._domainkey.example.test CNAME tok.dkim.amazonses.com
bounce.example.test         MX    10 feedback-smtp.us-east-1.amazonses.com
bounce.example.test         TXT   v=spf1 include:amazonses.com ~all
_dmarc.example.test         TXT   v=DMARC1; p=none
)";

constexpr std::string_view kParentZone = R"(
! role authority
test                        SOA   1 3600
test                        NS    a.nic.test
a.nic.test                  A     127.53.0.5
example.test                NS    ns1.example.test
example.test                NS    ns2.example.test
example.test                NS    ns3.example.test
example.test                NS    ns4.example.test
ns1.example.test            A     127.53.0.1
)";

constexpr std::string_view kElsewhere = R"(
test                        SOA   1 3600
test                        NS    a.nic.test
a.nic.test                  A     127.53.0.5
tok.dkim.amazonses.com      TXT   "p="
amazonses.com               TXT   v=spf1 ip4:192.0.2.0/24 -all
dkim.amazonses.com          SOA   1 3600
)";

class TestClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
  std::int64_t unix_now() const override { return now; }
  std::int64_t now = 1'800'000'000;
};

Subject subject() {
  using dns::Type;
  return {"example.test",
          "111122223333",
          "us-east-1",
          "example.test",
          {{Part::dkim, "tok._domainkey.example.test", {Type::cname, Type::txt}, "tok.dkim.amazonses.com"},
           {Part::mail_from_mx, "bounce.example.test", {Type::mx}, "10 feedback-smtp.us-east-1.amazonses.com"},
           {Part::mail_from_spf, "bounce.example.test", {Type::txt}, ""},
           {Part::dmarc, "_dmarc.example.test", {Type::txt}, ""},
           {Part::zone, "example.test", {Type::ns, Type::soa}, ""},
           {Part::amazon, "amazonses.com", {Type::txt}, ""}}};
}

// Servers at 127.53.0.1, .2 and so on, on one port.
std::vector<std::unique_ptr<DnsServer>> start_servers() {
  const auto authority = "! role authority\n" + std::string(kRecords);
  for (int tries = 0;; ++tries) {
    std::vector<std::unique_ptr<DnsServer>> servers;
    try {
      std::uint16_t port = 0;
      for (int i = 1; i <= kServers + 1; ++i) {
        test::DnsServerOptions options;
        options.address = fmt::format("127.53.0.{}", i);
        options.port = port;
        servers.push_back(
            std::make_unique<DnsServer>(i == kParent ? kParentZone : std::string_view(authority), options));
        port = servers.back()->port();
      }
      return servers;
    } catch (const std::system_error&) {
      if (tries == 10) throw;  // a port that is free at the first address need not be at the others
    }
  }
}

std::unique_ptr<dns::Prober> quick_prober() {
  dns::ProberOptions options;
  options.timeout = std::chrono::milliseconds(300);
  options.max_rate = 10'000;
  return std::move(*dns::make_prober(options));
}

// "DKIM TXT ns2.example.test UDP failing SERVFAIL".
std::string text_of(const Observation& seen) {
  return fmt::format("{} {} {} {} {} {}", to_string(seen.part), dns::to_string(seen.type),
                     seen.from_resolver() ? "resolver" : seen.server, dns::to_string(seen.transport),
                     to_string(seen.quality), seen.answer);
}

struct World {
  std::vector<std::unique_ptr<DnsServer>> servers = start_servers();
  std::unique_ptr<dns::Prober> prober = quick_prober();
  FakeResolver resolver{std::string(kRecords) + std::string(kElsewhere)};
  FakeResolver unchecked{std::string(kRecords) + std::string(kElsewhere)};
  TestClock clock;
  Looker looker{Means{resolver, unchecked, *prober, clock, servers.front()->port()}};

  // Lines for the server of this number, or for the resolvers.
  void at(int server, std::string_view lines) {
    servers[static_cast<std::size_t>(server - 1)]->with_zone([&](test::Zone& zone) { zone.add(lines); });
  }
  void at_all(std::string_view lines) {
    for (int i = 1; i <= kServers; ++i) at(i, lines);
  }
  void at_resolver(std::string_view lines) {
    resolver.zone().add(lines);
    unchecked.zone().add(lines);
  }
};

std::vector<std::string> faults(const Look& look) {
  std::vector<std::string> texts;
  for (const auto& record : look.records)
    for (const auto& seen : record.observations)
      if (seen.quality != Quality::good) texts.push_back(text_of(seen));
  return texts;
}

const RecordLook& part_of(const Look& look, Part part) {
  return *std::ranges::find_if(look.records, [&](const auto& each) { return each.record.part == part; });
}

TEST(Look, AllIsWell) {
  World world;
  const auto look = world.looker.look(subject());
  EXPECT_THAT(faults(look), IsEmpty());
  EXPECT_THAT(look.zones, ElementsAre("example.test"));
  EXPECT_EQ(look.time, world.clock.now);
  EXPECT_FALSE(look.delegation);
  EXPECT_EQ(look.bogus_zone, "");
  EXPECT_FALSE(look.nothing_answers || look.servers_unreachable);
  // The resolver for CNAME and TXT; each server for these, and for TXT over TCP as well.
  const auto& dkim = part_of(look, Part::dkim).observations;
  EXPECT_EQ(dkim.size(), 2u + kServers * 3);
  std::vector<std::string> second;
  for (const auto& seen : dkim)
    if (seen.address == "127.53.0.2") second.push_back(text_of(seen));
  EXPECT_THAT(second, UnorderedElementsAre("DKIM CNAME ns2.example.test UDP good CNAME tok.dkim.amazonses.com",
                                           "DKIM TXT ns2.example.test UDP good CNAME tok.dkim.amazonses.com",
                                           "DKIM TXT ns2.example.test TCP good CNAME tok.dkim.amazonses.com"));
  EXPECT_EQ(part_of(look, Part::mail_from_mx).observations.size(), 1u + kServers * 2);
  EXPECT_EQ(part_of(look, Part::dmarc).observations.size(), 1u);
  EXPECT_EQ(part_of(look, Part::amazon).observations.size(), 1u);
  const auto& zone = part_of(look, Part::zone).observations;
  EXPECT_EQ(zone.size(), 2u + kServers * 2);
  EXPECT_EQ(std::ranges::count(zone, std::optional<std::uint32_t>(7), &Observation::serial), kServers);
}

TEST(Look, NamesTheServerAndWhatItSaid) {
  const struct {
    const char* what;
    int server;
    const char* lines;
    std::vector<std::string> faults;
  } cases[] = {
      {"SERVFAIL for TXT only",
       2,
       "tok._domainkey.example.test TXT !SERVFAIL",
       {"DKIM TXT ns2.example.test UDP failing SERVFAIL", "DKIM TXT ns2.example.test TCP failing SERVFAIL"}},
      {"a record that one server has not",
       3,
       "tok._domainkey.example.test * !NXDOMAIN",
       {"DKIM CNAME ns3.example.test UDP absent NXDOMAIN", "DKIM TXT ns3.example.test UDP absent NXDOMAIN",
        "DKIM TXT ns3.example.test TCP absent NXDOMAIN"}},
      {"TCP refused",
       4,
       "! tcp refuses",
       {"DKIM TXT ns4.example.test TCP failing connection refused",
        "MAIL FROM MX MX ns4.example.test TCP failing connection refused",
        "MAIL FROM SPF TXT ns4.example.test TCP failing connection refused"}},
      {"TCP never answered",
       4,
       "! tcp silent",
       {"DKIM TXT ns4.example.test TCP failing no answer in 0.3 s",
        "MAIL FROM MX MX ns4.example.test TCP failing no answer in 0.3 s",
        "MAIL FROM SPF TXT ns4.example.test TCP failing no answer in 0.3 s"}},
      {"two MX records",
       1,
       "bounce.example.test MX 20 mail.example.test",
       {"MAIL FROM MX MX ns1.example.test UDP wrong MX 10 feedback-smtp.us-east-1.amazonses.com, 20 mail.example.test",
        "MAIL FROM MX MX ns1.example.test TCP wrong MX 10 feedback-smtp.us-east-1.amazonses.com, 20 "
        "mail.example.test"}},
      {"two SPF records",
       1,
       "bounce.example.test TXT v=spf1 -all",
       {"MAIL FROM SPF TXT ns1.example.test UDP wrong TXT \"v=spf1 include:amazonses.com ~all\", \"v=spf1 -all\"",
        "MAIL FROM SPF TXT ns1.example.test TCP wrong TXT \"v=spf1 include:amazonses.com ~all\", \"v=spf1 -all\""}},
      {"an answer cut over UDP, whole over TCP", 1, "bounce.example.test MX !TRUNCATE", {}},
  };
  for (const auto& each : cases) {
    World world;
    world.at(each.server, each.lines);
    const auto look = world.looker.look(subject());
    EXPECT_THAT(faults(look), UnorderedElementsAreArray(each.faults)) << each.what;
    EXPECT_FALSE(look.nothing_answers || look.servers_unreachable || look.delegation) << each.what;
  }
}

TEST(Look, WhoIsLameFailsForEverything) {
  const struct {
    const char* conduct;
    const char* answer;
  } cases[] = {{"! lame refuses", "failing REFUSED"}, {"! lame forwards", "failing not authoritative"}};
  for (const auto& each : cases) {
    World world;
    world.at(2, each.conduct);
    const auto found = faults(world.looker.look(subject()));
    EXPECT_EQ(found.size(), 9u);  // DKIM 3, MX 2, SPF 2, the zone's NS and SOA
    EXPECT_THAT(found, Each(testing::AllOf(HasSubstr("ns2.example.test"), HasSubstr(each.answer))));
  }
}

TEST(Look, ServerThatRefersElsewhereHasNoAuthority) {
  World world;
  world.at(2, "_domainkey.example.test NS ns.gone.test");
  EXPECT_THAT(faults(world.looker.look(subject())),
              testing::Contains("DKIM CNAME ns2.example.test UDP failing not authoritative, refers to "
                                "_domainkey.example.test"));
}

TEST(Look, SerialIsOldOnlyWhenTheZonesRefreshTimeIsOver) {
  World world;
  world.at(3, "example.test SOA 6 3600");
  const auto is_old = [&] { return faults(world.looker.look(subject())); };
  // Whether it is old only time tells.
  const auto seen = part_of(world.looker.look(subject()), Part::zone).observations;
  EXPECT_EQ(std::ranges::count(seen, true, &Observation::behind), 1);
  EXPECT_THAT(is_old(), IsEmpty());
  world.clock.now += 3600;
  EXPECT_THAT(is_old(), IsEmpty());
  world.clock.now += 1;
  EXPECT_THAT(is_old(), ElementsAre("zone SOA ns3.example.test UDP old serial 6, others have 7"));
  // It moves on, though not far enough.
  world.at_all("example.test SOA 9 3600");
  world.at(3, "example.test SOA 8 3600");
  EXPECT_EQ(
      std::ranges::count(part_of(world.looker.look(subject()), Part::zone).observations, true, &Observation::behind),
      0);
  world.at(3, "example.test SOA 9 3600");
  world.clock.now += 7200;
  EXPECT_THAT(is_old(), IsEmpty());
}

TEST(Look, SerialsWrapAround) {
  World world;
  world.at_all("example.test SOA 4294967295 60");
  world.at(1, "example.test SOA 2 60");
  world.looker.look(subject());
  world.clock.now += 61;
  const auto found = faults(world.looker.look(subject()));
  EXPECT_EQ(found.size(), 3u);
  EXPECT_THAT(found, Each(HasSubstr("old serial 4294967295, others have 2")));
}

TEST(Look, AliasIsRightAndTextFailsEverywhere) {
  World world;
  world.at_all("tok._domainkey.example.test TXT !SERVFAIL");
  world.at_resolver("tok._domainkey.example.test TXT !SERVFAIL");
  const auto look = world.looker.look(subject());
  const auto found = faults(look);
  EXPECT_EQ(found.size(), 1u + kServers * 2);
  EXPECT_THAT(found, Each(testing::AllOf(testing::StartsWith("DKIM TXT"), HasSubstr("failing SERVFAIL"))));
  EXPECT_EQ(look.bogus_zone, "");
}

TEST(Look, RecordRemovedEverywhere) {
  World world;
  world.at_all("tok._domainkey.example.test * !NXDOMAIN");
  world.at_resolver("tok._domainkey.example.test * !NXDOMAIN");
  const auto found = faults(world.looker.look(subject()));
  EXPECT_EQ(found.size(), 2u + kServers * 3);
  EXPECT_THAT(found, Each(HasSubstr("absent NXDOMAIN")));
}

// The alias of the identity leads to `target` everywhere, where `there` stands; in us-east-1.
void lead_to(World& world, const std::string& target, const std::string& there) {
  auto records = std::string(kRecords);
  const std::string usual = "tok.dkim.amazonses.com";
  records.replace(records.find(usual), usual.size(), target);
  for (int i = 0; i < kServers; ++i)
    world.servers[static_cast<std::size_t>(i)]->with_zone(
        [&](test::Zone& zone) { zone = test::Zone("! role authority\n" + records); });
  world.resolver.zone() = world.unchecked.zone() =
      test::Zone(records + std::string(kElsewhere) + (there.empty() ? "" : target + " TXT " + there + "\n"));
}

constexpr const char* kKey =
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/"
    "zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq"
    "631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

TEST(Look, AliasMayLeadToAnotherZoneOfAmazonOnlyWhereTheZoneIsAGuessAndKeysStandThere) {
  enum class Zone { told, guessed };
  const struct {
    Zone zone;
    std::string target, there;
    bool good;
  } cases[] = {
      {Zone::told, "tok.a1.dkim.us-east-1.amazonses.com", kKey, false},
      {Zone::guessed, "tok.a1.dkim.us-east-1.amazonses.com", kKey, true},
      {Zone::guessed, "tok.a1.dkim.us-east-1.amazonses.com", "", false},
      {Zone::guessed, "tok.dkim.amazonaws.com", "", false},
      {Zone::guessed, "tok.dkim.eu-south-1.amazonses.com", kKey, false},
      {Zone::guessed, "other.a1.dkim.us-east-1.amazonses.com", kKey, false},
      {Zone::guessed, "tok.dkim.example.net", kKey, false},
  };
  for (const auto& each : cases) {
    World world;
    lead_to(world, each.target, each.there);
    auto watched = subject();
    if (each.zone == Zone::guessed) watched.records.front().zone_by_region = "us-east-1";
    const auto found = faults(world.looker.look(watched));
    EXPECT_EQ(found.size(), each.good ? 0u : 2u + kServers * 3) << each.target;
    EXPECT_THAT(found, Each(HasSubstr("wrong CNAME " + each.target)));
  }
}

TEST(Look, ServerWithAnotherTargetThanTheOthersIsAtFaultThoughTheZoneIsAGuess) {
  const std::string right = "tok.a1.dkim.us-east-1.amazonses.com", other = "tok.a2.dkim.us-east-1.amazonses.com";
  World world;
  lead_to(world, right, kKey);
  world.servers[1]->with_zone([&](test::Zone& zone) {
    zone = test::Zone(
        "! role authority\nexample.test SOA 7 3600\nexample.test NS ns1.example.test\n"
        "tok._domainkey.example.test CNAME " +
        other + "\n");
  });
  auto watched = subject();
  watched.records.resize(1);
  watched.records.front().zone_by_region = "us-east-1";
  const auto found = faults(world.looker.look(watched));
  EXPECT_THAT(found, testing::SizeIs(3));
  EXPECT_THAT(found, Each(testing::AllOf(HasSubstr("ns2.example.test"), HasSubstr("wrong CNAME " + other))));
  // The zone is known from now on, though the resolver fails.
  world.at_resolver("tok._domainkey.example.test * !SERVFAIL");
  const auto later = faults(world.looker.look(watched));
  EXPECT_THAT(later, testing::SizeIs(5));
  EXPECT_THAT(later, testing::Not(testing::Contains(HasSubstr("ns1.example.test"))));
}

// Amazon may have no record at all at a selector that is not in use.
TEST(Look, AliasToASelectorThatAmazonHasNotIsIdleUnlessNoneHoldsAKey) {
  World world;
  world.at_resolver("tok.dkim.amazonses.com * !NXDOMAIN");
  const auto look = world.looker.look(subject());
  EXPECT_THAT(faults(look), ElementsAre());
  EXPECT_TRUE(look.no_key);
}

TEST(Look, TellsWhenNoSelectorHoldsAKey) {
  const struct {
    const char* first;
    std::string second;
    bool none;
  } cases[] = {{"\"\"", "\"\"", true}, {"\"\"", kKey, false}, {"\"\"", "!SERVFAIL", false}, {"\"\"", "!NODATA", true}};
  for (const auto& each : cases) {
    World world;
    auto watched = subject();
    watched.records.push_back(
        {Part::dkim, "two._domainkey.example.test", {dns::Type::cname, dns::Type::txt}, "two.dkim.amazonses.com"});
    world.at_all("two._domainkey.example.test CNAME two.dkim.amazonses.com");
    world.resolver.zone() = test::Zone(std::string(kRecords) +
                                       "two._domainkey.example.test CNAME two.dkim.amazonses.com\n"
                                       "tok.dkim.amazonses.com TXT " +
                                       each.first + "\ntwo.dkim.amazonses.com TXT " + each.second + "\n");
    EXPECT_EQ(world.looker.look(watched).no_key, each.none) << each.second;
  }
}

TEST(Look, TellsWhatIsNoPlainAlias) {
  for (const std::string line :
       {"tok._domainkey.example.test TXT v=DKIM1; p=", "tok._domainkey.example.test A 192.0.2.1"}) {
    World world;
    world.resolver.zone() = test::Zone("example.test SOA 7 3600\nexample.test NS ns1.example.test\n" + line);
    EXPECT_THAT(world.looker.look(subject()).proxied, ElementsAre("tok._domainkey.example.test")) << line;
  }
}

TEST(Look, OwnKeyIsGoodWhenItParses) {
  const std::string key =
      "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/"
      "zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq"
      "631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
  const struct {
    std::string text, fault;
  } cases[] = {{key, ""}, {"v=DKIM1; " + key, ""}, {"p=", "wrong"}, {"p=AAAA", "wrong"}, {"nonsense", "wrong"}};
  for (const auto& each : cases) {
    World world;
    world.at_all("own._domainkey.example.test TXT " + each.text);
    world.at_resolver("own._domainkey.example.test TXT " + each.text);
    auto watched = subject();
    watched.records = {{Part::dkim, "own._domainkey.example.test", {dns::Type::txt}, ""}};
    const auto look = world.looker.look(watched);
    EXPECT_EQ(look.records.front().observations.size(), 1u + kServers * 2);
    const auto found = faults(look);
    EXPECT_EQ(found.size(), each.fault.empty() ? 0u : 1u + kServers * 2) << each.text;
    EXPECT_THAT(found, Each(HasSubstr(each.fault))) << each.text;
  }
}

TEST(Look, SpfThatLetsSesPassWithoutNamingItIsGood) {
  auto records = std::string(kRecords);
  const std::string usual = "v=spf1 include:amazonses.com ~all", by_address = "v=spf1 ip4:192.0.2.0/24 -all";
  records.replace(records.find(usual), usual.size(), by_address);
  World world;
  for (int i = 0; i < kServers; ++i)
    world.servers[static_cast<std::size_t>(i)]->with_zone(
        [&](test::Zone& zone) { zone = test::Zone("! role authority\n" + records); });
  EXPECT_EQ(faults(world.looker.look(subject())).size(), kServers * 2u);  // the resolver has the other text still
  world.resolver.zone() = test::Zone(records + std::string(kElsewhere));
  EXPECT_THAT(faults(world.looker.look(subject())), IsEmpty());
}

TEST(Look, ZoneThatOnlyFailsWhereSomebodyValidatesIsBogus) {
  World world;
  for (const auto* name : {"tok._domainkey.example.test", "bounce.example.test", "_dmarc.example.test", "example.test"})
    world.resolver.zone().add(std::string(name) + " * !BOGUS");
  const auto look = world.looker.look(subject());
  EXPECT_EQ(look.bogus_zone, "example.test");
  EXPECT_THAT(faults(look), Each(HasSubstr("resolver UDP failing SERVFAIL")));
  // Its servers are asked all the same.
  EXPECT_EQ(part_of(look, Part::dkim).observations.size(), 2u + kServers * 3);
}

TEST(Look, BogusIsWhereTheAliasLeads) {
  World world;
  world.resolver.zone().add("tok.dkim.amazonses.com * !BOGUS");
  EXPECT_EQ(world.looker.look(subject()).bogus_zone, "dkim.amazonses.com");
}

TEST(Look, AllServersDownIsTheirFaultWhileOthersAnswer) {
  World world;
  EXPECT_THAT(faults(world.looker.look(subject())), IsEmpty());
  for (int i = 0; i < kServers; ++i) world.servers[static_cast<std::size_t>(i)]->stop();
  for (const auto* name : {"tok._domainkey.example.test", "bounce.example.test", "_dmarc.example.test", "example.test",
                           "ns1.example.test", "ns2.example.test", "ns3.example.test", "ns4.example.test"})
    world.at_resolver(std::string(name) + " * !SERVFAIL");
  const auto look = world.looker.look(subject());
  EXPECT_FALSE(look.nothing_answers || look.servers_unreachable);
  const auto found = faults(look);
  EXPECT_THAT(found, testing::Contains("DKIM TXT ns1.example.test UDP failing port unreachable"));
  EXPECT_THAT(found, testing::Contains("DKIM TXT ns4.example.test TCP failing connection refused"));
  EXPECT_THAT(found, testing::Contains("DKIM TXT resolver UDP failing SERVFAIL"));
}

TEST(Look, NothingAnswers) {
  World world;
  for (int i = 0; i <= kServers; ++i) world.servers[static_cast<std::size_t>(i)]->stop();
  // Names of chance have no faults of their own: nothing exists, and nothing answers.
  world.resolver.zone() = world.unchecked.zone() = test::Zone("");
  class Silence final : public dns::Resolver {
   public:
    dns::AnswerPtr lookup(std::string_view name, dns::Type type, sesame::Deadline) override {
      auto answer = std::make_shared<dns::Answer>();
      answer->name = std::string(name);
      answer->type = type;
      return answer;
    }
    void prefetch(std::string_view, dns::Type) override {}
  } silence;
  Looker looker(Means{silence, silence, *world.prober, world.clock, world.servers.front()->port()});
  const auto look = looker.look(subject());
  EXPECT_TRUE(look.nothing_answers);
  EXPECT_FALSE(look.servers_unreachable);
}

TEST(Look, ServersThatOnlyWeCannotReachAreNotToBlame) {
  World world;
  for (int i = 0; i <= kServers; ++i) world.servers[static_cast<std::size_t>(i)]->stop();
  const auto look = world.looker.look(subject());
  EXPECT_TRUE(look.servers_unreachable);
  EXPECT_FALSE(look.nothing_answers);
}

// All that serve the domain are dead, and the resolver has it in its cache.
TEST(Look, AllServersOfOneDomainDownAreToBlameWhileAnyOtherAnswers) {
  World world;
  for (int i = 0; i < kServers; ++i) world.servers[static_cast<std::size_t>(i)]->stop();
  const auto check = [](const Look& look) {
    EXPECT_FALSE(look.nothing_answers || look.servers_unreachable);
    const auto found = faults(look);
    for (int i = 1; i <= kServers; ++i)
      EXPECT_THAT(found, testing::Contains(fmt::format("DKIM TXT ns{}.example.test UDP failing port unreachable", i)));
  };
  check(world.looker.look(subject()));  // the parent's
  world.servers[kParent - 1]->stop();
  world.clock.now += 60;
  EXPECT_TRUE(world.looker.look(subject()).servers_unreachable);

  // Amazon's, where nobody knows the parent.
  World other;
  for (int i = 0; i < kServers; ++i) other.servers[static_cast<std::size_t>(i)]->stop();
  other.resolver.zone() = test::Zone(std::string(kRecords) +
                                     "amazonses.com TXT v=spf1 -all\n"
                                     "amazonses.com NS ns.amazon.test\nns.amazon.test A 127.53.0.5\n");
  check(other.looker.look(subject()));
}

TEST(Look, ParentAndZoneNameOtherServers) {
  World world;
  // The zone lists three; the fourth is delegated to, and lacks the record.
  auto records = std::string(kRecords);
  const std::string fourth = "example.test                NS    ns4.example.test\n";
  records.erase(records.find(fourth), fourth.size());
  for (int i = 0; i < kServers; ++i)
    world.servers[static_cast<std::size_t>(i)]->with_zone(
        [&](test::Zone& zone) { zone = test::Zone("! role authority\n" + records); });
  world.resolver.zone() = test::Zone(records + std::string(kElsewhere));
  auto look = world.looker.look(subject());
  ASSERT_TRUE(look.delegation);
  EXPECT_THAT(look.delegation->parent,
              ElementsAre("ns1.example.test", "ns2.example.test", "ns3.example.test", "ns4.example.test"));
  EXPECT_THAT(look.delegation->child, ElementsAre("ns1.example.test", "ns2.example.test", "ns3.example.test"));
  EXPECT_EQ(look.delegation->name, "");
  EXPECT_THAT(look.delegation->only_on, IsEmpty());
  EXPECT_THAT(faults(look), IsEmpty());

  world.at(4, "tok._domainkey.example.test * !NXDOMAIN");
  look = world.looker.look(subject());
  ASSERT_TRUE(look.delegation);
  EXPECT_EQ(look.delegation->name, "tok._domainkey.example.test");
  EXPECT_THAT(look.delegation->only_on, ElementsAre("ns1.example.test", "ns2.example.test", "ns3.example.test"));
}

TEST(Look, ServerThatOnlyTheZoneNamesIsAskedToo) {
  World world;
  world.servers[kParent - 1]->with_zone([](test::Zone& zone) {
    zone = test::Zone("! role authority\ntest SOA 1 3600\nexample.test NS ns1.example.test\n");
  });
  auto known = std::string(kRecords);
  for (const auto* other : {"ns2", "ns3", "ns4"}) {
    const auto line = fmt::format("example.test                NS    {}.example.test\n", other);
    known.erase(known.find(line), line.size());
  }
  world.resolver.zone() = test::Zone(known + std::string(kElsewhere));
  const auto look = world.looker.look(subject());
  EXPECT_EQ(part_of(look, Part::dkim).observations.size(), 2u + kServers * 3);
  ASSERT_TRUE(look.delegation);
  EXPECT_THAT(look.delegation->parent, ElementsAre("ns1.example.test"));
  EXPECT_EQ(look.delegation->child.size(), 4u);
}

TEST(Look, ParentIsAskedOnceInAnHour) {
  World world;
  const auto& parent = *world.servers[kParent - 1];
  world.looker.look(subject());
  world.clock.now += 3599;
  world.looker.look(subject());
  EXPECT_THAT(parent.queries(), ElementsAre("NS example.test udp"));
  world.clock.now += 1;
  world.looker.look(subject());
  EXPECT_EQ(parent.queries().size(), 2u);
}

TEST(Look, ADelegationThatIsMendedIsSeenAtTheNextLook) {
  World world;
  world.servers[kParent - 1]->with_zone([](test::Zone& zone) {
    zone = test::Zone("! role authority\ntest SOA 1 3600\nexample.test NS ns1.example.test\n");
  });
  EXPECT_TRUE(world.looker.look(subject()).delegation);
  world.servers[kParent - 1]->with_zone([](test::Zone& zone) { zone = test::Zone(kParentZone); });
  world.clock.now += 60;
  EXPECT_FALSE(world.looker.look(subject()).delegation);
}

TEST(Look, AddressesThisHostHasNoWayToAreLeftOut) {
  World world;
  // Nobody may send there, as nobody can send to IPv6 without having any.
  world.at_resolver("ns1.example.test A 255.255.255.255\nns2.example.test AAAA 100::1");
  const auto look = world.looker.look(subject());
  EXPECT_THAT(faults(look), IsEmpty());
  EXPECT_EQ(part_of(look, Part::dkim).observations.size(), 2u + kServers * 3);
}

TEST(Look, NoMoreThanSixteenAddressesAreAsked) {
  World world;
  for (int i = 1; i <= 20; ++i) world.at_resolver(fmt::format("ns1.example.test A 127.53.1.{}", i));
  auto watched = subject();
  const auto look = world.looker.look(watched);
  const auto& zone = part_of(look, Part::zone).observations;
  std::set<std::string> addresses;
  for (const auto& seen : zone)
    if (!seen.from_resolver()) addresses.insert(seen.address);
  EXPECT_EQ(addresses.size(), 16u);
  // Each server had its turn before any had a second.
  for (int i = 2; i <= kServers; ++i) EXPECT_TRUE(addresses.contains(fmt::format("127.53.0.{}", i)));
  EXPECT_THAT(zone.front().answer, HasSubstr("of 24 addresses 16 are asked"));
}

TEST(Look, WhatIsSeenIsPrintableAndShort) {
  World world;
  world.at(1, "bounce.example.test TXT v=spf1 \x01" + std::string(2000, 'x'));
  const auto look = world.looker.look(subject());
  EXPECT_EQ(faults(look).size(), 1u);  // over UDP there is no room for it
  for (const auto& seen : part_of(look, Part::mail_from_spf).observations) {
    EXPECT_LE(seen.answer.size(), 512u);
    EXPECT_EQ(seen.answer.find('\x01'), std::string::npos);
  }
}

}  // namespace
}  // namespace sesame::watch
