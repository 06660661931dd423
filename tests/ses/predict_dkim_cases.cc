// What the DKIM records in DNS make of the DKIM leg.
#include <algorithm>
#include <iterator>

#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

const std::vector<std::string> kFaults = {"dkim-cname-missing", "dkim-disabled",      "identity-address-override",
                                          "dkim-key-weak",      "dkim-no-key",        "dkim-records-flap",
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

// The three CNAMEs lead to `zone`, which nobody told; the first token has its key there.
std::function<void(SesWorld&)> targets(const std::string& zone, const std::string& key = "p=" + kPublicKey,
                                       const std::string& region = "us-east-1") {
  return [=](SesWorld& w) {
    w.identity().mail_from = {};
    w.account.region = w.identity().region = region;
    w.dns(region + ".amazonses.com TXT v=spf1 include:amazonses.com -all");
    for (const std::string token : {"t1", "t2", "t3"})
      w.replace(token + "._domainkey.example.com", token + "._domainkey.example.com CNAME " + token + "." + zone);
    if (key.empty()) return;
    w.dns("t1." + zone + " TXT " + key);
    w.dns("t2." + zone + " TXT \"\"\nt3." + zone + " TXT \"\"");
  };
}

std::function<void(SesWorld&)> also(std::function<void(SesWorld&)> first, std::function<void(SesWorld&)> then) {
  return [first, then](SesWorld& w) { first(w), then(w); };
}

std::vector<PredictCase> zone_cases() {
  const auto cell = [](auto... more) { return targets("cell9.dkim.amazonses.com", more...); };
  const std::vector<std::string> wrong = {"dkim-cname-target"}, well = {"dkim-ok"};
  const auto pass = Verdict::pass;
  const auto unknown = Verdict::unknown;
  return {
      {"ZoneOfACell", cell(), pass, Confidence::confirmed, well, wrong},
      {"ZoneOfAnotherPartition", targets("dkim.eusc-de-east-1.amazonses.eu", "p=" + kPublicKey, "eusc-de-east-1"), pass,
       Confidence::confirmed, well, wrong},
      {"ZoneOfACellInferred", also(cell(), [](SesWorld& w) { w.identity().dkim.status.reset(); }), pass,
       Confidence::likely, well, wrong},
      {"ZoneOfACellOneMissing",
       also(cell(), [](SesWorld& w) { w.resolver.zone().remove("t3._domainkey.example.com"); }),
       unknown,
       Confidence::unknown,
       {"dkim-cname-missing"},
       wrong},
      {"ZoneOfACellOneElsewhere",
       also(cell(),
            [](SesWorld& w) {
              w.replace("t2._domainkey.example.com", "t2._domainkey.example.com CNAME www.example.com");
            }),
       unknown, Confidence::unknown, wrong, well},
      {"ZoneOfACellNotOfAllTokens",
       also(cell(),
            [](SesWorld& w) {
              w.replace("t2._domainkey.example.com", "t2._domainkey.example.com CNAME t2.dkim.amazonses.com");
            }),
       unknown, Confidence::unknown, wrong, well},
      {"ZoneOfACellNotOfAnotherToken",
       also(cell(),
            [](SesWorld& w) {
              w.replace("t1._domainkey.example.com", "t1._domainkey.example.com CNAME t9.cell9.dkim.amazonses.com");
              w.dns("t9.cell9.dkim.amazonses.com TXT p=" + kPublicKey);
            }),
       unknown, Confidence::unknown, wrong, well},
      {"ZoneOfACellNotWhereAnotherWasTold",
       also(cell(), [](SesWorld& w) { w.identity().dkim.signing_hosted_zone = "dkim.amazonses.com"; }), unknown,
       Confidence::unknown, wrong, well},
      {"ZoneWithoutAnyKey", cell(""), Verdict::fail, Confidence::likely, wrong, well},
      {"ZoneOfACellWhileItsKeyIsSilent",
       also(cell(),
            [](SesWorld& w) { w.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT !TIMEOUT"); }),
       unknown,
       Confidence::unknown,
       {},
       wrong},
      {"ZoneOfAnotherRegion", targets("dkim.eu-south-1.amazonses.com"), unknown, Confidence::unknown, wrong, well},
      {"ZoneSharedThoughTheRegionHasItsOwn", targets("dkim.amazonses.com", "", "eu-south-1"), unknown,
       Confidence::unknown, wrong, well},
      {"ZoneOutsideAmazon", targets("dkim.amazonses.com.example.net"), unknown, Confidence::unknown, wrong, well},
      {"ZoneOfACellThatSesDoesNotConfirm", also(cell(), [](SesWorld& w) { w.identity().dkim.status = Status::failed; }),
       Verdict::fail, Confidence::confirmed, wrong, well},
  };
}

// RSA-1024, likewise.
const std::string kShortKey =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5G9ECvjg0SoRnyRSNJvXXgxbAiX8IFIF7IlTYBfIDbw+iAwlP8LP0nrq8Eub0POqleBb1KznK8"
    "ERnAusAzgJblYfhr8Zy1mP16MK8MtogH23kz7rD/8d1Pb/j1NDL36rGAy7zYNvESmqYwoajRG+I3LX8NVGLKJrERv88HZZLPwIDAQAB";

}  // namespace

std::vector<PredictCase> dkim_cases() {
  std::vector<PredictCase> cases = {
      {"DkimOk", [](SesWorld&) {}, Verdict::pass, Confidence::confirmed, {"dkim-ok"}, kFaults},
      {"DkimOkInferred",
       [](SesWorld& w) { w.identity().dkim.status.reset(), w.identity().mail_from.status.reset(); },
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       kFaults},
      {"MailfromDefault",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "mailfrom-default"},
       {"dmarc-none-aligned"}},
      {"DkimDisabledButSpfAligns",
       [](SesWorld& w) { w.identity().dkim.signing_enabled = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "only-amazonses-signature"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DkimDisabled",
       [](SesWorld& w) { w.identity().dkim.signing_enabled = false, w.identity().mail_from = {}; },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "only-amazonses-signature", "mailfrom-default", "dmarc-none-aligned"},
       {"dkim-ok"}},
      {"DkimCnameMissingAndDkimFailed",
       [&](SesWorld& w) {
         w.identity().dkim.status = Status::failed, w.identity().mail_from = {};
         w.resolver.zone().remove("t2._domainkey.example.com");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-failed", "only-amazonses-signature"},
       {}},
      // The account says SUCCESS, DNS says gone: SES may notice at any moment.
      {"DkimCnameMissing",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.resolver.zone().remove("t3._domainkey.example.com");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-missing"},
       {"dmarc-none-aligned", "dkim-ok"}},
      // Whether SES still signs or not, no receiver finds a key.
      {"DkimCnameMissingActive",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.resolver.zone().remove("t1._domainkey.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dmarc-none-aligned"},
       {}},
      {"DkimCnameMissingButSpfAligns",
       [](SesWorld& w) { w.resolver.zone().remove("t3._domainkey.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-cname-missing"},
       {}},
      {"DkimNoKey",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\"");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-no-key"},
       {"dkim-ok"}},
      {"DkimCnameTarget",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com CNAME t1.dkim.eu-south-1.amazonses.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-target"},
       {}},
      // Receivers find a key at the end of the wrong way, and SES may not have noticed.
      {"DkimCnameTargetToACopyOfTheKey",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com",
                   "t1._domainkey.example.com CNAME t1.copy.example.net\nt1.copy.example.net TXT p=" + kPublicKey);
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-target"},
       {"dmarc-none-aligned"}},
      {"DkimCnameTargetNotOverAnotherName",
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
      {"DkimCnameProxied",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT p=" + kPublicKey);
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-proxied"},
       {"dmarc-none-aligned"}},
      // A wildcard answers with something that is no key: no receiver can verify, whatever SES does.
      {"DkimCnameProxiedByAWildcardText",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com TXT v=spf1 -all");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-proxied"},
       {}},
      {"DkimRotating",
       [](SesWorld& w) { w.replace("t2.dkim.amazonses.com", "t2.dkim.amazonses.com TXT p=" + kPublicKey); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "dkim-rotating"},
       kFaults},
      {"DkimTxtServfail",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-txt-servfail"},
       {"dmarc-none-aligned"}},
      {"DkimTxtServfailNotOnTimeoutButSpfAligns",
       [](SesWorld& w) { w.dns("t1.dkim.amazonses.com TXT !TIMEOUT"); },
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"dmarc-none-aligned", "dkim-txt-servfail"}},
      {"TokensNotConfigured",
       [](SesWorld& w) { w.identity().dkim.tokens.clear(), w.identity().mail_from = {}; },
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-default"},
       {"dmarc-none-aligned"}},
      {"DkimKeyBadNotByodkim",
       [](SesWorld& w) {
         w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
         w.identity().mail_from = {};
         w.dns("own._domainkey.example.com TXT v=DKIM1; p=" + kPublicKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-key-bad", "dkim-cname-proxied"}},
      byodkim("DkimKeyBadEd25519",
              "own._domainkey.example.com TXT k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Verdict::fail,
              "dkim-key-bad"),
      byodkim("DkimKeyBadForSha1", "own._domainkey.example.com TXT h=sha1; p=" + kPublicKey, Verdict::fail,
              "dkim-key-bad"),
      byodkim("DkimKeyBadForAnotherService", "own._domainkey.example.com TXT s=tlsrpt; p=" + kPublicKey, Verdict::fail,
              "dkim-key-bad"),
      byodkim("DkimKeyBadRevoked", "own._domainkey.example.com TXT p=", Verdict::fail, "dkim-key-bad"),
      byodkim("DkimKeyBadShort",
              "own._domainkey.example.com TXT "
              "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ1ayUqVrRIfHZ6SKQwWprhXRlK3TsEJVEHTH9xrFZbQxDc24eLw/"
              "tqz4oPpGuASnmK1xlbQJ8yTe1nPOqTL9m8CAwEAAQ==",
              Verdict::fail, "dkim-key-bad"),
      byodkim("DkimCnameMissingByodkim", "", Verdict::fail, "dkim-cname-missing"),
      // Receivers differ in what they make of it.
      byodkim("DkimKeyBadInTesting", "own._domainkey.example.com TXT t=y; p=" + kPublicKey, Verdict::unknown,
              "dkim-key-bad"),
      byodkim("DkimKeyBadTwoRecords",
              "own._domainkey.example.com TXT p=" + kPublicKey + "\nown._domainkey.example.com TXT v=spf1 -all",
              Verdict::unknown, "dkim-key-bad"),
      {"DeedReplicaNotWithItsParentsTokens",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         auto replica = w.identity();
         replica.region = w.account.region = "eu-west-1";
         replica.dkim.origin = "AWS_SES_US_EAST_1";
         replica.dkim.tokens.clear();
         w.account.identities.edit().push_back(replica);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-target"}},
      // One address of the identity's own zone in front of the CNAME: a proxy.
      {"DkimCnameProxiedByAnAddress",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com A 192.0.2.9");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-proxied"},
       {"dkim-cname-missing"}},
      {"DkimCnameProxiedByAWildcardCname",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.resolver.zone().remove("t1._domainkey.example.com");
         w.dns("*._domainkey.example.com CNAME www.example.com\nwww.example.com A 192.0.2.9");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-proxied"},
       {"dkim-cname-target", "dkim-cname-missing"}},
      {"DkimCnameProxiedNotBesideAWildcard",
       [](SesWorld& w) { w.dns("*._domainkey.example.com CNAME www.example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-proxied", "dkim-cname-target", "dkim-cname-missing"}},
      {"DkimCnameMissingAll",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         for (const std::string token : {"t1", "t2", "t3"}) w.resolver.zone().remove(token + "._domainkey.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dmarc-none-aligned"},
       {"dkim-no-key"}},
      {"DkimNameDoubled",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "t1._domainkey.example.com.example.com CNAME t1.dkim.amazonses.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-name-doubled", "dkim-cname-missing"},
       {}},
      {"DkimNameDoubledByodkim",
       [](SesWorld& w) {
         w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
         w.identity().mail_from = {};
         w.dns("own._domainkey.example.com.example.com TXT p=" + kPublicKey);
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-name-doubled", "dkim-cname-missing"},
       {}},
      // What a wildcard says there is nobody's mistake.
      {"DkimNameDoubledNotByAWildcard",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1._domainkey.example.com", "*.com.example.com CNAME www.example.com");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing"},
       {"dkim-name-doubled"}},
      // The server answers nothing at all: no trouble of TXT alone.
      {"DkimTxtServfailNotWhenTheCnameFailsToo",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.dns("t1._domainkey.example.com * !SERVFAIL");
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-txt-servfail", "dkim-cname-missing", "dmarc-none-aligned"}},
      {"DkimNoKeyNotWithOneOfThree",
       [](SesWorld& w) {
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\"");
         w.replace("t3.dkim.amazonses.com", "t3.dkim.amazonses.com TXT p=" + kPublicKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-no-key", "dkim-rotating"}},
      {"DkimOkWithAFullKeyRecord",
       [](SesWorld& w) {
         w.replace("t1.dkim.amazonses.com",
                   "t1.dkim.amazonses.com TXT v=DKIM1; k=rsa; h=sha256; s=email; p=" + kPublicKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       kFaults},
      {"DkimKeyWeak",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT p=" + kShortKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-key-weak", "dkim-ok"},
       {"dkim-key-bad", "dmarc-none-aligned"}},
      {"DkimKeyWeakByodkim",
       [](SesWorld& w) {
         w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
         w.dns("own._domainkey.example.com TXT v=DKIM1; k=rsa; p=" + kShortKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-key-weak", "dkim-ok"},
       {"dkim-key-bad"}},
      // The longer key is on its way.
      {"DkimKeyWeakNotWhileALongerOneComes",
       [](SesWorld& w) {
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT p=" + kShortKey);
         w.replace("t2.dkim.amazonses.com", "t2.dkim.amazonses.com TXT p=" + kPublicKey);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "dkim-rotating"},
       {"dkim-key-weak"}},
      {"DkimKeyBadMalformed",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT p=MIIB!!");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-key-bad"},
       {"dkim-ok", "dkim-no-key"}},
      {"DkimCnameMissingNotWithAllThree",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-cname-missing"}},
      {"DkimOkNotWithoutAKey",
       [](SesWorld& w) { w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\""); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-no-key"},
       {"dkim-ok"}},
      {"DkimRotatingNotBesideARevokedKey",
       [](SesWorld& w) { w.replace("t2.dkim.amazonses.com", "t2.dkim.amazonses.com TXT p="); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-rotating", "dkim-key-bad"}},
      {"DkimNoKeyAllEmptyOrRevoked",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT p=");
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-no-key"},
       {"dkim-ok", "dkim-key-bad"}},
  };
  std::ranges::copy(zone_cases(), std::back_inserter(cases));
  return cases;
}

}  // namespace sesame::test
