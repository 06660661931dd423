// Which identity covers From, and whether it is the one that its owner has in mind.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

constexpr std::int64_t kLately = 1'699'990'000;

// example.com is set up in eu-west-1, too, in the same account or in another.
void set_up_elsewhere(SesWorld& w, const std::string& account) {
  auto other = w.identity();
  other.region = "eu-west-1";
  other.account = account;
  if (account == w.account.name) {
    w.account.identities.edit().push_back(other);
  } else {
    w.others.push_back({account, other.region, ses::Identities::sorted({other}), {}});
  }
}

}  // namespace

std::vector<PredictCase> coverage_cases() {
  return {
      {"IdentityAddressOverride",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.dkim.status = Status::not_started;
         address.dkim.signing_enabled = false;
       },
       Verdict::fail,
       Confidence::confirmed,
       {"identity-address-override", "dkim-disabled", "only-amazonses-signature", "mailfrom-default",
        "dmarc-none-aligned"},
       {"from-foreign", "region-not-set-up"}},
      // MAIL FROM settings do not flow to an address, which is all that is lost here.
      {"IdentityAddressOverrideOfMailFromOnly",
       [](SesWorld& w) { w.add_identity("news@example.com").dkim = w.account.identities.edit().front().dkim; },
       Verdict::pass,
       Confidence::confirmed,
       {"identity-address-override", "dkim-ok", "mailfrom-default"},
       {"dmarc-none-aligned"}},
      {"IdentityAddressOverrideNotOfAnotherAddress",
       [](SesWorld& w) { w.add_identity("sales@example.com").dkim.signing_enabled = false; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"identity-address-override"}},
      {"RegionNotSetUp",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         set_up_elsewhere(w, "");
         w.identity().dkim = {};
         w.identity().dkim.status = Status::not_started;
       },
       Verdict::fail,
       Confidence::confirmed,
       {"region-not-set-up", "only-amazonses-signature", "mailfrom-default", "dmarc-none-aligned"},
       {"from-unverified"}},
      {"RegionNotSetUpButInAnotherAccount",
       [](SesWorld& w) {
         w.account.name = w.identity().account = "shop";
         set_up_elsewhere(w, "press");
         w.identity().dkim = {};
         w.identity().dkim.status = Status::not_started;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"region-not-set-up", "only-amazonses-signature"},
       {}},
      {"RegionNotSetUpAtAll",
       [](SesWorld& w) { w.account.region = "eu-west-1"; },
       Verdict::refused,
       Confidence::confirmed,
       {"from-unverified", "region-not-set-up"},
       {}},
      {"RegionNotSetUpNotWhereNoOtherIs",
       [](SesWorld& w) {
         w.identity().dkim = {};
         w.identity().dkim.status = Status::not_started;
         w.others.push_back({"press", "eu-west-1", {}, {}});
       },
       Verdict::pass,
       Confidence::confirmed,
       {"only-amazonses-signature"},
       {"region-not-set-up"}},
      {"RegionNotSetUpNotWhereItIs",
       [](SesWorld& w) { set_up_elsewhere(w, ""), set_up_elsewhere(w, "press"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"region-not-set-up"}},
      // Being set up here and out of order is another matter.
      {"RegionNotSetUpNotWhenDisabledHere",
       [](SesWorld& w) {
         set_up_elsewhere(w, "");
         w.identity().dkim.signing_enabled = false;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"region-not-set-up"}},
      {"OnlyAmazonsesSignature",
       [](SesWorld& w) {
         w.identity().dkim = {};
         w.identity().dkim.status = Status::not_started;
         w.identity().mail_from = {};
       },
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature", "mailfrom-default", "dmarc-none-aligned"},
       {}},
      {"OnlyAmazonsesSignatureNotWhenSesSigns",
       [](SesWorld& w) { w.identity().mail_from = {}; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"only-amazonses-signature"}},
      // Freemail, or a domain that was never set up.
      {"FromForeign",
       [](SesWorld& w) {
         auto& address = w.add_identity("someone@freemail.example");
         address.dkim.status = Status::not_started;
         address.dkim.signing_enabled = false;
         w.from("someone@freemail.example");
         w.dns("_dmarc.freemail.example TXT v=DMARC1; p=none");
       },
       Verdict::fail,
       Confidence::confirmed,
       {"from-foreign", "only-amazonses-signature", "mailfrom-default", "dmarc-none-aligned"},
       {"identity-address-override", "from-unverified", "dkim-disabled"}},
      {"FromForeignWhoseDomainIsSetUpElsewhere",
       [](SesWorld& w) {
         set_up_elsewhere(w, "press");
         w.identity().name = "news@example.com";
         w.identity().dkim = {};
         w.identity().mail_from = {};
       },
       Verdict::fail,
       Confidence::confirmed,
       {"region-not-set-up", "only-amazonses-signature"},
       {"from-foreign"}},
      {"FromForeignNotWhereTheDomainIsAnIdentity",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.dkim.status = Status::success;
         address.mail_from = w.account.identities.edit().front().mail_from;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"from-foreign", "identity-address-override"}},
      // Whose settings apply is not documented.
      {"AuthorsOfSeveralIdentities",
       [](SesWorld& w) {
         w.add_identity("news@example.com").dkim.signing_enabled = false;
         w.from("news@example.com, sales@example.com");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"identity-address-override"},
       {"from-ambiguous", "dmarc-none-aligned"}},
      {"AuthorsOfOneIdentity",
       [](SesWorld& w) { w.from("news@example.com, sales@example.com"); },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"from-ambiguous"}},
      // A good state of old is likely to hold, and no more.
      {"AgedButAsDnsHasIt",
       [](SesWorld& w) { w.identity().as_of = kLately, w.identity().aged = true; },
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       {}},
  };
}

}  // namespace sesame::test
