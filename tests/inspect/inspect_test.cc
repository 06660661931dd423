#include "inspect/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "inspect/render.h"
#include "support/fake_resolver.h"

namespace sesame::inspect {
namespace {

using policy::Direction;
using testing::HasSubstr;

std::shared_ptr<Runtime> runtime_with(std::string_view zone) {
  auto runtime = std::make_shared<Runtime>();
  runtime->config = config::defaults();
  runtime->config.rules.authserv_id = "mx.example.net";
  runtime->config.rules.own_ids = {"mx.example.net"};
  runtime->config.ses.region = "us-east-1";
  runtime->resolver = std::make_shared<test::FakeResolver>(zone);
  runtime->suffixes = dmarc::PublicSuffixList::system();
  runtime->accounts = std::make_shared<ses::Accounts>(runtime->config.ses, ses::Snapshot{}, 0);
  return runtime;
}

void know(Runtime& runtime, const char* name) {
  ses::Identity identity;
  identity.name = name;
  identity.region = "us-east-1";
  runtime.config.ses.identities = {identity};
  runtime.accounts = std::make_shared<ses::Accounts>(runtime.config.ses, ses::Snapshot{}, 0);
}

mail::Envelope envelope_from(const char* client) {
  mail::Envelope envelope;
  envelope.client = IpAddress::parse(client);
  envelope.helo = "mail.example.com";
  envelope.mail_from = "a@example.com";
  envelope.recipients = {"b@example.net"};
  return envelope;
}

constexpr std::string_view kZone =
    "example.com TXT v=spf1 ip4:192.0.2.0/24 -all\n"
    "_dmarc.example.com TXT v=DMARC1; p=reject\n"
    "mail.example.com A 192.0.2.7\n";

policy::Report inspect_message(const std::shared_ptr<Runtime>& runtime, const mail::Envelope& envelope,
                               const mail::Fields& fields, std::string_view body = "hello\r\n") {
  Inspection inspection(runtime, direction_of(runtime->config, envelope), envelope);
  for (const auto& field : fields) inspection.field(field);
  inspection.end_of_header();
  inspection.body(body);
  return inspection.finish();
}

TEST(Direction, OursIsWhatIsAuthenticatedLocalOrConfigured) {
  auto config = config::defaults();
  config.directions.outbound_networks = {*Network::parse("192.0.2.0/24"), *Network::parse("2001:db8::/32")};
  config.directions.outbound_daemon_names = {"submission"};
  config.directions.ignore_networks = {*Network::parse("192.0.2.99")};
  const auto direction = [&](const char* client, const char* user, const char* daemon) {
    mail::Envelope envelope;
    if (client) envelope.client = IpAddress::parse(client);
    envelope.auth_user = user;
    envelope.daemon_name = daemon;
    return direction_of(config, envelope);
  };
  EXPECT_EQ(direction("203.0.113.5", "", ""), Direction::inbound);
  EXPECT_EQ(direction("203.0.113.5", "alice", ""), Direction::outbound);
  EXPECT_EQ(direction("203.0.113.5", "", "submission"), Direction::outbound);
  EXPECT_EQ(direction("192.0.2.1", "", ""), Direction::outbound);
  EXPECT_EQ(direction("::ffff:192.0.2.1", "", ""), Direction::outbound);
  EXPECT_EQ(direction("2001:db8::1", "", ""), Direction::outbound);
  EXPECT_EQ(direction(nullptr, "", ""), Direction::outbound);
  EXPECT_EQ(direction("192.0.2.99", "alice", ""), Direction::ignored);
}

TEST(Inbound, SpfAndDmarcAreJudged) {
  const auto runtime = runtime_with(kZone);
  const auto report = inspect_message(runtime, envelope_from("192.0.2.7"), {{"From", " <a@example.com>"}});
  EXPECT_EQ(report.direction, Direction::inbound);
  ASSERT_TRUE(report.spf_mail_from);
  EXPECT_EQ(report.spf_mail_from->result, spf::Result::pass);
  EXPECT_EQ(report.dmarc.result, dmarc::Result::pass);
  EXPECT_EQ(report.dmarc_rfc7489.result, dmarc::Result::pass);
  const auto other = inspect_message(runtime, envelope_from("203.0.113.7"), {{"From", " <a@example.com>"}});
  EXPECT_EQ(other.dmarc.result, dmarc::Result::fail);
}

TEST(Inbound, TwoFromFieldsAndNoneArePermerrorNeverPass) {
  const auto runtime = runtime_with(kZone);
  for (const mail::Fields& fields : {mail::Fields{{"From", " a@example.com"}, {"From ", " b@example.net"}},
                                     mail::Fields{{"Subject", " x"}}, mail::Fields{{"From", " nobody"}}}) {
    const auto report = inspect_message(runtime, envelope_from("192.0.2.7"), fields);
    EXPECT_EQ(report.dmarc.result, dmarc::Result::permerror);
    EXPECT_FALSE(policy::why(report).empty());
  }
}

TEST(Inbound, ForgedResultsAreFoundLastFirstByTheirPlaceAmongTheirKind) {
  const auto runtime = runtime_with(kZone);
  const auto report = inspect_message(runtime, envelope_from("192.0.2.7"),
                                      {{"Authentication-Results", " mx.example.net; dmarc=pass"},
                                       {"Authentication-Results", " other.example; dmarc=pass"},
                                       {"From", " a@example.com"},
                                       {"authentication-results", " MX.Example.NET. 1; spf=pass"}});
  EXPECT_EQ(report.forged_results,
            (std::vector<policy::Place>{{"Authentication-Results", 3}, {"Authentication-Results", 1}}));
}

TEST(Inbound, FieldsThatHideForgedResultsGoWithThem) {  // A2
  const std::string forged = "Authentication-Results: mx.example.net; dmarc=pass";
  const auto report = inspect_message(runtime_with(kZone), envelope_from("192.0.2.7"),
                                      {{"Subject", " one"},
                                       {"From", " a@example.com"},
                                       {"subject", " two\r" + forged},
                                       {"X-A", " b\n" + forged},
                                       {"X-B", " a fold\r\n " + forged},
                                       {"X-C", " c\rAuthentication-Results: other.example; dmarc=pass"}});
  EXPECT_EQ(report.forged_results, (std::vector<policy::Place>{{"X-A", 1}, {"subject", 2}}));
  EXPECT_EQ(report.dmarc.result, dmarc::Result::pass);
}

TEST(Inbound, AnUnusablePolicyIsNamed) {
  const auto runtime = runtime_with("_dmarc.example.com TXT v=DMARC1; p=banana\n");
  const auto report = inspect_message(runtime, envelope_from("192.0.2.7"), {{"From", " <a@example.com>"}});
  EXPECT_EQ(report.dmarc.result, dmarc::Result::none);
  EXPECT_THAT(policy::why(report), HasSubstr("_dmarc.example.com: p is missing or a policy is not valid"));
}

TEST(Inbound, BareLineEndsAreCountedAndTold) {  // D19
  const auto report = inspect_message(runtime_with(kZone), envelope_from("192.0.2.1"), {{"From", " a@example.com"}},
                                      "one\r\n.\n\r\ntwo\r\r\n");
  EXPECT_EQ(report.bare_ends, (mail::BareLineEnds{1, 1}));
  const policy::Decision decision;
  EXPECT_THAT(log_text(report, decision), HasSubstr("bare_cr=1 bare_lf=1"));
  EXPECT_EQ(nlohmann::json::parse(log_json(report, decision))["body"]["bare_lf"], 1);
  EXPECT_EQ(nlohmann::json::parse(verify_json(report, Standards::both))["body"]["bare_cr"], 1);
  EXPECT_THAT(verify_text(report, Standards::both), HasSubstr("1 bare CR, 1 bare LF"));
  const auto clean = inspect_message(runtime_with(kZone), envelope_from("192.0.2.1"), {{"From", " a@example.com"}});
  EXPECT_EQ(log_text(clean, decision).find("bare"), std::string::npos);
}

TEST(Limits, VoidLookupsAreAsConfigured) {  // R3
  const auto runtime =
      runtime_with("example.com TXT v=spf1 a:v1.example.com a:v2.example.com a:v3.example.com ip4:192.0.2.0/24 -all\n");
  const auto result = [&] {
    return inspect_message(runtime, envelope_from("192.0.2.1"), {{"From", " a@example.com"}}).spf_mail_from->result;
  };
  EXPECT_EQ(result(), spf::Result::permerror);
  runtime->config.limits.spf_void_lookups = 3;
  EXPECT_EQ(result(), spf::Result::pass);
}

TEST(Limits, AnOverlongHeaderGetsAReasonAndNothingDefinite) {
  const auto runtime = runtime_with(kZone);
  runtime->config.limits.header_bytes = 1000;
  const mail::Fields fields = {{"From", " a@example.com"},
                               {"X-Big", " " + std::string(2000, 'x')},
                               {"Authentication-Results", " mx.example.net; dmarc=pass"}};
  const auto inbound = inspect_message(runtime, envelope_from("192.0.2.7"), fields);
  EXPECT_EQ(inbound.dmarc.result, dmarc::Result::permerror);
  EXPECT_EQ(inbound.forged_results, (std::vector<policy::Place>{{"Authentication-Results", 1}}));
  EXPECT_THAT(policy::why(inbound), HasSubstr("1000"));
  const auto outbound = inspect_message(runtime, envelope_from("127.0.0.1"), fields);
  ASSERT_TRUE(outbound.prediction);
  EXPECT_EQ(outbound.prediction->verdict, ses::Verdict::unknown);
}

// What is covered may stand behind the limit: neither pass nor fail can be said, and no chain is taken for whole.
TEST(Limits, AnOverlongHeaderLeavesNoSignatureAndNoAuthorDefinite) {
  const auto runtime = runtime_with(kZone);
  runtime->config.limits.header_bytes = 1000;
  runtime->config.directions.ignore_from_domains = {"example.com"};
  mail::Fields fields = {{"From", " a@example.com"},
                         {"DKIM-Signature",
                          " v=1; a=ed25519-sha256; d=example.com; s=k; h=from:subject; "
                          "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA"},
                         {"X-Big", " " + std::string(2000, 'x')},
                         {"Subject", " signed"},
                         {"From", " b@example.net"}};
  dynamic_cast<test::FakeResolver&>(*runtime->resolver)
      .zone()
      .add("k._domainkey.example.com TXT k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n");
  const auto report = inspect_message(runtime, envelope_from("192.0.2.7"), fields, "");
  EXPECT_EQ(report.direction, Direction::inbound);
  ASSERT_EQ(report.dkim.size(), 1u);
  EXPECT_EQ(report.dkim[0].result, dkim::Result::policy);
  EXPECT_EQ(report.arc.result, arc::Result::none);
}

TEST(Ignore, ConfiguredAuthorDomainsAreLeftAlone) {
  const auto runtime = runtime_with(kZone);
  runtime->config.directions.ignore_from_domains = {"example.com"};
  const auto report = inspect_message(runtime, envelope_from("192.0.2.7"), {{"From", " a@sub.example.com"}});
  EXPECT_EQ(report.direction, Direction::ignored);
  EXPECT_EQ(report.dns.lookups, 0);
}

// A clock that only DNS moves, and a resolver that takes all the time it is given for some names.
class StoppedClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override { return now; }
  std::int64_t unix_now() const override { return 1'750'000'000; }
  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
};

class SlowResolver final : public dns::Resolver {
 public:
  SlowResolver(std::string_view zone, StoppedClock& clock) : known_(zone), clock_(clock) {}
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    const bool slow = name.ends_with("slow.example");
    if (!slow && clock_.now < deadline) return known_.lookup(name, type, deadline);
    clock_.now = std::max(clock_.now, deadline);
    auto answer = std::make_shared<dns::Answer>();
    answer->name = name;
    answer->type = type;
    return answer;
  }
  void prefetch(std::string_view, dns::Type) override {}

