// What is asked ahead of a check is what the check asks.
#include "check.h"
#include "dns/meter.h"
#include "support/late_resolver.h"

namespace sesame::spf {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr std::string_view kZone =
    "inc.example.net TXT v=spf1 ip4:198.51.100.0/24 include:deep.example.net ?all\n"
    "deep.example.net TXT v=spf1 a:m1.example.net -all\n"
    "m1.example.net A 192.0.2.1\n"
    "m1.example.net AAAA 2001:db8::1\n"
    "m2.example.net A 203.0.113.7\n"
    "mx.example.net MX 20 m2.example.net\n"
    "mx.example.net MX 10 m1.example.net\n"
    "why.example.net TXT %{i} is not one of ours\n"
    "1.2.0.192.in-addr.arpa PTR m1.example.net\n"
    "user.192.0.2.1.list.example.net A 127.0.0.2\n"
    "loop.example.net TXT v=spf1 include:loop.example.net -all\n"
    "broken.example.net TXT v=spf1 nonsense:1\n"
    "mail.example.net TXT v=spf1 a -all\n"
    "mail.example.net A 192.0.2.1\n"
    "down.example.net TXT !SERVFAIL\n"
    "down.example.net A !SERVFAIL\n"
    "down.example.net AAAA !SERVFAIL\n"
    "alias.example.net CNAME inc.example.net\n";

const char* const kRecords[] = {
    "v=spf1 -all",
    "v=spf1 ip4:192.0.2.0/24 include:inc.example.net -all",
    "v=spf1 include:inc.example.net include:mx.example.net a:m2.example.net -all",
    "v=spf1 include:alias.example.net a:m2.example.net -all",
    "v=spf1 a:m2.example.net mx:mx.example.net include:inc.example.net -all",
    "v=spf1 ip6:2001:db8::/32 redirect=inc.example.net",
    "v=spf1 ptr:example.org a:m2.example.net -all",
    "v=spf1 ptr:example.net a:m2.example.net -all",
    "v=spf1 exists:%{l}.%{i}.list.example.net include:inc.example.net -all",
    "v=spf1 exists:%{p}.list.example.net a:m2.example.net -all",
    "v=spf1 a:m2.example.net -all exp=why.example.net",
    "v=spf1 a:v1.example.net a:v2.example.net a:v3.example.net a:m2.example.net -all",
    "v=spf1 include:loop.example.net a:m2.example.net -all",
    "v=spf1 include:broken.example.net a:m2.example.net -all",
    "v=spf1 include:down.example.net a:m2.example.net -all",
    "v=spf1 a:down.example.net a:m2.example.net -all",
    "v=spf1 a:m2.example.net nonsense:1",
    "v=spf1 include:nowhere.example.net a:m2.example.net -all",
};

// Each question once, as a message asks it.
std::vector<std::string> asked_by(const std::string& zone, Identity identity, const Query& query) {
  test::FakeResolver resolver(zone);
  dns::Meter meter(resolver, system_clock());
  if (identity == Identity::helo) {
    check_helo(meter, query, {});
  } else {
    check_mail_from(meter, query, {});
  }
  return resolver.asked();
}

std::vector<std::string> asked_ahead(const std::string& zone, Identity identity, const Query& query) {
  test::LateResolver resolver(zone);
  prefetch(resolver, identity, query, {});
  EXPECT_LE(resolver.asked().size(), 1u);
  resolver.let_come();
  return resolver.asked();
}

TEST(Prefetch, AsksWhatTheCheckAsks) {
  for (const std::string record : kRecords) {
    const auto zone = std::string(kZone) + "example.com TXT " + record + "\n";
    for (const char* client : {"192.0.2.1", "198.51.100.9", "203.0.113.9", "2001:db8::1", "2001:db9::1"}) {
      for (const char* sender : {"user@example.com", ""}) {
        const Query query{ip(client), "mail.example.net", sender};
        for (const auto identity : {Identity::mail_from, Identity::helo})
          EXPECT_THAT(asked_ahead(zone, identity, query), ElementsAreArray(asked_by(zone, identity, query)))
              << record << " " << client << " " << sender;
      }
    }
  }
}

TEST(Prefetch, AsksNothingWhereThereIsNoDomain) {
  for (const char* name : {"", "localhost", "[192.0.2.1]", "192.0.2.1", "a..b", "user@", "user@localhost"}) {
    const Query query{ip("192.0.2.1"), name, name};
    EXPECT_THAT(asked_ahead(std::string(kZone), Identity::mail_from, query), IsEmpty()) << name;
    EXPECT_THAT(asked_ahead(std::string(kZone), Identity::helo, query), IsEmpty()) << name;
  }
}

// Ten mx terms of ten hosts each: a hundred look-ups, each with a rehearsal of all those before.
TEST(Prefetch, IsBounded) {
  std::string zone = "example.com TXT v=spf1";
  for (char mx = 'a'; mx <= 'j'; ++mx) zone += std::string(" mx:") + mx + ".example.net";
  zone += " -all\n";
  for (char mx = 'a'; mx <= 'j'; ++mx) {
    for (int host = 0; host < 10; ++host) {
      const auto name = std::string(1, mx) + std::to_string(host) + ".example.net";
      zone += std::string(1, mx) + ".example.net MX 10 " + name + "\n" + name + " A 198.51.100.1\n";
    }
  }
  const auto query = query_from("192.0.2.1");
  const auto all = asked_by(zone, Identity::mail_from, query);
  EXPECT_EQ(all.size(), 111u);
  const auto ahead = asked_ahead(zone, Identity::mail_from, query);
  EXPECT_EQ(ahead.size(), 20u);
  EXPECT_TRUE(std::equal(ahead.begin(), ahead.end(), all.begin()));
}

// What is kept of the answers outlives the message, so large ones end it.
TEST(Prefetch, IsBoundedInOctets) {
  for (const int kilobytes : {4, 20}) {
    std::string zone = "example.com TXT v=spf1 include:inc.example.net a:m2.example.net -all\n" + std::string(kZone);
    for (int i = 0; i < kilobytes * 4; ++i) zone += "inc.example.net TXT " + std::string(250, 'x') + "\n";
    const auto query = query_from("192.0.2.1");
    const auto all = asked_by(zone, Identity::mail_from, query);
    EXPECT_GT(all.size(), 2u);
    EXPECT_EQ(asked_ahead(zone, Identity::mail_from, query).size(), kilobytes == 4 ? all.size() : 2u) << kilobytes;
  }
}

// Where all is known at once nothing is waited for, and the order is the same.
TEST(Prefetch, GoesOnAtOnceWithWhatIsKnown) {
  struct Known final : dns::Resolver {
    explicit Known(const std::string& text) : zone(text) {}
    dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
      return zone.lookup(name, type, deadline);
    }
    void prefetch(std::string_view, dns::Type) override {}
    void prefetch_then(std::string_view name, dns::Type type, Then then) override {
      const auto answer = zone.lookup(name, type, Deadline::max());
      if (!dns::is_temporary(answer->status)) then(*this, *answer);
    }
    test::FakeResolver zone;
  };
  for (const std::string record : kRecords) {
    const auto zone = std::string(kZone) + "example.com TXT " + record + "\n";
    const auto query = query_from("192.0.2.1");
    Known known(zone);
    prefetch(known, Identity::mail_from, query, {});
    EXPECT_THAT(known.zone.asked(), ElementsAreArray(asked_by(zone, Identity::mail_from, query))) << record;
  }
}

}  // namespace
}  // namespace sesame::spf
