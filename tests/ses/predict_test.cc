#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "ses/world.h"

namespace sesame::test {
namespace {

using ses::Confidence;
using ses::Status;
using ses::Verdict;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// One thing changed in a healthy world, and what must follow.
struct Case {
  std::string name;
  std::function<void(SesWorld&)> change;
  Verdict verdict;
  Confidence confidence;
  std::vector<std::string> codes = {};      // must be there, the first of them first
  std::vector<std::string> not_codes = {};  // must not
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class Predict : public testing::TestWithParam<Case> {};

TEST_P(Predict, VerdictAndFindings) {
  const auto& c = GetParam();
  SesWorld world;
  c.change(world);
  const auto prediction = world.predict();
  EXPECT_STREQ(ses::to_string(prediction.verdict), ses::to_string(c.verdict)) << prediction.why;
  EXPECT_STREQ(ses::to_string(prediction.confidence), ses::to_string(c.confidence)) << prediction.why;
  const auto found = codes(prediction);
  for (const auto& code : c.codes) EXPECT_THAT(found, Contains(code)) << prediction.why;
  if (!c.codes.empty() && !found.empty()) {
    EXPECT_EQ(found.front(), c.codes.front()) << prediction.why;
  }
  for (const auto& code : c.not_codes) EXPECT_THAT(found, Not(Contains(code)));
  EXPECT_FALSE(prediction.why.empty());
  EXPECT_EQ(prediction.why.find('{'), std::string::npos) << "a field of a text was not filled: " << prediction.why;
  for (const auto& finding : prediction.findings)
    EXPECT_EQ((finding.text + finding.advice).find('{'), std::string::npos) << finding.text << finding.advice;
}

const std::vector<std::string> kFaults = {"dkim-cname-missing", "dkim-disabled",      "identity-address-override",
                                          "mailfrom-default",   "mailfrom-fallback",  "mailfrom-mx",
                                          "dmarc-absent",       "dmarc-none-aligned", "only-amazonses-signature",
                                          "spf-strict-never",   "dkim-strict-parent", "dmarc-temperror"};

Case byodkim(const std::string& name, const std::string& dns, Verdict verdict, const std::string& code) {
  const auto change = [dns](SesWorld& w) {
    w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
    w.identity().mail_from = {};
    w.dns(dns);
  };
  return {name,   change,     verdict, verdict == Verdict::fail ? Confidence::likely : Confidence::unknown,
          {code}, {"dkim-ok"}};
}

std::vector<Case> cases() {
  const auto unsigned_with = [](Status status) {
    return [status](SesWorld& w) {
      w.identity().dkim.status = status;
      w.identity().mail_from = {};
    };
  };
  return {
      {"Healthy", [](SesWorld&) {}, Verdict::pass, Confidence::confirmed, {"dkim-ok"}, kFaults},
      {"HealthyInferred",
       [](SesWorld& w) { w.identity().dkim.status.reset(), w.identity().mail_from.status.reset(); },
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       kFaults},
      {"DkimOnly",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"dmarc-none-aligned"}},
      {"SpfOnly",
       [](SesWorld& w) { w.identity().dkim.signing_enabled = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "only-amazonses-signature"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"NeitherLeg",
       [](SesWorld& w) { w.identity().dkim.signing_enabled = false, w.identity().mail_from = {}; },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "only-amazonses-signature", "mailfrom-default", "dmarc-none-aligned"},
       {"dkim-ok"}},
      {"DkimNotStarted",
       unsigned_with(Status::not_started),
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature", "dmarc-none-aligned"},
       {"dkim-disabled"}},
      {"DkimPending",
       unsigned_with(Status::pending),
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature", "dkim-pending"},
       {}},
      {"DkimFailedCnameMissing",
       [&](SesWorld& w) {
         w.identity().dkim.status = Status::failed, w.identity().mail_from = {};
         w.resolver.zone().remove("t2._domainkey.example.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-failed", "only-amazonses-signature"},
       {}},
      // The account says SUCCESS, DNS says gone: SES may notice at any moment.
      {"SuccessButOneCnameGone",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.resolver.zone().remove("t3._domainkey.example.com");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-missing"},
       {"dmarc-none-aligned", "dkim-ok"}},
      // Whether SES still signs or not, no receiver finds a key.
      {"SuccessButActiveCnameGone",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.resolver.zone().remove("t1._domainkey.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dmarc-none-aligned"},
       {}},
      {"OneCnameGoneButSpfAligns",
       [](SesWorld& w) { w.resolver.zone().remove("t3._domainkey.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-cname-missing"},
       {}},
      {"NoSelectorHoldsAKey",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\"");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-no-key"},
       {"dkim-ok"}},
      {"CnameToAnotherZone",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com CNAME t1.dkim.eu-south-1.amazonses.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-target"},
       {}},
      // Receivers find a key at the end of the wrong way, and SES may not have noticed.
      {"CnameToACopyOfTheKey",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com",
                   "t1._domainkey.example.com CNAME t1.copy.example.net\nt1.copy.example.net TXT p=" + kPublicKey);
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-target"},
       {"dmarc-none-aligned"}},
      {"CnameOverAnotherNameArrives",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace(
             "t1._domainkey.example.com",
             "t1._domainkey.example.com CNAME t1.hop.example.net\nt1.hop.example.net CNAME t1.dkim.amazonses.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-target"}},
      {"KeyServedWithoutTheCname",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT p=" + kPublicKey);
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-proxied"},
       {"dmarc-none-aligned"}},
      // A wildcard answers with something that is no key: no receiver can verify, whatever SES does.
      {"WildcardTextInPlaceOfTheCname",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT v=spf1 -all");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-proxied"},
       {}},
      {"TwoKeysRotation",
       [](SesWorld& w) { w.replace("t2.dkim.amazonses.com", "t2.dkim.amazonses.com TXT p=" + kPublicKey); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "dkim-rotating"},
       kFaults},
      {"SelectorServfail",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-txt-servfail"},
       {"dmarc-none-aligned"}},
      {"SelectorTimesOutButSpfAligns",
       [](SesWorld& w) { w.dns("t1.dkim.amazonses.com TXT !TIMEOUT"); },
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"dmarc-none-aligned"}},
      {"TokensNotConfigured",
       [](SesWorld& w) { w.identity().dkim.tokens.clear(), w.identity().mail_from = {}; },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-default"},
       {"dmarc-none-aligned"}},
      {"Byodkim",
       [](SesWorld& w) {
         w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
         w.identity().mail_from = {};
         w.dns("own._domainkey.example.com TXT v=DKIM1; p=" + kPublicKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-proxied"}},
      byodkim("ByodkimEd25519",
              "own._domainkey.example.com TXT k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Verdict::fail,
              "dkim-key-bad"),
      byodkim("ByodkimKeyForSha1", "own._domainkey.example.com TXT h=sha1; p=" + kPublicKey, Verdict::fail,
              "dkim-key-bad"),
      byodkim("ByodkimKeyForAnotherService", "own._domainkey.example.com TXT s=tlsrpt; p=" + kPublicKey, Verdict::fail,
              "dkim-key-bad"),
      byodkim("ByodkimRevoked", "own._domainkey.example.com TXT p=", Verdict::fail, "dkim-key-bad"),
      byodkim("ByodkimShortKey",
              "own._domainkey.example.com TXT "
              "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ1ayUqVrRIfHZ6SKQwWprhXRlK3TsEJVEHTH9xrFZbQxDc24eLw/"
              "tqz4oPpGuASnmK1xlbQJ8yTe1nPOqTL9m8CAwEAAQ==",
              Verdict::fail, "dkim-key-bad"),
      byodkim("ByodkimMissing", "", Verdict::fail, "dkim-cname-missing"),
      // Receivers differ in what they make of it.
      byodkim("ByodkimInTesting", "own._domainkey.example.com TXT t=y; p=" + kPublicKey, Verdict::unknown,
              "dkim-key-bad"),
      byodkim("ByodkimTwoRecords",
              "own._domainkey.example.com TXT p=" + kPublicKey + "\nown._domainkey.example.com TXT v=spf1 -all",
              Verdict::unknown, "dkim-key-bad"),
      {"ReplicaTakesItsParentsTokens",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         auto replica = w.identity();
         replica.region = w.account.region = "eu-west-1";
         replica.dkim.origin = "AWS_SES_US_EAST_1";
         replica.dkim.tokens.clear();
         w.account.identities.push_back(replica);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-target"}},

      {"AddressIdentityWithoutDkim",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.dkim.signing_enabled = false;
       },
       Verdict::fail,
       Confidence::confirmed,
       {"identity-address-override", "dkim-disabled", "only-amazonses-signature", "mailfrom-default",
        "dmarc-none-aligned"},
       {}},
      {"AddressIdentityOfAnotherSpelling",
       [](SesWorld& w) { w.add_identity("News@example.com").dkim.signing_enabled = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"identity-address-override"}},
      {"AddressIdentityCoversItsLabels",
       [](SesWorld& w) {
         w.add_identity("news@example.com").dkim.signing_enabled = false;
         w.from("news+weekly@example.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"identity-address-override"},
       {}},
      {"AddressIdentityWithDkim",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.dkim.status = Status::success;
         address.mail_from = w.identity().mail_from;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"identity-address-override"}},
      // Documented both ways: what the address inherits is not known.
      {"AddressIdentityUndescribed",
       [](SesWorld& w) { w.add_identity("news@example.com"); },
       Verdict::unknown,
       Confidence::unknown,
       {"identity-address-override"},
       {"dmarc-none-aligned"}},
      {"AddressIdentityAtAForeignDomain",
       [](SesWorld& w) {
         w.add_identity("someone@freemail.example");
         w.from("someone@freemail.example");
         w.dns("_dmarc.freemail.example TXT v=DMARC1; p=none");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature", "dmarc-none-aligned"},
       {"identity-address-override"}},
      {"NoIdentityConfigured",
       [](SesWorld& w) { w.account.identities.clear(); },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"from-unverified", "dmarc-none-aligned"}},
      {"IdentityOfAnotherRegion",
       [](SesWorld& w) { w.account.region = "eu-west-1"; },
       Verdict::refused,
       Confidence::confirmed,
       {"from-unverified"},
       {}},
      {"LongestDomainWins",
       [](SesWorld& w) {
         auto& sub = w.add_identity("news.example.com");
         sub.dkim.status = Status::not_started;
         w.from("a@news.example.com"), w.envelope.mail_from = "a@news.example.com";
       },
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature"},
       {}},

      {"MailFromFailedFallsBack",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.resolver.zone().remove("bounce.example.com");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-fallback", "mailfrom-mx"},
       {}},
      {"MailFromFailedRejects",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
       },
       Verdict::refused,
       Confidence::confirmed,
       {"mailfrom-reject"},
       {}},
      {"MailFromMxGoneWithoutDkim",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"dmarc-none-aligned"}},
      {"MailFromMxTypo",
       [](SesWorld& w) {
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonaws.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-mx"},
       {}},
      // SES may notice at any moment, and then refuses instead of falling back.
      {"MailFromMxGoneMayRefuse",
       [](SesWorld& w) {
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
         w.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {"mailfrom-reject"}},
      {"MailFromMxWithoutARegion",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-mx"},
       {}},
      {"MailFromMxOfAnotherRegionIsNoFault",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-mx"},
       {}},
      {"MailFromSpfMissing",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com", "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "mailfrom-spf", "dmarc-none-aligned"},
       {}},
      // One address of one range is enough to spoil the leg: some receivers will see it fail.
      {"SpfExcludesOneSesAddress",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 -ip4:203.0.113.77 include:amazonses.com ~all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-spf", "dkim-disabled"},
       {"dmarc-none-aligned"}},
      {"SpfListsTheRangesItself",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 ip4:203.0.113.0/24 -all");
       },
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-spf"}},
      {"AmazonRecordThatDoesNotListItsAddresses",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 exists:%{i}.ses.example -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AmazonRecordTwice",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\namazonses.com TXT v=spf1 -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AmazonRecordThatLeadsToNothing",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 include:more.ses.example -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      // A network with bits below its prefix is the network SPF takes it for.
      {"AmazonNetworkWithLooseBits",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.9/25 -all");
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 ip4:198.51.100.0/24 -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-spf"},
       {"dmarc-none-aligned"}},
      // The local part SES will use is its message id: no one can say what such a record answers.
      {"SpfAsksForTheLocalPart",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 exists:%{l}.users.example.com include:amazonses.com -all");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"SpfServfail",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.dns("bounce.example.com TXT !SERVFAIL");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"mailfrom-spf", "dmarc-none-aligned"}},
      {"AmazonSpfServfailMattersOnlyToSpf",
       [](SesWorld& w) { w.dns("amazonses.com TXT !SERVFAIL"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {}},
      // A fault on an identifier that could not align anyway changes nothing.
      {"AmazonSpfServfailCannotMakeFailUnknown",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false, w.identity().mail_from = {};
         w.dns("amazonses.com TXT !SERVFAIL");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled"},
       {}},
      {"MailFromOfAnotherIdentityIsNotKnown",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.add_identity("example.net");
         w.envelope.mail_from = "bounces@example.net";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {}},
      // The same MAIL FROM domain, but one of the two identities makes SES refuse.
      {"MailFromSettingsDifferInBehaviourAlone",
       [](SesWorld& w) {
         w.identity().mail_from.status = Status::failed;
         auto& address = w.add_identity("bounces@example.com");
         address.mail_from = w.account.identities.front().mail_from;
         address.mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
         w.envelope.mail_from = "bounces@example.com";
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"mailfrom-reject"}},

      {"NoDmarcRecord",
       [](SesWorld& w) { w.resolver.zone().remove("_dmarc.example.com"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-absent", "dkim-ok"},
       {"dmarc-none-aligned"}},
      {"UnusableDmarcRecordIsTheCause",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=rejct"); },
       Verdict::none,
       Confidence::confirmed,
       {"dmarc-invalid", "dmarc-absent", "dkim-ok"},
       {}},
      // The author domain's own record is there, but not the answer above it that relaxed alignment needs.
      {"OrganizationalDomainServfail",
       [](SesWorld& w) {
         w.dns("_dmarc.shop.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT !SERVFAIL");
         w.from("a@shop.example.com");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {"dmarc-none-aligned"}},
      {"DmarcServfail",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT !SERVFAIL"); },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {"dmarc-absent"}},
      {"DmarcTimeout",
       [](SesWorld& w) { w.dns("_dmarc.example.com TXT !TIMEOUT"); },
       Verdict::unknown,
       Confidence::unknown,
       {"dmarc-temperror"},
       {}},
      {"StrictSpf",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "spf-strict-never"},
       {"dkim-strict-parent"}},
      {"StrictDkimFromParent",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=s");
         w.from("a@shop.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-strict-parent", "spf-strict-never", "dmarc-none-aligned"},
       {}},
      {"StrictDkimFromItsOwn",
       [](SesWorld& w) { w.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-strict-parent"}},
      {"RecordOnlyAtTheSubdomain",
       [](SesWorld& w) {
         w.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
         w.from("a@shop.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"orgdomain-split", "dmarc-none-aligned"},
       {}},

      {"NullSender",
       [](SesWorld& w) { w.envelope.mail_from = ""; },
       Verdict::refused,
       Confidence::confirmed,
       {"null-sender"},
       {}},
      {"UnknownSenderIsNoNullSender",
       [](SesWorld& w) { w.envelope.mail_from = "", w.envelope.sender_known = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"null-sender"}},
      {"DuplicateHeader",
       [](SesWorld& w) { w.header("MIME-Version", "1.0"), w.header("Mime-version", "1.0"); },
       Verdict::refused,
       Confidence::confirmed,
       {"dup-header"},
       {}},
      {"RepeatedReceivedIsFine",
       [](SesWorld& w) { w.header("Received", "from a"), w.header("Received", "from b"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dup-header"}},
      {"FromNotVerified",
       [](SesWorld& w) { w.from("a@list.example"); },
       Verdict::refused,
       Confidence::confirmed,
       {"from-unverified"},
       {}},
      {"EnvelopeNotVerified",
       [](SesWorld& w) { w.envelope.mail_from = "root@host.example"; },
       Verdict::refused,
       Confidence::confirmed,
       {"from-unverified"},
       {}},
      {"SenderNotVerified",
       [](SesWorld& w) { w.header("Sender", "x@other.example"); },
       Verdict::refused,
       Confidence::confirmed,
       {"from-unverified"},
       {}},
      {"IdentityNotVerifiedForSending",
       [](SesWorld& w) { w.identity().verified_for_sending = false; },
       Verdict::refused,
       Confidence::confirmed,
       {"sending-blocked", "from-unverified"},
       {}},
      {"UnverifiedAddressDoesNotHideItsVerifiedDomain",
       [](SesWorld& w) { w.add_identity("news@example.com").verified_for_sending = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"from-unverified", "identity-address-override"}},
      {"FiftyOneRecipients",
       [](SesWorld& w) { w.envelope.recipients.assign(51, "r@receiver.example"); },
       Verdict::refused,
       Confidence::confirmed,
       {"too-many-recipients"},
       {}},
      {"FiftyRecipients",
       [](SesWorld& w) { w.envelope.recipients.assign(50, "r@receiver.example"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"too-many-recipients"}},
      {"TwoFromFields",
       [](SesWorld& w) { w.header("From", "other@example.com"); },
       Verdict::refused,
       Confidence::confirmed,
       {"dup-header", "from-ambiguous"},
       {}},
      {"NoFromField",
       [](SesWorld& w) { w.fields.clear(); },
       Verdict::refused,
       Confidence::confirmed,
       {"from-ambiguous"},
       {}},
      {"AnotherAccountsIdentity",
       [](SesWorld& w) { w.header("X-SES-SOURCE-ARN", "arn:aws:ses:us-east-1:111122223333:identity/example.org"); },
       Verdict::unknown,
       Confidence::unknown,
       {"owner-settings-unknown"},
       {"dmarc-none-aligned"}},
  };
}

INSTANTIATE_TEST_SUITE_P(Ses, Predict, testing::ValuesIn(cases()), [](const auto& test) { return test.param.name; });

TEST(PredictLegs, HealthyDomainAlignsOnBothInBothVintages) {
  SesWorld world;
  const auto p = world.predict();
  EXPECT_EQ(p.dkim.domain, "example.com");
  EXPECT_EQ(p.dkim.usable, Tri::yes);
  EXPECT_EQ(p.dkim.aligned.rfc9989, Tri::yes);
  EXPECT_EQ(p.dkim.aligned.rfc7489, Tri::yes);
  EXPECT_EQ(p.spf.domain, "bounce.example.com");
  EXPECT_EQ(p.spf.result, spf::Result::pass);
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::yes);
  EXPECT_EQ(p.rfc9989.policy, dmarc::Policy::reject);
  EXPECT_EQ(p.why, "DMARC will pass for example.com: DKIM d=example.com and SPF of bounce.example.com both align.");
}

TEST(PredictLegs, DefaultMailFromOfTheRegionPassesUnaligned) {
  SesWorld world;
  world.identity().mail_from = {};
  world.account.region = world.identity().region = "eu-west-1";
  const auto p = world.predict();
  EXPECT_EQ(p.spf.domain, "eu-west-1.amazonses.com");
  EXPECT_EQ(p.spf.result, spf::Result::pass);
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::no);
  EXPECT_EQ(p.spf.aligned.rfc7489, Tri::no);
}

TEST(PredictLegs, LegsAreReportedWithoutAPolicyAndForRefusedMail) {
  SesWorld world;
  world.resolver.zone().remove("_dmarc.example.com");
  EXPECT_EQ(world.predict().dkim.aligned.rfc9989, Tri::yes);
  SesWorld refused;
  refused.envelope.mail_from = "";
  EXPECT_EQ(refused.predict().dkim.usable, Tri::yes);
  EXPECT_EQ(refused.predict().rfc9989.result, ses::DmarcPrediction::Result::pass);
}

TEST(PredictLegs, VintagesSplitWhenOnlyTheSubdomainHasARecord) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
  world.from("a@shop.example.com");
  const auto p = world.predict();
  EXPECT_EQ(p.dkim.aligned.rfc9989, Tri::no);
  EXPECT_EQ(p.dkim.aligned.rfc7489, Tri::yes);
  EXPECT_EQ(p.rfc7489.result, ses::DmarcPrediction::Result::pass);
}

TEST(PredictLegs, MissingMxMakesTheLegUnknownAndNamesBothDomains) {
  SesWorld world;
  world.replace("bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com ~all");
  const auto p = world.predict();
  EXPECT_EQ(p.spf.aligned.rfc9989, Tri::unknown);
  EXPECT_THAT(p.spf.reason, HasSubstr("amazonses.com"));
}

dkim::Outcome upstream_signature(std::vector<std::string> signed_fields) {
  dkim::Outcome outcome;
  outcome.result = dkim::Result::pass;
  outcome.domain = "example.com";
  outcome.selector = "mta";
  outcome.signed_fields = std::move(signed_fields);
  return outcome;
}

TEST(PredictUpstream, ASignatureThatSesLeavesAloneCarriesTheMessage) {
  SesWorld world;
  world.identity().dkim.signing_enabled = false;
  world.identity().mail_from = {};
  world.upstream = {upstream_signature({"from", "subject", "to"})};
  const auto p = world.predict();
  EXPECT_EQ(p.verdict, Verdict::pass);
  EXPECT_EQ(p.dkim.source, "upstream");
  EXPECT_EQ(p.dkim.domain, "example.com");
}

TEST(PredictUpstream, ASignatureOverAFieldThatSesReplacesBreaks) {
  for (const std::string field :
       {"date", "message-id", "return-path", "bounces-to", "feedback-id", "x-ses-configuration-set"}) {
    SesWorld world;
    world.identity().dkim.signing_enabled = false;
    world.identity().mail_from = {};
    world.upstream = {upstream_signature({"from", field})};
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::fail) << field;
    EXPECT_THAT(codes(p), Contains("upstream-sig-will-break"));
  }
}

// What decides stands first: DKIM's own misalignment before what SPF lacks besides.
TEST(PredictOrder, StrictParentComesBeforeTheDefaultMailFrom) {
  SesWorld world;
  world.identity().mail_from = {};
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s");
  world.from("a@shop.example.com");
  EXPECT_THAT(codes(world.predict()),
              testing::ElementsAre("dkim-strict-parent", "mailfrom-default", "dmarc-none-aligned", "dkim-ok"));
}

// A fault that passes is never the reason for a fail.
TEST(PredictOrder, MisalignmentComesBeforeAKeyThatDidNotAnswer) {
  SesWorld world;
  world.identity().mail_from = {};
  world.replace("_dmarc.example.com", "_dmarc.shop.example.com TXT v=DMARC1; p=reject");
  world.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
  world.from("a@shop.example.com");
  const auto p = world.predict();
  EXPECT_EQ(p.verdict, Verdict::fail);
  EXPECT_EQ(codes(p).front(), "orgdomain-split");
  EXPECT_THAT(p.why, HasSubstr("publish a DMARC record at _dmarc.example.com"));
}

TEST(PredictUpstream, ThatCarriesTheMessageKeepsTheDefaultMailFromAWarning) {
  SesWorld world;
  world.identity().dkim.signing_enabled = false;
  world.identity().mail_from = {};
  world.upstream = {upstream_signature({"from"})};
  for (const auto& finding : world.predict().findings) {
    if (finding.code == ses::Code::mailfrom_default) {
      EXPECT_EQ(finding.severity, ses::Severity::warning);
    }
  }
}

TEST(PredictUpstream, UndecidedIsSaidWithItsSignature) {
  for (const bool testing : {false, true}) {
    SesWorld world;
    world.identity().dkim.signing_enabled = false;
    world.identity().mail_from = {};
    world.upstream = {upstream_signature({"from"})};
    world.upstream.front().testing = testing;
    world.upstream.front().reason = "key: SERVFAIL";
    if (!testing) world.upstream.front().result = dkim::Result::temperror;
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::unknown);
    EXPECT_EQ(p.why,
              "No prediction for example.com: the signature d=example.com on the message: key: SERVFAIL; the mail is "
              "let pass.");
  }
}

TEST(PredictUpstream, ABrokenSignatureThatIsMissedIsAWarning) {
  SesWorld world;
  world.upstream = {upstream_signature({"from", "date"})};
  EXPECT_EQ(world.predict().findings.back().severity, ses::Severity::info);
  world.identity().dkim.signing_enabled = false;
  const auto findings = world.predict().findings;
  const auto found = std::ranges::find(findings, ses::Code::upstream_sig_will_break, &ses::Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->severity, ses::Severity::warning);
}

// Whatever leaves a prediction open, the sentence names the record.
TEST(PredictWhy, UnknownNamesWhatIsNotKnown) {
  const std::vector<std::pair<std::function<void(SesWorld&)>, std::string>> cases = {
      {[](SesWorld& w) { w.dns("bounce.example.com MX !SERVFAIL"), w.identity().mail_from.status.reset(); },
       "MX of bounce.example.com is unknown (SERVFAIL): SES may use amazonses.com instead"},
      {[](SesWorld& w) {
         w.dns("bounce.example.com MX !SERVFAIL"), w.identity().mail_from.status.reset();
         w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
       },
       "MX of bounce.example.com is unknown (SERVFAIL): SES may refuse the message"},
      {[](SesWorld& w) { w.dns("bounce.example.com TXT !REFUSED"); }, "SPF of bounce.example.com: "},
      {[](SesWorld& w) {
         w.replace("bounce.example.com",
                   "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
                   "bounce.example.com TXT v=spf1 exists:%{l}.users.example.com include:amazonses.com -all");
       },
       "SPF of bounce.example.com gives no foreseeable result for addresses of SES"},
      {[](SesWorld& w) {
         w.add_identity("example.net");
         w.envelope.mail_from = "bounces@example.net";
       },
       "whether the MAIL FROM settings of example.com or those of example.net"},
      {[](SesWorld& w) {
         const auto mail_from = w.identity().mail_from;
         w.add_identity("news@example.com").mail_from = mail_from;
       },
       "whether it signs as example.com does is not known"},
      {[](SesWorld& w) {
         w.dns("_dmarc.shop.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT !SERVFAIL");
         w.from("a@shop.example.com");
       },
       "_dmarc.example.com"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SesWorld world;
    if (i != 5) world.identity().dkim.signing_enabled = false;
    if (i == 5) world.identity().mail_from = {};
    cases[i].first(world);
    const auto p = world.predict();
    EXPECT_EQ(p.verdict, Verdict::unknown) << cases[i].second;
    EXPECT_THAT(p.why, HasSubstr(cases[i].second));
  }
}

TEST(PredictText, ADomainThatDoesNotAnswerIsNoFaultOfTheRecord) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; np=none");
  world.dns("shop.example.com TXT !SERVFAIL");
  world.from("a@shop.example.com");
  EXPECT_THAT(codes(world.predict()), Not(Contains("dmarc-invalid")));
}

TEST(PredictText, UnusableRecordsSayWhatEachVintageDoes) {
  SesWorld world;
  world.replace("_dmarc.example.com", "_dmarc.example.com TXT v=DMARC1; p=reject; np=x");
  const auto findings = world.predict().findings;
  const auto found = std::ranges::find(findings, ses::Code::dmarc_invalid, &ses::Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_THAT(found->text, HasSubstr("receivers of RFC 9989 find no policy, those of RFC 7489 find a policy"));
}

TEST(PredictText, HostileValuesArePrintedSafely) {
  SesWorld world;
  world.envelope.mail_from = std::string("evil\r\nX: y\x01@host.example");
  for (const auto& finding : world.predict().findings)
    for (const char c : finding.text) EXPECT_GE(c, ' ') << finding.text;
}

}  // namespace
}  // namespace sesame::test
