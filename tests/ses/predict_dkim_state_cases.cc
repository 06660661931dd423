// What SES's own word makes of the DKIM leg, fresh or aged.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

// DKIM in this state, and no other leg.
std::function<void(SesWorld&)> in_state(
    Status status, std::function<void(SesWorld&)> more = [](SesWorld&) {}) {
  return [status, more](SesWorld& w) {
    w.identity().dkim.status = status;
    w.identity().mail_from = {};
    more(w);
  };
}

void seen_last(SesWorld& w, std::int64_t ago) {
  w.identity().verification.last_success = w.now - ago;
}

std::function<void(SesWorld&)> aged(std::function<void(SesWorld&)> change) {
  return [change](SesWorld& w) {
    w.identity().mail_from = {};
    w.identity().aged = true;
    w.identity().as_of = w.now - 3 * kDay;
    change(w);
  };
}

// example.com as a replica in eu-west-1 of the one in us-east-1.
void replicate(SesWorld& w) {
  w.identity().mail_from = {};
  auto replica = w.identity();
  replica.region = w.account.region = "eu-west-1";
  replica.dkim.origin = "AWS_SES_US_EAST_1";
  w.account.identities.edit().insert(w.account.identities.edit().begin(), replica);
}

std::vector<PredictCase> waiting_cases() {
  return {
      {"OnlyAmazonsesSignature",
       in_state(Status::not_started, [](SesWorld& w) { w.identity().dkim.tokens.clear(); }),
       Verdict::fail,
       Confidence::confirmed,
       {"only-amazonses-signature", "dmarc-none-aligned"},
       {"dkim-disabled", "dkim-revoked", "dkim-failed"}},
      {"DkimPending",
       in_state(Status::pending),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-pending", "only-amazonses-signature"},
       {"dkim-ok", "dkim-failed", "dkim-lost", "dkim-switching"}},
      {"DkimPendingNotOnceConfirmed",
       in_state(Status::success),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-pending"}},
      {"DkimFailedNotWhilePending",
       in_state(Status::pending, [](SesWorld& w) { w.identity().dkim.last_key_generation = w.now - 71 * kHour; }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-pending"},
       {"dkim-failed"}},
      // The record that is missing is the cause.
      {"DkimPendingForAMissingRecord",
       in_state(Status::pending, [](SesWorld& w) { w.resolver.zone().remove("t2._domainkey.example.com"); }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-pending", "only-amazonses-signature"},
       {}},
      {"DkimPendingButSpfAligns",
       [](SesWorld& w) { w.identity().dkim.status = Status::pending; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-pending"},
       {"dkim-ok"}},
      {"DkimFailed",
       in_state(Status::failed),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-failed", "only-amazonses-signature"},
       {"dkim-ok", "dkim-pending", "dkim-revoked"}},
      {"DkimSwitching",
       in_state(Status::pending,
                [](SesWorld& w) {
                  w.identity().former = {"EXTERNAL", {"own"}, w.now - kHour};
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-switching", "dkim-pending"},
       {"dkim-lost", "dkim-failed"}},
      {"DkimSwitchingToByodkim",
       in_state(Status::pending,
                [](SesWorld& w) {
                  seen_last(w, kDay);
                  w.identity().former = {"AWS_SES", {"t1", "t2", "t3"}, w.now - kHour};
                  w.identity().dkim.origin = "EXTERNAL", w.identity().dkim.tokens = {"own"};
                  w.dns("own._domainkey.example.com TXT p=" + kPublicKey);
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-switching", "dkim-pending"},
       {"dkim-lost", "dkim-revoked"}},
      {"DkimSwitchingNotOnceConfirmed",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.identity().former = {"EXTERNAL", {"own"}, w.now - kHour};
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-switching"}},
      // Confirmed since the change, and lost later.
      {"DkimSwitchingNotAfterItWasConfirmed",
       in_state(Status::pending,
                [](SesWorld& w) {
                  w.identity().former = {"EXTERNAL", {"own"}, w.now - 9 * kDay};
                  seen_last(w, kDay);
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost"},
       {"dkim-switching", "dkim-pending"}},
      // The same method with new tokens: SES looks for those.
      {"DkimSwitchingNotForNewTokens",
       in_state(Status::pending,
                [](SesWorld& w) {
                  seen_last(w, kDay);
                  w.identity().former = {"AWS_SES", {"s1", "s2", "s3"}, w.now - kHour};
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-pending"},
       {"dkim-switching", "dkim-lost"}},
  };
}

std::vector<PredictCase> lost_cases() {
  return {
      {"DkimLost",
       in_state(Status::temporary_failure),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost", "only-amazonses-signature"},
       {"dkim-ok", "dkim-failed", "dkim-revoked"}},
      {"DkimLostWithRecordsGone",
       in_state(Status::temporary_failure, [](SesWorld& w) { w.resolver.zone().remove("t1._domainkey.example.com"); }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-lost"},
       {}},
      {"DkimLostFailedLately",
       in_state(Status::failed, [](SesWorld& w) { seen_last(w, 4 * kDay); }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost"},
       {"dkim-failed", "dkim-revoked"}},
      {"DkimLostPendingLately",
       in_state(Status::pending,
                [](SesWorld& w) {
                  seen_last(w, 30 * kDay);
                  w.identity().status_since = w.now - kDay;
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost"},
       {"dkim-pending"}},
      {"DkimLostNotWhenConfirmed",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         seen_last(w, 90 * kDay);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-lost"}},
      {"DkimRevoked",
       in_state(Status::failed, [](SesWorld& w) { seen_last(w, 6 * kDay); }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-revoked", "only-amazonses-signature"},
       {"dkim-failed", "dkim-lost", "dkim-ok"}},
      {"DkimRevokedAndRecordsGone",
       in_state(Status::failed,
                [](SesWorld& w) {
                  seen_last(w, 6 * kDay);
                  w.resolver.zone().remove("t1._domainkey.example.com");
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-revoked", "dkim-cname-missing"},
       {}},
      // Its records are published and right, which they are not before SES has given the tokens.
      {"DkimRevokedThoughRecordsExist",
       in_state(Status::not_started),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-revoked"},
       {"dkim-ok", "dkim-cname-missing"}},
      {"DkimRevokedWithItsFormerRecords",
       in_state(Status::not_started,
                [](SesWorld& w) {
                  w.identity().former = {"AWS_SES", {"t1", "t2", "t3"}, w.now - kDay};
                  w.identity().dkim.tokens.clear();
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-revoked"},
       {"dkim-switching"}},
      {"DkimRevokedNotWithoutEvidence",
       in_state(Status::not_started,
                [](SesWorld& w) {
                  for (const std::string token : {"t1", "t2", "t3"})
                    w.resolver.zone().remove(token + "._domainkey.example.com");
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing"},
       {"dkim-revoked"}},
      // The records of its domain are no evidence for an address.
      {"DkimRevokedNotForAnAddress",
       [](SesWorld& w) { w.add_identity("news@example.com").dkim.status = Status::not_started; },
       Verdict::fail,
       Confidence::confirmed,
       {"identity-address-override", "only-amazonses-signature"},
       {"dkim-revoked"}},
      {"DkimRevokedNotForAnAddressThatListsThem",
       [](SesWorld& w) {
         auto& address = w.add_identity("news@example.com");
         address.dkim = w.identity().dkim;
         address.dkim.status = Status::not_started;
       },
       Verdict::fail,
       Confidence::confirmed,
       {"identity-address-override", "only-amazonses-signature"},
       {"dkim-revoked"}},
      // The new method was never confirmed; what was lost is the old one.
      {"DkimRevokedNotForAMethodThatFailed",
       in_state(Status::failed,
                [](SesWorld& w) {
                  seen_last(w, 9 * kDay);
                  w.identity().former = {"EXTERNAL", {"own"}, w.now - 4 * kDay};
                }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-failed"},
       {"dkim-revoked", "dkim-lost"}},
      {"DkimDisabledNot",
       in_state(Status::success, [](SesWorld& w) { w.identity().dkim.signing_enabled = true; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-disabled"}},
      {"DkimDisabledAndFailed",
       in_state(Status::failed, [](SesWorld& w) { w.identity().dkim.signing_enabled = false; }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "dkim-failed", "only-amazonses-signature"},
       {}},
  };
}

std::vector<PredictCase> replica_cases() {
  return {
      {"DeedReplica",
       [](SesWorld& w) {
         replicate(w);
         w.identity().dkim.status = Status::failed;
         w.identity().verification.error_type = "REPLICATION_ACCESS_DENIED";
       },
       Verdict::fail,
       Confidence::confirmed,
       {"deed-replica", "only-amazonses-signature"},
       {"dkim-failed", "dkim-ok"}},
      // The status is SES's own word.
      {"DeedReplicaThatStillSigns",
       [](SesWorld& w) {
         replicate(w);
         w.identity().verification.error_type = "REPLICATION_PRIMARY_NOT_FOUND";
       },
       Verdict::pass,
       Confidence::confirmed,
       {"deed-replica", "dkim-ok"},
       {}},
      // What becomes of the parent becomes of the replica, but SES has not said so.
      {"DeedReplicaOfAParentThatFailed",
       [](SesWorld& w) {
         replicate(w);
         w.identity().dkim.status.reset();
         w.account.identities.edit().back().dkim.status = Status::failed;
       },
       Verdict::unknown,
       Confidence::unknown,
       {"deed-replica"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DeedReplicaAgedOfAParentThatFailed",
       [](SesWorld& w) {
         replicate(w);
         w.identity().aged = true;
         w.account.identities.edit().back().dkim.status = Status::failed;
       },
       Verdict::unknown,
       Confidence::unknown,
       {"deed-replica"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DeedReplicaOfByodkim",
       [](SesWorld& w) {
         replicate(w);
         w.identity().dkim.status.reset();
         w.identity().dkim.tokens.clear();
         w.account.identities.edit().back().dkim.origin = "EXTERNAL";
         w.account.identities.edit().back().dkim.tokens = {"own"};
       },
       Verdict::unknown,
       Confidence::unknown,
       {"deed-replica"},
       {"dkim-ok"}},
      {"DeedReplicaNot",
       [](SesWorld& w) {
         replicate(w);
         w.identity().dkim.tokens.clear();
         w.identity().verification.error_type = "SERVICE_ERROR";
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"deed-replica", "dkim-cname-target"}},
      // Its CNAMEs lead to the zone of its parent's region, not of its own.
      {"DeedReplicaNotInARegionWithItsOwnZone",
       [](SesWorld& w) {
         replicate(w);
         w.identity().region = w.account.region = "eu-south-1";
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"deed-replica", "dkim-cname-target"}},
      {"DeedReplicaNotOfUnknownTokens",
       [](SesWorld& w) {
         replicate(w);
         w.identity().dkim.tokens.clear();
         w.account.identities.edit().pop_back();
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"deed-replica", "dmarc-none-aligned"}},
  };
}

// SES says something that is not known here.
std::vector<PredictCase> unread_cases() {
  const auto in_a_strange_state = [](SesWorld& w) {
    w.identity().dkim.status.reset();
    w.identity().dkim.unread_state = "Status \"SUSPENDED\"";
  };
  const auto of_a_strange_origin = [](SesWorld& w) {
    w.identity().mail_from = {};
    w.identity().dkim.unread_keys = "SigningAttributesOrigin \"EXTERNAL_V2\"";
  };
  return {
      {"UnreadStateMaySignOrNot",
       [in_a_strange_state](SesWorld& w) {
         in_a_strange_state(w);
         w.identity().mail_from = {};
       },
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok"}},
      {"UnreadStateBesideSpfIsNeverConfirmed", in_a_strange_state, Verdict::pass, Confidence::likely, {}, {"dkim-ok"}},
      {"UnreadOriginMaySignWithAnyKey", of_a_strange_origin, Verdict::unknown, Confidence::unknown, {}, {"dkim-ok"}},
      {"UnreadOriginWithSigningSwitchedOff",
       [of_a_strange_origin](SesWorld& w) {
         of_a_strange_origin(w);
         w.identity().dkim.signing_enabled = false;
       },
       Verdict::fail,
       Confidence::likely,
       {"dkim-disabled"},
       {"dkim-ok"}},
  };
}

std::vector<PredictCase> aged_cases() {
  return {
      {"AgedSuccessIsLikely", aged([](SesWorld&) {}), Verdict::pass, Confidence::likely, {"dkim-ok"}, {}},
      {"AgedPendingMayBeMended",
       aged([](SesWorld& w) { w.identity().dkim.status = Status::pending; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-pending"},
       {"dkim-ok", "only-amazonses-signature", "dmarc-none-aligned"}},
      {"AgedFailedMayBeMended",
       aged([](SesWorld& w) { w.identity().dkim.status = Status::failed; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-failed"},
       {"only-amazonses-signature", "dmarc-none-aligned"}},
      {"AgedDisabledMayBeMended",
       aged([](SesWorld& w) { w.identity().dkim.signing_enabled = false; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"only-amazonses-signature", "dmarc-none-aligned"}},
      {"AgedLostMayBeMended",
       aged([](SesWorld& w) { w.identity().dkim.status = Status::temporary_failure; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-lost"},
       {"dmarc-none-aligned"}},
      // DNS gives the same.
      {"AgedFailedWithoutRecords",
       aged([](SesWorld& w) {
         w.identity().dkim.status = Status::failed;
         for (const std::string token : {"t1", "t2", "t3"}) w.resolver.zone().remove(token + "._domainkey.example.com");
       }),
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dkim-failed", "only-amazonses-signature", "dmarc-none-aligned"},
       {}},
      {"AgedFailedWhereDnsIsSilent",
       aged([](SesWorld& w) {
         w.identity().dkim.status = Status::failed;
         w.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"only-amazonses-signature", "dmarc-none-aligned"}},
      {"AgedFailedWithoutTokens",
       aged([](SesWorld& w) { w.identity().dkim.status = Status::failed, w.identity().dkim.tokens.clear(); }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"only-amazonses-signature", "dmarc-none-aligned"}},
  };
}

}  // namespace

std::vector<PredictCase> dkim_state_cases() {
  std::vector<PredictCase> all;
  for (auto& cases : {waiting_cases(), lost_cases(), replica_cases(), aged_cases(), unread_cases()})
    all.insert(all.end(), cases.begin(), cases.end());
  return all;
}

}  // namespace sesame::test
