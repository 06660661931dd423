// What becomes of the DKIM leg, and which identity applies.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

const std::vector<std::string> kFaults = {"dkim-cname-missing", "dkim-disabled",      "identity-address-override",
                                          "mailfrom-default",   "mailfrom-fallback",  "mailfrom-mx",
                                          "dmarc-absent",       "dmarc-none-aligned", "only-amazonses-signature",
                                          "spf-strict-never",   "dkim-strict-parent", "dmarc-temperror"};

PredictCase byodkim(const std::string& name, const std::string& dns, Verdict verdict, const std::string& code) {
  const auto change = [dns](SesWorld& w) {
    w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
    w.identity().mail_from = {};
    w.dns(dns);
  };
  return {name,   change,     verdict, verdict == Verdict::fail ? Confidence::likely : Confidence::unknown,
          {code}, {"dkim-ok"}};
}

}  // namespace

std::vector<PredictCase> dkim_cases() {
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
       [unsigned_with](SesWorld& w) { unsigned_with(Status::not_started)(w), w.identity().dkim.tokens.clear(); },
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

  };
}

std::vector<PredictCase> identity_cases() {
  return {
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
       {"from-foreign", "only-amazonses-signature", "dmarc-none-aligned"},
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

  };
}

}  // namespace sesame::test
