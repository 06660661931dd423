// What a report tells of answers past their time to live, and what a reload does with answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "inspect/inspect.h"
#include "inspect/render.h"
#include "inspect/render_doctor.h"
#include "support/dns_server.h"
#include "support/fake_resolver.h"
#include "support/stale_resolver.h"

namespace sesame::inspect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kZone =
    "example.com TXT v=spf1 ip4:192.0.2.0/24 -all\n"
    "_dmarc.example.com TXT v=DMARC1; p=reject\n";

class Stale : public testing::Test {
 protected:
  policy::Report judge(policy::Direction direction, std::vector<std::string> questions) {
    Runtime runtime;
    runtime.config = config::defaults();
    runtime.resolver = std::make_shared<test::StaleResolver>(fresh_, std::move(questions));
    runtime.suffixes = dmarc::PublicSuffixList::system();
    mail::Envelope envelope;
    envelope.client = IpAddress::parse("192.0.2.7");
    envelope.helo = "mail.example.com";
    envelope.mail_from = "a@example.com";
    Inspection inspection(std::make_shared<Runtime>(runtime), direction, envelope);
    inspection.field({"From", " a@example.com"});
    inspection.end_of_header();
    return inspection.finish();
  }

  test::FakeResolver fresh_{kZone};
  const policy::Decision decision_;
};

TEST_F(Stale, AnswersAreToldWithTheFirstOfThem) {
  const auto report = judge(policy::Direction::inbound, {"TXT example.com", "TXT _dmarc.example.com"});
  EXPECT_EQ(report.dmarc.result, dmarc::Result::pass);
  EXPECT_THAT(log_text(report, decision_), HasSubstr(" dns_stale=2 "));
  EXPECT_EQ(json::parse(log_json(report, decision_))["dns_stale"], 2);
  const auto told = json::parse(verify_json(report, Standards::both))["dns"];
  EXPECT_EQ(told["stale"], 2);
  EXPECT_EQ(told["stale_name"], report.dns.stale_name);
  const auto text =
      "2 answers are past their time to live, and no newer ones came; the first: " + report.dns.stale_name + "\n";
  EXPECT_THAT(verify_text(report, Standards::both), HasSubstr("DNS           " + text));
  EXPECT_THAT(preflight_text(report, decision_), HasSubstr("DNS        " + text));
  ses::Examination examination;
  examination.dns = report.dns;
  EXPECT_EQ(json::parse(doctor_json({&examination, 1}, Shape::one))["dns"]["stale"], 2);
  EXPECT_THAT(doctor_text({&examination, 1}), HasSubstr("2 answers are past their time to live"));
}

TEST_F(Stale, NothingIsToldWhereThereAreNone) {
  const auto report = judge(policy::Direction::inbound, {});
  EXPECT_THAT(log_text(report, decision_), Not(HasSubstr("dns_stale")));
  EXPECT_FALSE(json::parse(log_json(report, decision_)).contains("dns_stale"));
  EXPECT_EQ(json::parse(verify_json(report, Standards::both))["dns"]["stale"], 0);
  EXPECT_THAT(verify_text(report, Standards::both), Not(HasSubstr("time to live")));
}

// RFC 8767 Section 4: that there was no SPF record is no proof that there is none.
TEST_F(Stale, AnAbsenceNeverMakesMailFail) {
  fresh_.zone().remove("example.com");
  const auto report = judge(policy::Direction::inbound, {"TXT example.com"});
  EXPECT_EQ(report.spf_mail_from->result, spf::Result::temperror);
  EXPECT_EQ(report.dmarc.result, dmarc::Result::temperror);
  EXPECT_EQ(report.spf_mail_from->reason, "TXT example.com: only a stale NODATA");
}

TEST(DnsReload, ANewResolverKnowsWhatTheOldOneKnew) {
  test::DnsServer server(kZone);
  auto config = config::defaults();
  config.dns.servers = {server.host_port()};
  const auto first = make_runtime(config);
  ASSERT_TRUE(first);
  const auto ask = [](const Runtime& runtime) {
    return runtime.resolver->lookup("example.com", dns::Type::txt, Deadline::max())->texts;
  };
  const auto texts = ask(**first);
  EXPECT_THAT(texts, Not(IsEmpty()));
  server.forget_queries();
  config.dns.max_ttl = 3600;
  const auto second = make_runtime(config, **first);
  ASSERT_TRUE(second);
  EXPECT_NE((*second)->cache, (*first)->cache);
  EXPECT_EQ(ask(**second), texts);
  EXPECT_THAT(server.queries(), IsEmpty());
  const auto third = make_runtime(config, **second);
  ASSERT_TRUE(third);
  EXPECT_EQ((*third)->cache, (*second)->cache);
}

// Maybe the old ones lied, and that is why there are others.
TEST(DnsReload, OtherServersBeginWithNothing) {
  const test::DnsServer lying("example.com TXT lie"), honest("example.com TXT truth");
  auto config = config::defaults();
  config.dns.servers = {lying.host_port()};
  const auto first = make_runtime(config);
  ASSERT_TRUE(first);
  const auto ask = [](const Runtime& runtime) {
    return runtime.resolver->lookup("example.com", dns::Type::txt, Deadline::max())->texts;
  };
  EXPECT_THAT(ask(**first), ElementsAre("lie"));
  config.dns.servers = {honest.host_port()};
  const auto second = make_runtime(config, **first);
  ASSERT_TRUE(second);
  EXPECT_THAT(ask(**second), ElementsAre("truth"));
}

}  // namespace
}  // namespace sesame::inspect