 private:
  test::FakeResolver known_;
  StoppedClock& clock_;
};

TEST(Budget, SignersWhoseKeysNeverComeDoNotMakeASpoofUndecided) {
  const auto runtime = runtime_with("");
  StoppedClock clock;
  runtime->clock = &clock;
  runtime->resolver = std::make_shared<SlowResolver>(
      "example.com TXT v=spf1 include:_spf.example.com -all\n_spf.example.com TXT v=spf1 ip4:192.0.2.0/24 ?all\n"
      "_dmarc.example.com TXT v=DMARC1; p=reject\n",
      clock);
  mail::Fields fields = {{"From", " a@example.com"}};
  for (const auto* domain : {"a.slow.example", "b.slow.example", "c.slow.example", "example.com"})
    fields.push_back({"DKIM-Signature", " v=1; a=rsa-sha256; d=" + std::string(domain) +
                                            "; s=k; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA"});
  auto envelope = envelope_from("203.0.113.7");
  envelope.helo = "helo.slow.example";
  const auto report = inspect_message(runtime, envelope, fields, "");
  EXPECT_EQ(report.dkim[0].result, dkim::Result::temperror);
  EXPECT_EQ(report.dkim[3].result, dkim::Result::permerror);
  EXPECT_EQ(report.spf_mail_from->result, spf::Result::fail);
  EXPECT_EQ(report.dmarc.result, dmarc::Result::fail);
  EXPECT_EQ(report.dmarc_rfc7489.result, dmarc::Result::fail);
}

TEST(Budget, DeadDnsLeavesOutboundMailUnknownAndNamesTheLookup) {
  const auto runtime = runtime_with("_dmarc.example.com TXT !TIMEOUT\n");
  know(*runtime, "example.com");
  const auto report = inspect_message(runtime, envelope_from("127.0.0.1"), {{"From", " a@example.com"}});
  ASSERT_TRUE(report.prediction);
  EXPECT_EQ(report.prediction->verdict, ses::Verdict::unknown);
  EXPECT_THAT(report.dns.failed, HasSubstr("_dmarc.example.com"));
  const auto decision = policy::decide(report, runtime->config.rules);
  EXPECT_EQ(decision.action, policy::Decision::Action::accept);
}

TEST(Render, JsonHasThePromisedNamesAndSurvivesAnyOctet) {
  const auto runtime = runtime_with(kZone);
  know(*runtime, "example.org");
  auto envelope = envelope_from("127.0.0.1");
  envelope.mail_from = "\xff\xfe\"@example.com";
  const auto report = inspect_message(runtime, envelope, {{"From", " a@example.com"}, {"Message-ID", " <\xff>"}});
  const auto decision = policy::decide(report, runtime->config.rules);
  const auto event = nlohmann::json::parse(log_json(report, decision));
  for (const auto* key : {"time", "queue_id", "direction", "from_domain", "identity", "legs", "verdict", "action",
                          "findings", "dns_queries", "dns_ms", "why"})
    EXPECT_TRUE(event.contains(key)) << key;
  const auto preflight = nlohmann::json::parse(preflight_json(report, decision));
  for (const auto* key : {"verdict", "confidence", "identity", "legs", "dmarc", "findings", "action"})
    EXPECT_TRUE(preflight.contains(key)) << key;
  EXPECT_EQ(preflight["verdict"], "refused");
  EXPECT_EQ(preflight["legs"]["dkim"]["usable"], false);
  const auto verify = nlohmann::json::parse(verify_json(report, Standards::both));
  for (const auto* key : {"spf", "dkim", "dmarc", "dmarc_rfc7489", "arc"}) EXPECT_TRUE(verify.contains(key)) << key;
  EXPECT_FALSE(nlohmann::json::parse(verify_json(report, Standards::one)).contains("dmarc_rfc7489"));
  const auto text = log_text(report, decision);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  for (const char c : text) EXPECT_GE(c, ' ');
}

}  // namespace
}  // namespace sesame::inspect
