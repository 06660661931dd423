// Bad configurations: each fault is told with its place, its key, and what is expected instead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "config/config.h"
#include "util/text.h"

namespace sesame::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct BadCase {
  const char* name;
  const char* text;
  const char* place_and_key;  // the beginning of the one line expected
  const char* expectation;    // found in it
};

std::ostream& operator<<(std::ostream& out, const BadCase& bad) {
  return out << bad.name;
}

std::string case_name(const ::testing::TestParamInfo<BadCase>& bad) {
  return bad.param.name;
}

class Bad : public ::testing::TestWithParam<BadCase> {};

TEST_P(Bad, IsToldWithPlaceKeyAndExpectation) {
  const auto config = parse(GetParam().text, "t.toml");
  ASSERT_FALSE(config);
  const auto& message = config.error().message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_THAT(message, StartsWith(std::string("t.toml:") + GetParam().place_and_key));
  EXPECT_THAT(message, HasSubstr("; expected "));
  EXPECT_THAT(message, HasSubstr(GetParam().expectation));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, Bad,
    ::testing::Values(
        BadCase{"UnknownAtTop", "nonsense_here = 1\n", "1:1: nonsense_here: unknown key", "one of authserv_id, "},
        BadCase{"Misspelt", "[dns]\ntimeot = 2\n", "2:1: dns.timeot: unknown key", "perhaps dns.timeout"},
        BadCase{"Uppercase", "[dns]\nTRIES = 2\n", "2:1: dns.TRIES: unknown key", "perhaps dns.tries"},
        BadCase{"WrongTable", "[outbound]\non_bad_author = \"reject\"\n", "2:1: outbound.on_bad_author: unknown key",
                "perhaps inbound.on_bad_author"},
        BadCase{"NothingNear", "[dns]\nxyzzy = 2\n", "2:1: dns.xyzzy: unknown key",
                "one of dns.servers, dns.timeout, dns.tries, dns.budget, dns.cache_size"},
        BadCase{"MisspeltTable", "[outbond]\nfail = \"tag\"\n", "1:2: outbond: unknown key", "perhaps outbound"},
        BadCase{"InIdentity",
                "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\ndkim.token = []\n",
                "5:6: ses.identity.dkim.token: unknown key", "perhaps ses.identity.dkim.tokens"},
        BadCase{"QuotedDots", "\"dns.tries\" = 3\n", "1:1: dns.tries: unknown key", "dns.tries"},
        BadCase{"SectionIsValue", "dns = 5\n", "1:7: dns: is the integer 5", "a table of settings"},
        BadCase{"SettingIsTable", "[dns.timeout]\nx = 1\n", "1:1: dns.timeout: is a table", "a number"},
        BadCase{"ListIsTable", "[ses.identity]\nname = \"example.com\"\n", "1:1: ses.identity: is a table",
                "[[ses.identity]]"},
        BadCase{"ListOfOther", "[ses]\nidentity = [\"example.com\"]\n",
                "2:13: ses.identity: is the text \"example.com\"", "a table, [[ses.identity]]"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Types, Bad,
    ::testing::Values(
        BadCase{"TextForNumber", "[dns]\ntimeout = \"2s\"\n", "2:11: dns.timeout: is the text \"2s\"",
                "a number from 0.05 to 25 (seconds)"},
        BadCase{"TextForInteger", "[dns]\ntries = \"2\"\n", "2:9: dns.tries: is the text \"2\"",
                "an integer from 1 to 10"},
        BadCase{"NumberForInteger", "[dns]\ntries = 2.5\n", "2:9: dns.tries: is the number 2.5", "an integer"},
        BadCase{"TextForBoolean", "[inbound]\ntempfail_on_temperror = \"yes\"\n",
                "2:25: inbound.tempfail_on_temperror: is the text", "true or false"},
        BadCase{"BooleanForText", "authserv_id = true\n", "1:15: authserv_id: is true", "a name"},
        BadCase{"TextForList", "[outbound]\nnetworks = \"192.0.2.0/24\"\n", "2:12: outbound.networks: is the text",
                "a list, each item an address, or a network"},
        BadCase{"IntegerInList", "[outbound]\nnetworks = [\"192.0.2.1\", 7]\n",
                "2:26: outbound.networks: is the integer 7", "a list"},
        BadCase{"DateForText", "[log]\nformat = 2025-01-01\n", "2:10: log.format: is a date", "\"text\" or \"json\""}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Ranges, Bad,
    ::testing::Values(
        BadCase{"BudgetOverPostfixs", "[dns]\nbudget = 26\n", "2:10: dns.budget: the integer 26 is out of range",
                "from 0.1 to 25 (seconds)"},
        BadCase{"BudgetNan", "[dns]\nbudget = nan\n", "2:10: dns.budget: the number nan is out of range", "25"},
        BadCase{"BudgetInfinite", "[dns]\nbudget = inf\n", "2:10: dns.budget: the number inf is out of range", "25"},
        BadCase{"TimeoutNotUnderBudget", "[dns]\nbudget = 3\ntimeout = 3.0\n", "3:11: dns.timeout: is 3 seconds",
                "less than dns.budget, which is 3 seconds"},
        BadCase{"TimeoutNotUnderUsualBudget", "[dns]\ntimeout = 12.5\n", "2:11: dns.timeout: is 12.5 seconds",
                "less than dns.budget, which is 5 seconds where nothing is said"},
        BadCase{"BudgetNotOverUsualTimeout", "[dns]\nbudget = 1.5\n", "2:10: dns.budget: is 1.5 seconds",
                "more than dns.timeout, which is 2 seconds where nothing is said"},
        BadCase{"NoTries", "[dns]\ntries = 0\n", "2:9: dns.tries: the integer 0 is out of range", "from 1 to 10"},
        BadCase{"NegativeSkew", "[limits]\nclock_skew = -1\n", "2:14: limits.clock_skew: the integer -1",
                "from 0 to 86400 (seconds)"},
        BadCase{"HugeCache", "[dns]\ncache_size = 9223372036854775807\n", "2:14: dns.cache_size: the integer",
                "(bytes)"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Words, Bad,
    ::testing::Values(
        BadCase{"Level", "[outbound]\nfail = \"bounce\"\n", "2:8: outbound.fail: is the text \"bounce\"",
                "\"observe\", \"tag\", \"hold\" or \"reject\""},
        BadCase{"Handling", "[inbound]\non_policy_reject = \"hold\"\n", "2:20: inbound.on_policy_reject: is",
                "\"observe\", \"quarantine\" or \"reject\""},
        BadCase{"LogLevel", "[log]\nlevel = \"verbose\"\n", "2:9: log.level: is the text \"verbose\"",
                "\"debug\", \"info\", \"warning\" or \"error\""},
        BadCase{"Destination", "[log]\ndestination = \"log.txt\"\n", "2:15: log.destination: is", "the absolute path"},
        BadCase{"Socket", "[milter]\nsocket = \"127.0.0.1:8892\"\n", "2:10: milter.socket: is",
                "\"inet:PORT@HOST\", \"inet6:PORT@HOST\" or \"unix:/PATH\""},
        BadCase{"SocketPort", "[milter]\nsocket = \"inet:70000@127.0.0.1\"\n", "2:10: milter.socket: is", "PORT"},
        BadCase{"SocketFamily", "[milter]\nsocket = \"inet:8892@::1\"\n", "2:10: milter.socket: is", "inet6"},
        BadCase{"SocketRelative", "[milter]\nsocket = \"unix:run/s\"\n", "2:10: milter.socket: is", "unix:/PATH"},
        BadCase{"Server", "[dns]\nservers = [\"192.0.2.1\", \"192.0.2.1:\"]\n", "2:25: dns.servers: is the text",
                "ADDRESS:PORT"},
        BadCase{"Cidr", "[outbound]\nnetworks = [\"192.0.2.0/33\"]\n", "2:13: outbound.networks: is the text",
                "a network without bits below its prefix, such as \"192.0.2.0/24\""},
        BadCase{"CidrBits", "[ignore]\nnetworks = [\n  \"192.0.2.0/24\",\n  \"192.0.2.1/24\",\n]\n",
                "4:3: ignore.networks: is the text \"192.0.2.1/24\"", "without bits below its prefix"},
        BadCase{"IgnoredDomain", "[ignore]\nfrom_domains = [\"exa mple.com\"]\n", "2:17: ignore.from_domains: is",
                "a domain such as"},
        BadCase{"AuthservId", "authserv_id = \"a;b\"\n", "1:15: authserv_id: is", "without spaces"},
        BadCase{"Psl", "public_suffix_list = \"list.dat\"\n", "1:22: public_suffix_list: is", "absolute path"}),
    case_name);

// Four lines stand before what each of these adds.
#define IDENTITY "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\n"

INSTANTIATE_TEST_SUITE_P(
    Identities, Bad,
    ::testing::Values(
        BadCase{"NoSesRegion", "[[ses.identity]]\nname = \"example.com\"\nregion = \"us-east-1\"\n",
                "1:1: ses.region: is missing", "an AWS region"},
        BadCase{"Region", "[ses]\nregion = \"Virginia\"\n", "2:10: ses.region: is the text", "\"us-east-1\""},
        BadCase{"NoName", "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\ndkim.tokens = []\n",
                "3:1: ses.identity.name: is missing", "a domain such as"},
        BadCase{"Name", "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\nname = \"a@b@example.com\"\n",
                "4:8: ses.identity.name: is the text", "or an address such as"},
        BadCase{"TopLevelName", "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\nname = \"com\"\n",
                "4:8: ses.identity.name: is the text \"com\"", "a domain such as"},
        BadCase{"EmptyLocalPart", "[ses]\nregion = \"us-east-1\"\n[[ses.identity]]\nname = \"@example.com\"\n",
                "4:8: ses.identity.name: is the text", "an address such as"},
        BadCase{"StatusForEverybody", "[status]\nlisten = \"0.0.0.0:8895\"\n",
                "2:10: status.listen: is \"0.0.0.0:8895\", which others can reach", "status.token_file"},
        BadCase{"StatusForEverybodyOverIpv6", "[status]\ntoken_file = \"\"\nlisten = \"[::]:8895\"\n",
                "3:10: status.listen: is \"[::]:8895\", which others can reach", "status.token_file"},
        BadCase{"StatusWithoutPort", "[status]\nlisten = \"127.0.0.1\"\n",
                "2:10: status.listen: is the text \"127.0.0.1\"", "ADDRESS:PORT"},
        BadCase{"DkimStatus", IDENTITY "dkim.status = \"VERIFIED\"\n", "5:15: ses.identity.dkim.status: is the text",
                "\"NOT_STARTED\", \"PENDING\", \"SUCCESS\", \"FAILED\" or \"TEMPORARY_FAILURE\""},
        BadCase{"Origin", IDENTITY "dkim.origin = \"BYODKIM\"\n", "5:15: ses.identity.dkim.origin: is the text",
                "\"AWS_SES\", \"EXTERNAL\" or \"AWS_SES_<REGION>\""},
        BadCase{"Behavior", IDENTITY "mail_from.behavior_on_mx_failure = \"reject\"\n",
                "5:36: ses.identity.mail_from.behavior_on_mx_failure: is",
                "\"USE_DEFAULT_VALUE\" or \"REJECT_MESSAGE\""},
        BadCase{"TwoTokens", IDENTITY "dkim.tokens = [\"t1\", \"t2\"]\n", "5:15: ses.identity.dkim.tokens: has 2 items",
                "the three tokens"},
        BadCase{"ReplicaTokens", IDENTITY "dkim.origin = \"AWS_SES_US_EAST_1\"\ndkim.tokens = [\"t1\"]\n",
                "6:15: ses.identity.dkim.tokens: has 1 item", "the three tokens"},
        BadCase{"ExternalTokens", IDENTITY "dkim.tokens = [\"t1\", \"t2\", \"t3\"]\ndkim.origin = \"EXTERNAL\"\n",
                "5:15: ses.identity.dkim.tokens: has 3 items", "the one selector"},
        BadCase{"SameToken", IDENTITY "dkim.tokens = [\"t1\", \"t2\", \"T1\"]\n",
                "5:15: ses.identity.dkim.tokens: has the same token twice", "three different ones"},
        BadCase{"BadToken", IDENTITY "dkim.tokens = [\"t1\", \"t2\", \"t 3\"]\n",
                "5:28: ses.identity.dkim.tokens: is the text \"t 3\"", "a DKIM selector"},
        BadCase{"MailFromElsewhere", IDENTITY "mail_from.domain = \"bounce.example.org\"\n",
                "5:20: ses.identity.mail_from.domain: is \"bounce.example.org\"", "a subdomain of example.com"},
        BadCase{"MailFromItself", IDENTITY "mail_from.domain = \"example.com\"\n",
                "5:20: ses.identity.mail_from.domain: is", "a subdomain of example.com"},
        BadCase{"MailFromLookalike", IDENTITY "mail_from.domain = \"notexample.com\"\n",
                "5:20: ses.identity.mail_from.domain: is", "a subdomain of example.com"},
        BadCase{"Duplicate", IDENTITY "[[ses.identity]]\nname = \"EXAMPLE.com\"\nregion = \"us-east-1\"\n",
                "6:8: ses.identity.name: \"example.com\" stands here twice", "one identity for each name and region"},
        BadCase{
            "DuplicateInAnAccount",
            "ses.account = \"main\"\nses.region = \"us-east-1\"\n[[ses.identity]]\nname = \"example.com\"\n"
            "[[ses.identity]]\nname = \"example.com\"\naccount = \"main\"\n",
            "6:8: ses.identity.name: \"example.com\" stands here twice for region \"us-east-1\" of account \"main\"",
            "one identity for each account, name and region"},
        BadCase{"Account", IDENTITY "account = \"two words\"\n", "5:11: ses.identity.account: is the text",
                "\"111122223333\""},
        BadCase{"ConfigurationSet", IDENTITY "configuration_set = \"a b\"\n",
                "5:21: ses.identity.configuration_set: is the text", "the name of a configuration set"},
        BadCase{"OverrideWithoutDomain", "[[outbound.override]]\nfail = \"tag\"\n",
                "1:1: outbound.override.domain: is missing", "a domain"},
        BadCase{"OverrideTwice",
                "[[outbound.override]]\ndomain = \"example.org\"\n[[outbound.override]]\ndomain = \"Example.ORG\"\n",
                "4:10: outbound.override.domain: \"example.org\" stands here twice", "one override"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Ses, Bad,
    ::testing::Values(
        BadCase{"SnapshotPath", "[ses]\nregion = \"us-east-1\"\nsnapshot = \"ses.json\"\n",
                "3:12: ses.snapshot: is the text \"ses.json\"", "the absolute path of a file"},
        BadCase{"SnapshotWithoutRegion", "[ses]\nsnapshot = \"/var/lib/sesame/ses.json\"\n",
                "2:12: ses.region: is missing", "an AWS region"},
        BadCase{"SnapshotAge", "[ses]\nsnapshot_max_age = 59\n",
                "2:20: ses.snapshot_max_age: the integer 59 is out of range", "from 60 to 31536000 (seconds)"},
        BadCase{"ArrivalsInTheSnapshot",
                "[ses]\nregion = \"us-east-1\"\nsnapshot = \"/var/lib/a.json\"\narrivals = \"/var//lib/./a.json\"\n",
                "4:12: ses.arrivals: is \"/var//lib/./a.json\", as is ses.snapshot", "a file of its own"},
        BadCase{"LogInTheSnapshot", "[ses]\nregion = \"us-east-1\"\nsnapshot = \"/a\"\n[log]\ndestination = \"/a\"\n",
                "5:15: log.destination: is \"/a\", as is ses.snapshot", "a file of its own"},
        BadCase{"LogInTheArrivals", "[ses]\narrivals = \"/a\"\n[log]\ndestination = \"/a\"\n",
                "4:15: log.destination: is \"/a\", as is ses.arrivals", "a file of its own"},
        BadCase{"SnapshotAgeText", "[ses]\nsnapshot_max_age = \"1d\"\n", "2:20: ses.snapshot_max_age: is the text",
                "an integer"},
        BadCase{"SesAccount", "[ses]\naccount = \"a b\"\n", "2:11: ses.account: is the text", "\"marketing\""},
        BadCase{"TrackingSet", "[ses]\ntracking_configuration_sets = [\"ok\", \"\\u0000\"]\n",
                "2:38: ses.tracking_configuration_sets: is the text",
                "a list, each item the name of a configuration set"},
        BadCase{"EmptyTrackingSet", "[ses]\ntracking_configuration_sets = [\"\"]\n",
                "2:32: ses.tracking_configuration_sets: is the text \"\"", "a list"},
        BadCase{"Arrivals", "[ses]\narrivals = true\n", "2:12: ses.arrivals: is true", "the absolute path of a file"},
        BadCase{"Repair", "[repair]\nduplicate_fields = 1\n", "2:20: repair.duplicate_fields: is the integer 1",
                "true or false"},
        BadCase{"RepairTrusted", "[repair]\nses_fields_trusted = [\"192.0.2.0/33\"]\n",
                "2:23: repair.ses_fields_trusted: is the text", "a network without bits"},
        BadCase{"RepairKey", "[repair]\nduplicates = true\n", "2:1: repair.duplicates: unknown key",
                "one of repair.duplicate_fields, "},
        BadCase{"RepairMisspelt", "[repair]\nown_field = true\n", "2:1: repair.own_field: unknown key",
                "perhaps repair.own_fields"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Watch, Bad,
    ::testing::Values(
        BadCase{"Interval", "[watch]\ninterval = -1\n", "2:12: watch.interval: the integer -1", "from 0 to 86400"},
        BadCase{"Rate", "[watch]\nmax_rate = 0\n", "2:12: watch.max_rate: the integer 0", "from 1 to 10000"},
        BadCase{"Keep", "[watch]\nkeep = 3600\n", "2:8: watch.keep: the integer 3600", "from 86400 to 315360000"},
        BadCase{"MemoryRelative", "[watch]\nmemory = \"watch.sqlite\"\n", "2:10: watch.memory: is the text",
                "the absolute path of a file"},
        BadCase{"MemoryInTheSnapshot", "[ses]\nregion = \"us-east-1\"\nsnapshot = \"/a\"\n[watch]\nmemory = \"/a\"\n",
                "5:10: watch.memory: is \"/a\", as is ses.snapshot", "a file of its own"},
        BadCase{"SpoolInTheMemory", "[watch]\nmemory = \"/a\"\n[history]\nspool = \"/a\"\n",
                "4:9: history.spool: is \"/a\", as is watch.memory", "a file of its own"},
        BadCase{"CacheInTheHistoryByDefault", "[dns]\ncache_file = \"/var/lib/sesame/history.sqlite\"\n",
                "2:14: dns.cache_file: is \"/var/lib/sesame/history.sqlite\", as is history.store",
                "a file of its own"},
        BadCase{"HookIsText", "[watch]\nhook = \"/bin/true\"\n", "2:8: watch.hook: is the text", "a list"},
        BadCase{"HookRelative", "[watch]\nhook = [\"page\", \"/x\"]\n", "2:8: watch.hook: begins with \"page\"",
                "the absolute path of a program"},
        BadCase{"HookEmptyWord", "[watch]\nhook = [\"/bin/true\", \"\"]\n", "2:22: watch.hook: is the text \"\"",
                "one argument"},
        BadCase{"HookControl", "[watch]\nhook = [\"/bin/true\", \"a\\nb\"]\n", "2:22: watch.hook: is the text",
                "without control characters"},
        BadCase{"MailToDomain", "[watch]\nmail_to = \"example.org\"\n", "2:11: watch.mail_to: is the text",
                "an address such as"},
        BadCase{"MailToTwo", "[watch]\nmail_to = \"a@example.org, b@example.org\"\n",
                "2:11: watch.mail_to: is the text", "an address such as"},
        BadCase{"MailToName", "[watch]\nmail_to = \"Post <a@example.org>\"\n", "2:11: watch.mail_to: is the text",
                "an address such as"},
        BadCase{"MailToInjects", "[watch]\nmail_to = \"a\\nBcc:b@example.org\"\n", "2:11: watch.mail_to: is the text",
                "an address such as"},
        BadCase{"MailToDots", "[watch]\nmail_to = \"a..b@example.org\"\n", "2:11: watch.mail_to: is the text",
                "an address such as"},
        BadCase{"MailFromQuoted", "[watch]\nmail_from = '\"a b\"@example.org'\n", "2:13: watch.mail_from: is the text",
                "an address such as"},
        BadCase{"SendmailRelative", "[watch]\nsendmail = \"sendmail\"\n", "2:12: watch.sendmail: is the text",
                "the absolute path of a file"},
        BadCase{"SendmailEmpty", "[watch]\nmail_to = \"a@example.org\"\nsendmail = \"\"\n",
                "3:12: watch.sendmail: is empty", "the absolute path of a program, where watch.mail_to is set"},
        BadCase{"WebhookWithoutScheme", "[watch]\nwebhook = \"alerts.example.com/x\"\n",
                "2:11: watch.webhook: is the text", "a URL that begins with https:// or http://"},
        BadCase{"WebhookScheme", "[watch]\nwebhook = \"file:///etc/passwd\"\n", "2:11: watch.webhook: is the text",
                "a URL"},
        BadCase{"WebhookUser", "[watch]\nwebhook = \"https://u:p@alerts.example.com/\"\n",
                "2:11: watch.webhook: is the text", "a URL"},
        BadCase{"WebhookNoHost", "[watch]\nwebhook = \"https:///x\"\n", "2:11: watch.webhook: is the text", "a URL"},
        BadCase{"WebhookBlank", "[watch]\nwebhook = \"https://alerts.example.com/a b\"\n",
                "2:11: watch.webhook: is the text", "a URL"}),
    case_name);

// Three lines stand before what each of these adds.
#define ROUTE "[ses]\nregion = \"us-east-1\"\n[[ses.route]]\n"

INSTANTIATE_TEST_SUITE_P(
    Routes, Bad,
    ::testing::Values(BadCase{"MatchesNothing", ROUTE "region = \"eu-west-1\"\n", "3:1: ses.route: matches nothing",
                              "at least one of from, sender and relay"},
                      BadCase{"MatchesNothingSaid", ROUTE "from = \"\"\nrelay = \"\"\n",
                              "3:1: ses.route: matches nothing", "relay"},
                      BadCase{"WithoutAnyRegion", "[[ses.route]]\nfrom = \"example.com\"\n",
                              "1:1: ses.region: is missing", "an AWS region"},
                      // What no route matches would go nowhere.
                      BadCase{"OwnRegionIsNotEnough", "[[ses.route]]\nfrom = \"example.com\"\nregion = \"eu-west-1\"\n",
                              "1:1: ses.region: is missing", "an AWS region"},
                      BadCase{"RouteRegion", ROUTE "from = \"example.com\"\nregion = \"Ireland\"\n",
                              "5:10: ses.route.region: is the text \"Ireland\"", "an AWS region"},
                      BadCase{"From", ROUTE "from = \"a b\"\n", "4:8: ses.route.from: is the text \"a b\"", "or \"\""},
                      BadCase{"Sender", ROUTE "sender = \"@example.com\"\n", "4:10: ses.route.sender: is the text",
                              "an address such as \"user@example.com\""},
                      BadCase{"RelayWithBrackets", ROUTE "relay = \"[email-smtp.us-east-1.amazonaws.com]:587\"\n",
                              "4:9: ses.route.relay: is the text", "a host, without brackets and port"},
                      BadCase{"RelayWithPort", ROUTE "relay = \"email-smtp.us-east-1.amazonaws.com:587\"\n",
                              "4:9: ses.route.relay: is the text", "a host, without brackets and port"},
                      BadCase{"RouteKey", ROUTE "from = \"example.com\"\nrealy = \"x.example\"\n",
                              "5:1: ses.route.realy: unknown key", "perhaps ses.route.relay"},
                      BadCase{"RouteKeyOfIdentities", ROUTE "from = \"example.com\"\nname = \"x\"\n",
                              "5:1: ses.route.name: unknown key", "perhaps ses.identity.name"},
                      BadCase{"RouteIsTable", "[ses.route]\nfrom = \"example.com\"\n", "1:1: ses.route: is a table",
                              "[[ses.route]]"}),
    case_name);

TEST(Syntax, ErrorHasItsPosition) {
  const auto config = parse("[dns]\ntimeout = = 2\n", "t.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, StartsWith("t.toml:2:11: "));
  EXPECT_THAT(config.error().message, HasSubstr("expected valid TOML"));
}

TEST(Syntax, KeySaidTwiceIsAnError) {
  const auto config = parse("[dns]\ntries = 1\ntries = 2\n", "t.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, StartsWith("t.toml:3:"));
}

TEST(Faults, AllAreToldInTheOrderOfTheFile) {
  const auto config = parse(
      "zone = 1\n"
      "[outbound]\nnetworks = [\"192.0.2.300\", \"10.0.0.1/8\"]\n"
      "[dns]\ntries = \"two\"\n",
      "t.toml");
  ASSERT_FALSE(config);
  std::vector<std::string> places;
  for (const auto line : split(config.error().message, '\n'))
    places.emplace_back(line.substr(0, line.find(": ", line.find(": ") + 1)));
  EXPECT_THAT(places, ElementsAre("t.toml:1:1: zone", "t.toml:3:13: outbound.networks",
                                  "t.toml:3:28: outbound.networks", "t.toml:5:9: dns.tries"));
}

TEST(File, ThatIsMissingIsNamed) {
  const auto config = load("/nonexistent/sesame.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, "/nonexistent/sesame.toml: cannot be read: No such file or directory");
}

TEST(File, ThatIsADirectoryIsAnError) {
  const auto config = load("/");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, StartsWith("/: cannot be read: "));
}

TEST(Watch, TakesAllWaysToTell) {
  const auto config = parse(
      "[watch]\nhook = [\"/usr/local/bin/page\", \"--queue\", \"mail ops\"]\nmail_to = \"Post+dns@Example.ORG\"\n"
      "mail_from = \"sesame@example.com\"\nwebhook = \"https://alerts.example.com:8443/hooks/x?y=z\"\n",
      "t.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto& alerts = config->watch.alerts;
  EXPECT_THAT(alerts.hook, ElementsAre("/usr/local/bin/page", "--queue", "mail ops"));
  EXPECT_EQ(alerts.mail_to, "Post+dns@example.org");
  EXPECT_EQ(alerts.mail_from, "sesame@example.com");
  EXPECT_EQ(alerts.sendmail, "/usr/sbin/sendmail");
  EXPECT_EQ(alerts.webhook, "https://alerts.example.com:8443/hooks/x?y=z");
}

TEST(Status, IsForThisHostOrForThoseWhoKnowTheToken) {
  for (const auto* listen :
       {"", "unix:/run/sesame/status", "127.0.0.1:8895", "127.9.9.9:1", "[::1]:8895", "[::ffff:127.0.0.1]:8895"})
    EXPECT_TRUE(parse(std::string("[status]\nlisten = \"") + listen + "\"\n", "t.toml")) << listen;
  for (const auto* listen : {"0.0.0.0:8895", "192.0.2.1:8895", "[::]:8895", "[2001:db8::1]:8895"}) {
    const auto settings = std::string("[status]\nlisten = \"") + listen + "\"\n";
    EXPECT_FALSE(parse(settings, "t.toml")) << listen;
    EXPECT_TRUE(parse(settings + "token_file = \"/etc/sesame/token\"\n", "t.toml")) << listen;
  }
}

TEST(File, ThatIsEmptyHasTheDefaults) {
  EXPECT_TRUE(load("/dev/null"));
}

}  // namespace
}  // namespace sesame::config
