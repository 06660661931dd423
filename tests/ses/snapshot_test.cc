// The file with what the API says: what is read, what is passed over, and what makes the file unusable.
#include "ses/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sesame::ses {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::int64_t kNewYear = 1'767'225'600;  // 2026-01-01T00:00:00Z

constexpr std::string_view kFull = R"({
 "version": 1,
 "regions": [
  {"account": "111122223333", "region": "eu-west-1", "fetched": "2026-01-01T00:00:00Z",
   "GetAccount": {"ProductionAccessEnabled": false, "SendingEnabled": false, "EnforcementStatus": "PROBATION"},
   "identities": [
    {"IdentityName": "Example.COM", "fetched": "2025-12-31T23:00:00Z",
     "GetEmailIdentity": {
      "IdentityType": "DOMAIN", "FeedbackForwardingStatus": true, "VerifiedForSendingStatus": false,
      "VerificationStatus": "TEMPORARY_FAILURE", "ConfigurationSetName": "main", "Policies": {}, "Tags": [],
      "DkimAttributes": {
       "SigningEnabled": false, "Status": "TEMPORARY_FAILURE", "Tokens": ["T3", "t1", "t2"],
       "SigningHostedZone": "cell7.dkim.eu-west-1.amazonses.com", "SigningAttributesOrigin": "AWS_SES_US_EAST_1",
       "CurrentSigningKeyLength": "RSA_2048_BIT", "LastKeyGenerationTimestamp": 1700000000.25},
      "MailFromAttributes": {"MailFromDomain": "Bounce.Example.com", "MailFromDomainStatus": "PENDING",
       "BehaviorOnMxFailure": "REJECT_MESSAGE"},
      "VerificationInfo": {"LastCheckedTimestamp": "2026-01-01T01:00:00.5+01:00",
       "LastSuccessTimestamp": 1700000000, "ErrorType": "HOST_NOT_FOUND",
       "SOARecord": {"PrimaryNameServer": "NS1.example.com.", "AdminEmail": "x.example.com", "SerialNumber": 7}}},
     "status_since": "2025-12-30T00:00:00Z",
     "former": {"SigningAttributesOrigin": "EXTERNAL", "Tokens": ["own"], "until": "2025-12-29T00:00:00Z"}},
    {"IdentityName": "First.Last@B\u00fccher.example", "GetEmailIdentity": {"IdentityType": "EMAIL_ADDRESS"}}]},
  {"region": "us-east-1", "fetched": 1767225600, "identities": []}]})";

Snapshot parsed(std::string_view text) {
  const auto snapshot = parse_snapshot(text, "s.json");
  EXPECT_TRUE(snapshot) << snapshot.error().message;
  return snapshot ? *snapshot : Snapshot{};
}

// The answer to GetEmailIdentity of the one identity, example.com.
std::string with_answer(const std::string& answer) {
  return R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":[)"
         R"({"IdentityName":"example.com","GetEmailIdentity":)" +
         answer + "}]}]}";
}

Snapshot with_dkim(const std::string& attributes) {
  return parsed(with_answer(R"({"DkimAttributes":)" + attributes + "}"));
}

const Identity& only(const Snapshot& snapshot) {
  return snapshot.regions.at(0).identities.at(0);
}

TEST(Snapshot, HasAllThatIsKnownHere) {
  const auto snapshot = parsed(kFull);
  EXPECT_THAT(snapshot.remarks, IsEmpty());
  ASSERT_THAT(snapshot.regions, SizeIs(2));
  const auto& region = snapshot.regions[0];
  EXPECT_EQ(region.account, "111122223333");
  EXPECT_EQ(region.region, "eu-west-1");
  EXPECT_EQ(region.fetched, kNewYear);
  EXPECT_FALSE(region.standing.production_access);
  EXPECT_FALSE(region.standing.sending_enabled);
  EXPECT_EQ(region.standing.enforcement_status, "PROBATION");
  EXPECT_EQ(region.standing.as_of, kNewYear);
  ASSERT_THAT(region.identities, SizeIs(2));
  const auto& identity = region.identities[0];
  EXPECT_EQ(identity.name, "example.com");
  EXPECT_EQ(identity.region, "eu-west-1");
  EXPECT_EQ(identity.account, "111122223333");
  EXPECT_EQ(identity.as_of, kNewYear - 3600);
  EXPECT_FALSE(identity.verified_for_sending);
  EXPECT_EQ(identity.configuration_set, "main");
  EXPECT_EQ(identity.status_since, kNewYear - 2 * 86400);
}

