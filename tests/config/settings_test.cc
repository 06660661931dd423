// Good configurations, and what is generated from the table.
#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/config.h"
#include "config/table.h"
#include "util/text.h"

namespace sesame::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Config parsed(std::string_view text) {
  const auto config = parse(text, "t.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : Config{};
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr std::string_view kFull = R"(
authserv_id = "mx.example.com"
public_suffix_list = "/usr/share/publicsuffix/public_suffix_list.dat"
[milter]
socket = "unix:/run/sesame/sesame.sock"
user = "sesame"
drain = 5
[dns]
servers = ["192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53", "2001:db8::53"]
timeout = 0.25
tries = 3
budget = 25
cache_size = 1000000
[log]
format = "json"
destination = "/var/log/se\"same\\.log"
level = "debug"
[limits]
header_size = 65536
dkim_signatures = 5
clock_skew = 0
spf_void_lookups = 5
[ses]
region = "eu-west-1"
account = "main"
snapshot = "/var/lib/sesame/ses.json"
snapshot_max_age = 3600
tracking_configuration_sets = ["clicks", "opens_2"]
arrivals = "/var/lib/sesame/arrivals.json"
[[ses.identity]]
name = "Example.COM"
account = "111122223333"
configuration_set = "marketing"
verified_for_sending = true
dkim.status = "SUCCESS"
dkim.signing_enabled = true
dkim.origin = "AWS_SES"
dkim.tokens = ["T1", "t2", "t3"]
dkim.signing_hosted_zone = "dkim.amazonses.com"
mail_from.domain = "bounce.example.com"
mail_from.status = "TEMPORARY_FAILURE"
mail_from.behavior_on_mx_failure = "REJECT_MESSAGE"
[[ses.identity]]
name = "example.com"
region = "us-gov-east-1"
dkim.origin = "AWS_SES_EU_WEST_1"
[[ses.identity]]
name = "First.Last@Example.com"
verified_for_sending = false
dkim.signing_enabled = false
dkim.origin = "EXTERNAL"
dkim.tokens = ["sel.sub"]
mail_from.domain = "m.example.com"
[[ses.route]]
from = "News.B\u00fccher.example"
sender = "First.Last@Example.com"
relay = "Email-SMTP.eu-west-1.amazonaws.com"
account = "second"
region = "ap-south-1"
configuration_set = "gold"
[[ses.route]]
from = "example.com"
[repair]
duplicate_fields = true
upstream_signatures = true
ses_fields = true
ses_fields_trusted = ["192.0.2.0/28", "2001:db8::1"]
own_fields = true
[outbound]
networks = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
daemon_names = ["submission"]
fail = "tag"
refused = "reject"
[[outbound.override]]
domain = "example.org"
fail = "hold"
[inbound]
own_ids = ["mx2.example.com"]
on_policy_reject = "reject"
on_policy_quarantine = "quarantine"
on_bad_author = "reject"
tempfail_on_temperror = true
refuse_test_keys = true
[ignore]
networks = ["203.0.113.9"]
from_domains = ["B\u00fccher.example"]
)";

TEST(Load, ReadsEverySetting) {
  const auto config = parsed(kFull);
  EXPECT_EQ(config.rules.authserv_id, "mx.example.com");
  EXPECT_EQ(config.milter.socket, "unix:/run/sesame/sesame.sock");
  EXPECT_EQ(config.milter.drain, std::chrono::seconds(5));
  EXPECT_EQ(config.dns.timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(config.dns.budget, std::chrono::seconds(25));
  EXPECT_EQ(config.dns.servers.size(), 4u);
  EXPECT_EQ(config.dns.cache_bytes, 1000000u);
  EXPECT_EQ(config.log.format, Log::Format::json);
  EXPECT_EQ(config.log.destination, "/var/log/se\"same\\.log");
  EXPECT_EQ(config.limits.signatures, 5u);
  EXPECT_EQ(config.limits.clock_skew, 0);
  EXPECT_EQ(config.limits.spf_void_lookups, 5);
  EXPECT_EQ(config.directions.outbound_networks.at(0).to_string(), "192.0.2.0/24");
  EXPECT_THAT(config.directions.ignore_from_domains, ElementsAre("xn--bcher-kva.example"));
  EXPECT_THAT(config.rules.own_ids, ElementsAre("mx2.example.com", "mx.example.com"));
  EXPECT_EQ(config.rules.on_bad_author, policy::Handling::reject);
  EXPECT_TRUE(config.rules.tempfail_on_temperror);
  EXPECT_TRUE(config.refuse_test_keys);
}

TEST(Load, ReadsIdentitiesInCanonicalForm) {
  const auto ses = parsed(kFull).ses;
  ASSERT_EQ(ses.identities.size(), 3u);
  const auto& domain = ses.identities[0];
  EXPECT_EQ(domain.name, "example.com");
  EXPECT_EQ(domain.region, "eu-west-1");
  EXPECT_EQ(domain.dkim.status, ses::Status::success);
  EXPECT_THAT(domain.dkim.tokens, ElementsAre("t1", "t2", "t3"));
  EXPECT_EQ(domain.mail_from.status, ses::Status::temporary_failure);
  EXPECT_EQ(domain.mail_from.behavior_on_mx_failure, ses::OnMxFailure::reject_message);
  EXPECT_EQ(ses.identities[1].region, "us-gov-east-1");
  EXPECT_EQ(ses.identities[1].dkim.status, std::nullopt);
  EXPECT_EQ(ses.identities[2].name, "First.Last@example.com");
  EXPECT_FALSE(ses.identities[2].verified_for_sending);
  EXPECT_FALSE(ses.identities[2].dkim.signing_enabled);
}

TEST(Load, ReadsWhatIsSaidOfAccountsAndRoutes) {
  const auto ses = parsed(kFull).ses;
  EXPECT_EQ(ses.account, "main");
  EXPECT_EQ(ses.snapshot, "/var/lib/sesame/ses.json");
  EXPECT_EQ(ses.snapshot_max_age, 3600);
  EXPECT_THAT(ses.tracking_configuration_sets, ElementsAre("clicks", "opens_2"));
  EXPECT_EQ(ses.arrivals, "/var/lib/sesame/arrivals.json");
  EXPECT_EQ(ses.identities.at(0).account, "111122223333");
  EXPECT_EQ(ses.identities.at(0).configuration_set, "marketing");
  EXPECT_EQ(ses.identities.at(1).account, "main") << "where it is left out";
  ASSERT_EQ(ses.routes.size(), 2u);
  const auto& route = ses.routes[0];
  EXPECT_EQ(route.from, "news.xn--bcher-kva.example");
  EXPECT_EQ(route.sender, "First.Last@example.com");
  EXPECT_EQ(route.relay, "email-smtp.eu-west-1.amazonaws.com");
  EXPECT_EQ(route.account, "second");
  EXPECT_EQ(route.region, "ap-south-1");
  EXPECT_EQ(route.configuration_set, "gold");
  EXPECT_EQ(ses.routes[1].account, "main");
  EXPECT_EQ(ses.routes[1].region, "eu-west-1");
  EXPECT_EQ(ses.routes[1].sender, "");
}

TEST(Load, ReadsRepairs) {
  const auto repair = parsed(kFull).rules.repair;
  EXPECT_TRUE(repair.duplicate_fields && repair.upstream_signatures && repair.ses_fields && repair.own_fields);
  ASSERT_EQ(repair.ses_fields_trusted.size(), 2u);
  EXPECT_EQ(repair.ses_fields_trusted[0].to_string(), "192.0.2.0/28");
  const auto none = parsed("").rules.repair;
  EXPECT_FALSE(none.duplicate_fields || none.upstream_signatures || none.ses_fields || none.own_fields);
  EXPECT_THAT(none.ses_fields_trusted, IsEmpty());
}

TEST(Load, TheSameNameIsAnotherIdentityInAnotherRegionOrAccount) {
  const auto ses = parsed(
                       "ses.region = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\n"
                       "[[ses.identity]]\nname = \"example.com\"\nregion = \"eu-west-1\"\n"
                       "[[ses.identity]]\nname = \"example.com\"\naccount = \"second\"\n")
                       .ses;
  EXPECT_EQ(ses.identities.size(), 3u);
}

TEST(Load, ASnapshotAloneIsEnough) {
  const auto ses = parsed("[ses]\nregion = \"us-east-1\"\nsnapshot = \"/var/lib/sesame/ses.json\"\n").ses;
  EXPECT_EQ(ses.snapshot_max_age, 86400);
  EXPECT_THAT(ses.identities, IsEmpty());
}

TEST(Load, IdentityDefaultsAreThoseOfTheApi) {
  const auto ses = parsed("ses.region = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\n").ses;
  ASSERT_EQ(ses.identities.size(), 1u);
  const auto& identity = ses.identities[0];
  EXPECT_TRUE(identity.verified_for_sending);
  EXPECT_TRUE(identity.dkim.signing_enabled);
  EXPECT_EQ(identity.dkim.origin, "AWS_SES");
  EXPECT_THAT(identity.dkim.tokens, IsEmpty());
  EXPECT_EQ(identity.dkim.status, std::nullopt);
  EXPECT_EQ(identity.mail_from.status, std::nullopt);
  EXPECT_EQ(identity.mail_from.domain, "");
  EXPECT_EQ(identity.mail_from.behavior_on_mx_failure, ses::OnMxFailure::use_default_value);
}

TEST(Load, OverrideTakesWhatItDoesNotSayFromOutbound) {
  // The order of the tables in the file does not matter.
  const auto rules = parsed(
                         "[[outbound.override]]\ndomain = \"example.org\"\nfail = \"hold\"\n"
                         "[outbound]\nrefused = \"tag\"\n")
                         .rules;
  ASSERT_EQ(rules.overrides.size(), 1u);
  EXPECT_EQ(rules.overrides[0].rule.fail, policy::Level::hold);
  EXPECT_EQ(rules.overrides[0].rule.refused, policy::Level::tag);
}

TEST(Load, EmptyFileHasTheDefaults) {
  const auto config = parsed("");
  EXPECT_EQ(print(config), print(defaults()));
  EXPECT_EQ(config.milter.socket, "inet:8892@127.0.0.1");
  EXPECT_EQ(config.dns.timeout, std::chrono::seconds(2));
  EXPECT_EQ(config.dns.budget, std::chrono::seconds(5));
  EXPECT_EQ(config.limits.header_bytes, 1048576u);
  EXPECT_EQ(config.rules.outbound.fail, policy::Level::observe);
  EXPECT_EQ(config.directions.outbound_networks.size(), 2u);
  EXPECT_FALSE(config.rules.authserv_id.empty());
  EXPECT_THAT(config.rules.own_ids, ElementsAre(config.rules.authserv_id));
}

TEST(Load, LevelWordsAreAllAccepted) {
  for (const auto* word : {"observe", "tag", "hold", "reject"})
    EXPECT_STREQ(policy::to_string(parsed("[outbound]\nfail = \"" + std::string(word) + "\"\n").rules.outbound.fail),
                 word);
}

TEST(Print, ReadsBackToTheSame) {
  for (const auto text : {std::string_view(), kFull}) {
    const auto once = print(parsed(text));
    EXPECT_EQ(print(parsed(once)), once);
  }
}

TEST(Print, SaysEverySettingThatHasAValue) {
  const auto printed = "\n" + print(parsed(kFull));
  for (const auto* entry : entries()) EXPECT_THAT(printed, HasSubstr("\n" + entry->name + " = ")) << entry->key();
}

TEST(Print, LeavesOutWhatIsNotKnown) {
  const auto printed = print(parsed("ses.region = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\n"));
  EXPECT_THAT(printed, Not(HasSubstr(".status")));
}

TEST(Sample, FileIsWhatTheTableSays) {
  EXPECT_EQ(file_text(SESAME_SOURCE_DIR "/conf/sesame.toml"), sample_text())
      << "Write it anew: sesame config print --defaults > conf/sesame.toml";
}

TEST(Sample, AsItIsHasTheDefaults) {
  EXPECT_EQ(print(parsed(sample_text())), print(defaults()));
}

TEST(Sample, WithEveryLineUncommentedIsValid) {
  const auto sample = sample_text();
  std::string text;
  for (const auto line : split(sample, '\n')) {
    const bool setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    text += std::string(setting ? line.substr(1) : line) + "\n";
  }
  const auto config = parsed(text);
  ASSERT_EQ(config.ses.identities.size(), 1u);
  EXPECT_EQ(config.ses.identities[0].mail_from.domain, "bounce.example.com");
  ASSERT_EQ(config.ses.routes.size(), 1u);
  EXPECT_EQ(config.ses.routes[0].relay, "email-smtp.eu-west-1.amazonaws.com");
  ASSERT_EQ(config.rules.overrides.size(), 1u);
  EXPECT_EQ(config.rules.overrides[0].rule.fail, policy::Level::hold);
}

TEST(Manual, SettingsPartIsWhatTheTableSays) {
  const auto page = file_text(SESAME_SOURCE_DIR "/conf/man/sesame.toml.5");
  const std::string begin = ".\\\" begin: settings\n", end = ".\\\" end: settings\n";
  const auto from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (page.substr(from + begin.size(), to - from - begin.size()) == man_text()) return;
  const std::string anew = SESAME_BINARY_DIR "/sesame.toml.5";
  std::ofstream(anew) << page.substr(0, from + begin.size()) << man_text() << page.substr(to);
  FAIL() << "The settings changed. The page as it should be is " << anew << "; copy it to conf/man/";
}

TEST(Manual, DocumentsEverySetting) {
  const auto manual = man_text();
  for (const auto* entry : entries()) EXPECT_THAT(manual, HasSubstr(".TP\n\\fB" + entry->key() + "\\fR\n"));
}

TEST(Table, EverySettingHasHelpAndADefaultOrSaysWhatHoldsInstead) {
  for (const auto* entry : entries()) {
    EXPECT_FALSE(entry->help.empty()) << entry->key();
    EXPECT_TRUE(entry->fallback || (!entry->otherwise.empty() && entry->example)) << entry->key();
    EXPECT_FALSE(entry->type.expected.empty()) << entry->key();
  }
}

TEST(Table, HasEveryRowInSomeSection) {
  EXPECT_EQ(entries().size(), general_settings().size() + identity_settings().size() + route_settings().size() +
                                  override_settings().size());
}

}  // namespace
}  // namespace sesame::config
