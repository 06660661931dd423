// Looks at the edges of an outage near this host, and with a resolver that is down.
#include <gtest/gtest.h>

#include <atomic>

#include "support/dns_server.h"
#include "support/fake_resolver.h"
#include "watch/look.h"

namespace sesame::watch {
namespace {

constexpr const char* kRecords = R"(
example.test                SOA   7 3600
example.test                NS    ns1.example.test
ns1.example.test            A     127.0.0.1
tok._domainkey.example.test CNAME tok.dkim.amazonses.com
_dmarc.example.test         TXT   v=DMARC1; p=none
)";
constexpr const char* kElsewhere = R"(
tok.dkim.amazonses.com      TXT   "p="
amazonses.com               TXT   v=spf1 ip4:192.0.2.0/24 -all
)";

// Silent from one look-up on, and up to another.
class Moody final : public dns::Resolver {
 public:
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    const int number = asked++;
    if (number < from || number >= until) return inner_.lookup(name, type, deadline);
    auto answer = std::make_shared<dns::Answer>();
    answer->name = std::string(name);
    answer->type = type;
    return answer;
  }
  void prefetch(std::string_view, dns::Type) override {}

  static constexpr int kNever = 1 << 30;
  std::atomic<int> asked = 0, from = kNever, until = kNever;

 private:
  test::FakeResolver inner_{std::string(kRecords) + kElsewhere};
};

Subject subject() {
  using dns::Type;
  return {"example.test",
          "",
          "us-east-1",
          "example.test",
          {{Part::dkim, "tok._domainkey.example.test", {Type::cname, Type::txt}, "tok.dkim.amazonses.com"},
           {Part::dmarc, "_dmarc.example.test", {Type::txt}, ""},
           {Part::zone, "example.test", {Type::ns, Type::soa}, ""},
           {Part::amazon, "amazonses.com", {Type::txt}, ""}}};
}

class Outage : public testing::Test {
 protected:
  static std::unique_ptr<dns::Prober> quick_prober() {
    dns::ProberOptions options;
    options.timeout = std::chrono::milliseconds(200);
    options.max_rate = 10'000;
    return std::move(*dns::make_prober(options));
  }

  Look look() { return looker_.look(subject()); }
  static std::size_t faults(const Look& look) {
    std::size_t count = 0;
    for (const auto& record : look.records)
      for (const auto& seen : record.observations) count += seen.quality == Quality::good ? 0 : 1;
    return count;
  }

  test::DnsServer server_{std::string("! role authority\n") + kRecords};
  Moody resolver_, unchecked_;
  std::unique_ptr<dns::Prober> prober_ = quick_prober();
  Looker looker_{Means{resolver_, unchecked_, *prober_, system_clock(), server_.port()}};
};

TEST_F(Outage, WithoutOneAllIsWell) {
  const auto seen = look();
  EXPECT_FALSE(seen.nothing_answers);
  EXPECT_EQ(faults(seen), 0u);
}

TEST_F(Outage, AResolverThatIsDownIsNoFaultOfAnyRecord) {
  look();  // where the servers are is known from now on
  resolver_.from = 0;
  resolver_.asked = 0;
  EXPECT_TRUE(look().nothing_answers);
}

TEST_F(Outage, WhatBeginsDuringALookIsNoFaultOfAnyRecord) {
  look();
  resolver_.asked = 0;
  look();
  // After this many look-ups the servers are asked.
  const int last = resolver_.asked;
  ASSERT_GT(last, 5);
  for (const int first_silent : {1, 3, last}) {
    resolver_.asked = 0;
    resolver_.from = first_silent;
    server_.stop();
    EXPECT_TRUE(look().nothing_answers) << first_silent;
    resolver_.from = Moody::kNever;
    server_.start();
    EXPECT_FALSE(look().nothing_answers) << first_silent;
  }
}

TEST_F(Outage, WhatEndsDuringALookIsNoFaultOfAnyRecord) {
  look();
  for (const int last_silent : {1, 3, 6}) {
    resolver_.asked = 0;
    resolver_.from = 0;
    resolver_.until = last_silent;
    const auto seen = look();
    EXPECT_EQ(seen.nothing_answers ? 0u : faults(seen), 0u) << last_silent;
  }
}

TEST_F(Outage, AServerThatIsDownWhileTheResolverWorksIsTold) {
  look();
  server_.with_zone([](test::Zone& zone) { zone.add("tok._domainkey.example.test TXT !TIMEOUT\n"); });
  const auto seen = look();
  EXPECT_FALSE(seen.nothing_answers);
  EXPECT_GT(faults(seen), 0u);
}

}  // namespace
}  // namespace sesame::watch