TEST(Snapshot, HasTheAttributesOfAnIdentity) {
  const auto snapshot = parsed(kFull);
  const auto& identity = only(snapshot);
  EXPECT_FALSE(identity.dkim.signing_enabled);
  EXPECT_EQ(identity.dkim.status, Status::temporary_failure);
  EXPECT_EQ(identity.dkim.origin, "AWS_SES_US_EAST_1");
  EXPECT_THAT(identity.dkim.tokens, ElementsAre("t3", "t1", "t2")) << "in their order";
  EXPECT_EQ(identity.dkim.signing_hosted_zone, "cell7.dkim.eu-west-1.amazonses.com");
  EXPECT_EQ(identity.dkim.last_key_generation, 1'700'000'000);
  EXPECT_EQ(identity.mail_from.domain, "bounce.example.com");
  EXPECT_EQ(identity.mail_from.status, Status::pending);
  EXPECT_EQ(identity.mail_from.behavior_on_mx_failure, OnMxFailure::reject_message);
  EXPECT_EQ(identity.verification.error_type, "HOST_NOT_FOUND");
  EXPECT_EQ(identity.verification.last_checked, kNewYear);
  EXPECT_EQ(identity.verification.last_success, 1'700'000'000);
  EXPECT_EQ(identity.verification.primary_name_server, "ns1.example.com");
  EXPECT_EQ(identity.verification.soa_serial, 7);
  ASSERT_TRUE(identity.former);
  EXPECT_EQ(identity.former->origin, "EXTERNAL");
  EXPECT_THAT(identity.former->tokens, ElementsAre("own"));
  EXPECT_EQ(identity.former->until, kNewYear - 3 * 86400);
}

TEST(Snapshot, AbsentMembersHaveTheDefaultsOfTheApi) {
  const auto snapshot = parsed(kFull);
  const auto& identity = snapshot.regions[0].identities[1];
  EXPECT_EQ(identity.name, "First.Last@xn--bcher-kva.example");
  EXPECT_TRUE(identity.verified_for_sending);
  EXPECT_TRUE(identity.dkim.signing_enabled);
  EXPECT_EQ(identity.dkim.status, std::nullopt);
  EXPECT_EQ(identity.dkim.origin, "AWS_SES");
  EXPECT_EQ(identity.mail_from, MailFrom{});
  EXPECT_FALSE(identity.former);
  EXPECT_EQ(identity.as_of, kNewYear) << "of its region's list";
  const auto& region = snapshot.regions[1];
  EXPECT_EQ(region.account, "");
  EXPECT_TRUE(region.standing.production_access);
  EXPECT_EQ(region.standing.as_of, std::nullopt) << "GetAccount was not asked";
}

TEST(Snapshot, NullIsAbsent) {
  const auto snapshot = parsed(with_answer(
      R"({"VerifiedForSendingStatus":null,"DkimAttributes":{"Status":null,"Tokens":null},"MailFromAttributes":null})"));
  EXPECT_THAT(snapshot.remarks, IsEmpty());
  EXPECT_TRUE(only(snapshot).verified_for_sending);
}

TEST(Snapshot, AnEmptyMailFromDomainIsNone) {
  const auto snapshot = parsed(with_answer(R"({"MailFromAttributes":{"MailFromDomain":""}})"));
  EXPECT_THAT(snapshot.remarks, IsEmpty());
  EXPECT_EQ(only(snapshot).mail_from.domain, "");
}

TEST(Snapshot, TimesAreReadAsTheApiAndItsToolsWriteThem) {
  const std::tuple<const char*, std::int64_t> cases[] = {
      {"1700000000", 1'700'000'000},
      {"1700000000.999", 1'700'000'000},
      {"1.7e9", 1'700'000'000},
      {"\"2023-11-14T22:13:20Z\"", 1'700'000'000},
      {"\"2023-11-14t22:13:20.123456z\"", 1'700'000'000},
      {"\"2023-11-14T23:13:20+01:00\"", 1'700'000'000},
      {"\"2023-11-14T16:43:20.5-05:30\"", 1'700'000'000},
      {"\"2023-11-14 22:13:20+00:00\"", 1'700'000'000},
      {"0", 0},
  };
  for (const auto& [text, want] : cases) {
    const auto snapshot = with_dkim(R"({"LastKeyGenerationTimestamp":)" + std::string(text) + "}");
    EXPECT_THAT(snapshot.remarks, IsEmpty()) << text;
    EXPECT_EQ(only(snapshot).dkim.last_key_generation, want) << text;
  }
}

struct PassedOver {
  const char* name;
  const char* answer;  // of GetEmailIdentity
  const char* remark;  // behind "regions[0].identities[0].GetEmailIdentity"
};

std::ostream& operator<<(std::ostream& out, const PassedOver& each) {
  return out << each.name;
}

class Tolerance : public ::testing::TestWithParam<PassedOver> {};

// One remark, and the member is left as it was; the flag is told as the worse of both.
TEST_P(Tolerance, OfWhatIsNotUnderstood) {
  const auto snapshot = parsed(with_answer(GetParam().answer));
  ASSERT_THAT(snapshot.remarks, SizeIs(1));
  EXPECT_THAT(snapshot.remarks[0],
              StartsWith(std::string("regions[0].identities[0].GetEmailIdentity") + GetParam().remark));
  const auto& identity = only(snapshot);
  EXPECT_EQ(identity.verified_for_sending, identity.unread_verification.empty());
  EXPECT_TRUE(identity.dkim.signing_enabled);
  EXPECT_EQ(identity.dkim.status, std::nullopt);
  EXPECT_EQ(identity.dkim.origin, "AWS_SES");
  EXPECT_THAT(identity.dkim.tokens, IsEmpty());
  EXPECT_EQ(identity.dkim.last_key_generation, std::nullopt);
  EXPECT_EQ(identity.mail_from.domain, "");
  EXPECT_EQ(identity.mail_from.status, std::nullopt);
  EXPECT_EQ(identity.mail_from.behavior_on_mx_failure, OnMxFailure::use_default_value);
}

TEST(Snapshot, WhatIsSaidButNotUnderstoodIsKeptInMind) {
  const auto snapshot = parsed(with_answer(
      R"({"VerifiedForSendingStatus":"maybe",)"
      R"("DkimAttributes":{"Status":"SUSPENDED","SigningAttributesOrigin":"EXTERNAL_V2","Tokens":["t1","t2","t3"]},)"
      R"("MailFromAttributes":{"MailFromDomain":7,"MailFromDomainStatus":"SUSPENDED","BehaviorOnMxFailure":"X"}})"));
  const auto& identity = only(snapshot);
  EXPECT_EQ(identity.unread_verification, R"(VerifiedForSendingStatus "maybe")");
  EXPECT_EQ(identity.dkim.unread_state, R"(Status "SUSPENDED")");
  EXPECT_EQ(identity.dkim.unread_keys, R"(SigningAttributesOrigin "EXTERNAL_V2")");
  EXPECT_EQ(identity.mail_from.unread_domain, "MailFromDomain 7");
  EXPECT_EQ(identity.mail_from.unread_state, R"(MailFromDomainStatus "SUSPENDED")");
  EXPECT_EQ(identity.mail_from.unread_behavior, R"(BehaviorOnMxFailure "X")");
  const auto disabled = with_dkim(R"({"SigningEnabled":"false"})");
  EXPECT_EQ(only(disabled).dkim.unread_state, R"(SigningEnabled "false")");
}

TEST(Snapshot, AStandingThatIsNotUnderstoodIsKeptInMind) {
  const auto standing = [](const std::string& answer) {
    const auto snapshot = parsed(R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"GetAccount":)" + answer +
                                 R"(,"identities":[]}]})");
    return snapshot.regions.at(0).standing;
  };
  EXPECT_EQ(standing(R"({"EnforcementStatus":"SUSPENDED"})").unread_state, R"(EnforcementStatus "SUSPENDED")");
  EXPECT_EQ(standing(R"({"SendingEnabled":"no"})").unread_state, R"(SendingEnabled "no")");
  const auto access = standing(R"({"ProductionAccessEnabled":"no"})");
  EXPECT_EQ(access.unread_access, R"(ProductionAccessEnabled "no")");
  EXPECT_FALSE(access.production_access);
}

INSTANTIATE_TEST_SUITE_P(
    Snapshot, Tolerance,
    ::testing::Values(
        PassedOver{"NoAnswer", "null", ": is missing; expected the answer"},
        PassedOver{"AnswerIsText", "\"x\"", ": is \"x\"; expected the answer"},
        PassedOver{"UnknownStatus", R"({"DkimAttributes":{"Status":"THINKING"}})",
                   ".DkimAttributes.Status: is \"THINKING\"; expected a status"},
        PassedOver{"LowerCaseStatus", R"({"DkimAttributes":{"Status":"success"}})", ".DkimAttributes.Status: is"},
        PassedOver{"UnknownOrigin", R"({"DkimAttributes":{"SigningAttributesOrigin":"MOON"}})",
                   ".DkimAttributes.SigningAttributesOrigin: is \"MOON\""},
        PassedOver{"UnknownBehavior", R"({"MailFromAttributes":{"BehaviorOnMxFailure":"SHRUG"}})",
                   ".MailFromAttributes.BehaviorOnMxFailure: is \"SHRUG\""},
        PassedOver{"UnknownMailFromStatus", R"({"MailFromAttributes":{"MailFromDomainStatus":"X"}})",
                   ".MailFromAttributes.MailFromDomainStatus: is \"X\""},
        PassedOver{"DkimIsList", R"({"DkimAttributes":[]})", ".DkimAttributes: is a list; expected an object"},
        PassedOver{"FlagIsText", R"({"VerifiedForSendingStatus":"false"})",
                   ".VerifiedForSendingStatus: is \"false\"; expected true or false"},
        PassedOver{"FlagIsNumber", R"({"DkimAttributes":{"SigningEnabled":0}})",
                   ".DkimAttributes.SigningEnabled: is 0"},
        PassedOver{"TokensAreText", R"({"DkimAttributes":{"Tokens":"t1"}})", ".DkimAttributes.Tokens: is \"t1\""},
        PassedOver{"TwoTokens", R"({"DkimAttributes":{"Tokens":["t1","t2"]}})",
                   ".DkimAttributes.Tokens: is a list; expected a list of three tokens"},
        PassedOver{"ATokenIsANumber", R"({"DkimAttributes":{"Tokens":["t1","t2",3]}})",
                   ".DkimAttributes.Tokens[2]: is 3; expected a text"},
        PassedOver{"ATokenIsNoSelector", R"({"DkimAttributes":{"Tokens":["t1","t 2","t3"]}})",
                   ".DkimAttributes.Tokens[1]: is \"t 2\"; expected a DKIM selector"},
        PassedOver{"TimeWithoutOffset", R"({"DkimAttributes":{"LastKeyGenerationTimestamp":"2026-01-01T00:00:00"}})",
                   ".DkimAttributes.LastKeyGenerationTimestamp: is \"2026"},
        PassedOver{"NoSuchDay", R"({"DkimAttributes":{"LastKeyGenerationTimestamp":"2026-02-29T00:00:00Z"}})",
                   ".DkimAttributes.LastKeyGenerationTimestamp: is"},
        PassedOver{"Milliseconds", R"({"DkimAttributes":{"LastKeyGenerationTimestamp":1700000000000}})",
                   ".DkimAttributes.LastKeyGenerationTimestamp: is 1700000000000"},
        PassedOver{"NegativeTime", R"({"DkimAttributes":{"LastKeyGenerationTimestamp":-1}})",
                   ".DkimAttributes.LastKeyGenerationTimestamp: is -1"},
        PassedOver{"MailFromIsNoDomain", R"({"MailFromAttributes":{"MailFromDomain":"a b"}})",
                   ".MailFromAttributes.MailFromDomain: is \"a b\""},
        PassedOver{"SoaIsText", R"({"VerificationInfo":{"SOARecord":"x"}})", ".VerificationInfo.SOARecord: is \"x\""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Snapshot, RemarksArePrintableAndOfBoundedNumber) {
  std::string identities;
  for (int i = 0; i < 200; ++i)
    identities += std::string(i ? "," : "") + R"({"IdentityName":"a\u0001\u001b[31m","GetEmailIdentity":{}})";
  const auto snapshot =
      parsed(R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":[)" + identities + "]}]}");
  EXPECT_THAT(snapshot.regions.at(0).identities, IsEmpty()) << "names that can be no identity's";
  ASSERT_THAT(snapshot.remarks, SizeIs(51));
  EXPECT_EQ(snapshot.remarks.back(), "150 more like these");
  for (const auto& remark : snapshot.remarks)
    for (const char c : remark) EXPECT_TRUE(c >= ' ' && c < 0x7f) << remark;
}

TEST(Snapshot, AnIdentityThatStandsThereTwiceIsTakenOnce) {
  const auto snapshot =
      parsed(R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":[)"
             R"({"IdentityName":"example.com","GetEmailIdentity":{"ConfigurationSetName":"first"}},)"
             R"({"IdentityName":"EXAMPLE.com.","GetEmailIdentity":{"ConfigurationSetName":"second"}}]}]})");
  ASSERT_THAT(snapshot.regions.at(0).identities, SizeIs(1));
  EXPECT_EQ(only(snapshot).configuration_set, "first");
  EXPECT_THAT(snapshot.remarks, ElementsAre(HasSubstr("each identity once")));
}

TEST(Snapshot, OneOfOurOwnSelectorsIsEnough) {
  const auto snapshot = with_dkim(R"({"SigningAttributesOrigin":"EXTERNAL","Tokens":["sel.sub"]})");
  EXPECT_THAT(only(snapshot).dkim.tokens, ElementsAre("sel.sub"));
  EXPECT_THAT(snapshot.remarks, IsEmpty());
}

struct Unusable {
  const char* name;
  const char* text;
  const char* error;  // how it begins
};

std::ostream& operator<<(std::ostream& out, const Unusable& each) {
  return out << each.name;
}

class Refused : public ::testing::TestWithParam<Unusable> {};

TEST_P(Refused, WithFileAndPlace) {
  const auto snapshot = parse_snapshot(GetParam().text, "s.json");
  ASSERT_FALSE(snapshot);
  EXPECT_THAT(snapshot.error().message, StartsWith(std::string("s.json:") + GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Snapshot, Refused,
    ::testing::Values(
        Unusable{"Empty", "", "1:1: is no JSON: syntax error"}, Unusable{"NoJson", "# TOML\n", "1:1: is no JSON: "},
        Unusable{"Cut", "{\"version\": 1,\n \"regions\": [", "2:13: is no JSON: "},
        Unusable{"Trailing", "{\"version\": 1, \"regions\": []}\n}", "2:1: is no JSON: "},
        Unusable{"HugeNumber", "{\"version\": 1,\n\"regions\": [1e999]}", "2:17: is no JSON: number overflow"},
        Unusable{"NoUtf8", "{\"version\": 1,\n\"\xff\": 2}", "2:2: is no JSON: "},
        Unusable{"List", "[]", " the file: is a list; expected an object with \"version\": 1"},
        Unusable{"NoVersion", R"({"regions":[]})", " version: is missing; expected 1"},
        Unusable{"OtherVersion", R"({"version":2,"regions":[]})", " version: is 2; expected 1"},
        Unusable{"TextVersion", R"({"version":"1","regions":[]})", " version: is \"1\"; expected 1"},
        Unusable{"NoRegions", R"({"version":1})", " regions: is missing; expected a list"},
        Unusable{"RegionsIsObject", R"({"version":1,"regions":{}})", " regions: is an object; expected a list"},
        Unusable{"RegionIsText", R"({"version":1,"regions":["us-east-1"]})", " regions[0].region: is missing"},
        Unusable{"RegionName", R"({"version":1,"regions":[{"region":"Virginia","fetched":1,"identities":[]}]})",
                 " regions[0].region: is \"Virginia\"; expected an AWS region"},
        Unusable{"NoFetched", R"({"version":1,"regions":[{"region":"us-east-1","identities":[]}]})",
                 " regions[0].fetched: is missing; expected a time"},
        Unusable{"NoIdentities", R"({"version":1,"regions":[{"region":"us-east-1","fetched":1}]})",
                 " regions[0].identities: is missing; expected a list"},
        Unusable{
            "NoIdentityName",
            R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":[{"Name":"example.com"}]}]})",
            " regions[0].identities[0].IdentityName: is missing"},
        Unusable{"IdentityIsText",
                 R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":["example.com"]}]})",
                 " regions[0].identities[0].IdentityName: is missing"},
        Unusable{"RegionTwice",
                 R"({"version":1,"regions":[{"region":"us-east-1","fetched":1,"identities":[]},)"
                 R"({"region":"us-east-1","fetched":2,"identities":[]}]})",
                 " regions[1]: account \"\" has region us-east-1 twice; expected each once"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Snapshot, EveryPrefixIsAnErrorWithItsPlace) {
  for (std::size_t size = 0; size < kFull.size(); ++size) {
    const auto snapshot = parse_snapshot(kFull.substr(0, size), "s.json");
    ASSERT_FALSE(snapshot) << size;
    EXPECT_THAT(snapshot.error().message, AllOf(StartsWith("s.json:"), HasSubstr("is no JSON"))) << size;
  }
}

// Each octet of a good file replaced in turn: read or refused, and an error names the file.
TEST(Snapshot, EveryBentFileIsReadOrRefused) {
  for (const char bent : {'"', '{', ']', '0', '\0', '\xff'})
    for (std::size_t at = 0; at < kFull.size(); ++at) {
      std::string text(kFull);
      text[at] = bent;
      const auto snapshot = parse_snapshot(text, "s.json");
      if (!snapshot) {
        EXPECT_THAT(snapshot.error().message, StartsWith("s.json:"));
      }
    }
}

TEST(Snapshot, DepthIsNoDanger) {
  const std::string deep(200'000, '[');
  EXPECT_FALSE(parse_snapshot(deep, "s.json"));
  const auto snapshot = parsed(with_answer(R"({"Policies":)" + deep + std::string(deep.size(), ']') + "}"));
  EXPECT_EQ(only(snapshot).name, "example.com");
}

TEST(Snapshot, FilesThatCannotBeReadAreNamed) {
  const auto missing = load_snapshot("/nonexistent/ses.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "/nonexistent/ses.json: cannot be read: No such file or directory");
  const auto directory = load_snapshot("/");
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, StartsWith("/: cannot be read: "));
  const auto device = load_snapshot("/dev/null");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().message, "/dev/null: cannot be read: it is no regular file");
}

// Without a writer open(2) would wait.
TEST(Snapshot, AFifoIsNotWaitedFor) {
  const auto path = std::filesystem::temp_directory_path() / ("sesame-fifo-" + std::to_string(::getpid()));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto fifo = load_snapshot(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(fifo);
  EXPECT_THAT(fifo.error().message, HasSubstr("it is no regular file"));
}

TEST(Snapshot, AFileIsReadWhole) {
  const auto path = std::filesystem::temp_directory_path() / ("sesame-snapshot-" + std::to_string(::getpid()));
  std::ofstream(path) << R"({"version":1,"padding":")" << std::string(3u << 20, 'x') << R"(","regions":[]})";
  EXPECT_TRUE(load_snapshot(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sesame::ses
