// Which identity applies.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

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
      {"AddressIdentityThatMayBeVerifiedByNow",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.verified_for_sending = false;
         address.aged = true;
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dmarc-none-aligned"}},
      {"AddressIdentityThatIsNotVerified",
       [](SesWorld& w) { w.add_identity("news@example.com").verified_for_sending = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {}},
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
       [](SesWorld& w) { w.account.identities.edit().clear(); },
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
