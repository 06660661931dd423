// What a history of observations makes of a prediction.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

ses::ServerFault fault(const SesWorld& w, const std::string& answer = "SERVFAIL") {
  ses::ServerFault result;
  result.server = "ns2.example.com (192.0.2.53)";
  result.name = "t1._domainkey.example.com";
  result.answer = answer;
  result.transport = "UDP";
  result.first = w.now - kDay, result.last = w.now - kHour;
  result.count = 12;
  return result;
}

// DKIM alone, and this was observed.
std::function<void(SesWorld&)> seen(std::function<void(SesWorld&, ses::History&)> change) {
  return [change](SesWorld& w) {
    w.identity().mail_from = {};
    w.history.emplace();
    change(w, *w.history);
  };
}

ses::DelegationMismatch mismatch(std::vector<std::string> only_on) {
  return {{"ns1.example.com", "ns2.example.com"}, {"ns1.example.com"}, "t1._domainkey.example.com", std::move(only_on)};
}

ses::Arrival arrival(const SesWorld& w, const std::string& selector, std::int64_t ago = kHour) {
  ses::Arrival result;
  result.time = w.now - ago;
  result.signed_domain = "example.com";
  result.selector = selector;
  result.dkim_aligned = true;
  return result;
}

ses::Arrival broken(const SesWorld& w, const std::string& domain, std::int64_t ago = kHour) {
  ses::Arrival result;
  result.time = w.now - ago;
  result.broken_domain = domain;
  result.broken_reason = "the body hash does not match";
  return result;
}

// As seen(), and the configuration names no token.
std::function<void(SesWorld&)> without_tokens(std::function<ses::Arrival(SesWorld&)> what) {
  return seen([what](SesWorld& w, ses::History& h) {
    w.identity().dkim.tokens.clear();
    h.arrival = what(w);
  });
}

ses::ServerFault fault_of(const SesWorld& w, const std::string& server, std::size_t asked) {
  auto result = fault(w);
  result.server = server;
  result.asked = asked;
  return result;
}

constexpr const char* kSilentZone =
    "t1._domainkey.example.com * !SERVFAIL\nt2._domainkey.example.com * !SERVFAIL\n"
    "t3._domainkey.example.com * !SERVFAIL\n_dmarc.example.com TXT !SERVFAIL\n";

// What was observed is told beside what a look-up that fails leaves open, and decides nothing.
std::vector<PredictCase> undecided_cases() {
  return {
      {"DnsDnssecBogusWhileNothingIsAnswered",
       seen([](SesWorld& w, ses::History& h) {
         w.dns(kSilentZone);
         h.bogus_zone = "example.com";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dns-dnssec-bogus", "dmarc-temperror"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DkimRecordsFlapWhileNothingIsAnswered",
       seen([](SesWorld& w, ses::History& h) {
         w.dns(kSilentZone);
         h.present = {fault(w)};
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap", "dmarc-temperror"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DnsDnssecBogusOfAnAddressThatMayInherit",
       seen([](SesWorld& w, ses::History& h) {
         w.add_identity("news@example.com");
         w.dns(kSilentZone);
         h.bogus_zone = "example.com";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"identity-address-override", "dns-dnssec-bogus", "dmarc-temperror"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DkimTxtServfailAtAllServers",
       seen([](SesWorld& w, ses::History& h) {
         w.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
         h.present = {fault_of(w, "ns1.example.com", 2), fault_of(w, "ns2.example.com", 2)};
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-txt-servfail"},
       {"dkim-records-flap"}},
      {"DkimTxtServfailAtSeveralServersAndNow",
       seen([](SesWorld& w, ses::History& h) {
         w.dns("t1.dkim.amazonses.com TXT !SERVFAIL");
         h.present = {fault_of(w, "ns1.example.com", 0), fault_of(w, "ns2.example.com", 0)};
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-txt-servfail"},
       {"dkim-records-flap"}},
      {"DkimTxtServfailNotOfOneServer",
       seen([](SesWorld& w, ses::History& h) { h.present = {fault_of(w, "ns1.example.com", 2)}; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap"},
       {"dkim-txt-servfail"}},
      {"DkimTxtServfailNotWhereTheCnameFailsToo",
       seen([](SesWorld& w, ses::History& h) {
         h.present = {fault_of(w, "ns1.example.com", 1), fault_of(w, "ns1.example.com", 1)};
         h.present.back().type = dns::Type::cname;
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap"},
       {"dkim-txt-servfail"}},
      {"DkimTxtServfailNotWhereItIsAbsent",
       seen([](SesWorld& w, ses::History& h) {
         h.present = {fault_of(w, "ns1.example.com", 1)};
         h.present.back().answer = "NXDOMAIN";
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap"},
       {"dkim-txt-servfail"}},
  };
}

std::vector<PredictCase> server_cases() {
  return {
      {"DkimRecordsFlap",
       seen([](SesWorld& w, ses::History& h) { h.present = {fault(w)}; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DkimRecordsFlapNot",
       seen([](SesWorld&, ses::History&) {}),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-records-flap", "dkim-past-fault"}},
      {"DkimRecordsFlapButSpfAligns",
       [](SesWorld& w) {
         w.history.emplace();
         w.history->present = {fault(w)};
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-records-flap"},
       {"dkim-ok"}},
      // The server that was asked now is one of those that lack the record: others may have it.
      {"DkimRecordsFlapAndNotFoundNow",
       seen([](SesWorld& w, ses::History& h) {
         w.resolver.zone().remove("t1._domainkey.example.com");
         h.present = {fault(w, "NXDOMAIN")};
       }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap", "dkim-cname-missing"},
       {"dmarc-none-aligned"}},
      // Whatever the domain's servers say, Amazon's hold no key.
      {"DkimRecordsFlapWithoutAnyKey",
       seen([](SesWorld& w, ses::History& h) {
         w.replace("t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\"");
         h.present = {fault(w)};
       }),
       Verdict::fail,
       Confidence::likely,
       {"dkim-records-flap", "dkim-no-key"},
       {}},
      {"DkimRecordsFlapIsTheCauseOfTheLoss",
       seen([](SesWorld& w, ses::History& h) {
         w.identity().dkim.status = Status::temporary_failure;
         h.present = {fault(w)};
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-records-flap", "dkim-lost"},
       {"dkim-past-fault"}},
      {"DkimPastFault",
       seen([](SesWorld& w, ses::History& h) {
         w.identity().dkim.status = Status::temporary_failure;
         h.past = {fault(w)};
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost", "dkim-past-fault"},
       {"dkim-records-flap"}},
      {"DkimPastFaultWhilePending",
       seen([](SesWorld& w, ses::History& h) {
         w.identity().dkim.status = Status::pending;
         h.past = {fault(w)};
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-pending", "dkim-past-fault"},
       {"dkim-records-flap"}},
      {"DkimPastFaultNotOnceConfirmed",
       seen([](SesWorld& w, ses::History& h) { h.past = {fault(w)}; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-past-fault", "dkim-records-flap"}},
      {"DkimPastFaultNotWhileRecordsAreGone",
       seen([](SesWorld& w, ses::History& h) {
         w.identity().dkim.status = Status::temporary_failure;
         w.resolver.zone().remove("t1._domainkey.example.com");
         h.past = {fault(w)};
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-past-fault"}},
      {"DnsDelegationMismatch",
       seen([](SesWorld&, ses::History& h) { h.delegation = mismatch({"ns1.example.com"}); }),
       Verdict::unknown,
       Confidence::unknown,
       {"dns-delegation-mismatch"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"DnsDelegationMismatchNotOfTheRecords",
       seen([](SesWorld&, ses::History& h) { h.delegation = mismatch({}); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "dns-delegation-mismatch"},
       {}},
      {"DnsDelegationMismatchNot",
       seen([](SesWorld& w, ses::History& h) { h.past = {fault(w)}; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dns-delegation-mismatch"}},
      {"DnsDnssecBogus",
       seen([](SesWorld&, ses::History& h) { h.bogus_zone = "example.com"; }),
       Verdict::unknown,
       Confidence::unknown,
       {"dns-dnssec-bogus"},
       {"dkim-ok", "dmarc-none-aligned"}},
      // Both legs need the zone.
      {"DnsDnssecBogusAlsoForSpf",
       [](SesWorld& w) {
         w.history.emplace();
         w.history->bogus_zone = "example.com";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dns-dnssec-bogus"},
       {"dkim-ok"}},
      {"DnsDnssecBogusOfTheMailFromAlone",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.history.emplace();
         w.history->bogus_zone = "bounce.example.com";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dns-dnssec-bogus", "dkim-disabled"},
       {"dmarc-none-aligned"}},
      {"DnsDnssecBogusNotElsewhere",
       seen([](SesWorld&, ses::History& h) { h.bogus_zone = "example.net"; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dns-dnssec-bogus"}},
  };
}

std::vector<PredictCase> arrival_cases() {
  return {
      {"DkimTemperrorPartial",
       seen([](SesWorld&, ses::History& h) {
         h.key_temperrors = {0.12, "ns2.example.com", "TCP"};
       }),
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok", "dkim-temperror-partial"},
       {}},
      {"DkimTemperrorPartialNot",
       seen([](SesWorld&, ses::History& h) { h.key_temperrors.emplace(); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-temperror-partial"}},
      {"DkimBrokenAfter",
       seen([](SesWorld& w, ses::History& h) { h.arrival = broken(w, "example.com"); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "dkim-broken-after"},
       {}},
      {"DkimBrokenAfterNotOfAnotherDomain",
       seen([](SesWorld& w, ses::History& h) { h.arrival = broken(w, "example.net"); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-broken-after"}},
      // The one that broke was on the message before SES.
      {"DkimBrokenAfterNotBesideAGoodOne",
       seen([](SesWorld& w, ses::History& h) {
         h.arrival = arrival(w, "t1");
         h.arrival->broken_domain = "example.com";
       }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-broken-after"}},
      {"DkimBrokenAfterNotLongAgo",
       seen([](SesWorld& w, ses::History& h) { h.arrival = broken(w, "example.com", 8 * kDay); }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-broken-after"}},
      {"ArrivalStandsInForTheTokens",
       without_tokens([](SesWorld& w) { return arrival(w, "t1"); }),
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       {}},
      {"ArrivalOfTheDayBeforeYesterday",
       without_tokens([](SesWorld& w) { return arrival(w, "t1", 2 * kDay); }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok", "dmarc-none-aligned"}},
      // Its key is gone by now; what the others hold is not known.
      {"ArrivalWithASelectorThatIsIdleNow",
       without_tokens([](SesWorld& w) { return arrival(w, "t2"); }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok", "dkim-no-key", "dmarc-none-aligned"}},
      // Not by a CNAME to SES: somebody else may sign with it.
      {"ArrivalWithASelectorThatIsNoToken",
       without_tokens([](SesWorld& w) {
         w.dns("own._domainkey.example.com TXT p=" + kPublicKey);
         return arrival(w, "own");
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"ArrivalWithASelectorOfByodkim",
       without_tokens([](SesWorld& w) {
         w.identity().dkim.origin = "EXTERNAL";
         w.dns("own._domainkey.example.com TXT p=" + kPublicKey);
         return arrival(w, "own");
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"ArrivalFromAnotherRegion",
       without_tokens([](SesWorld& w) {
         auto result = arrival(w, "t1");
         result.region = "eu-west-1";
         return result;
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok"}},
      {"ArrivalMaybeFromAnotherAccount",
       without_tokens([](SesWorld& w) {
         ses::Account other;
         other.name = "sister", other.region = w.account.region;
         other.identities.edit() = {w.identity()};
         w.others.push_back(other);
         return arrival(w, "t1");
       }),
       Verdict::unknown,
       Confidence::unknown,
       {},
       {"dkim-ok"}},
      {"ArrivalDoesNotUndoWhatSesSays",
       seen([](SesWorld& w, ses::History& h) {
         w.identity().dkim.tokens.clear();
         w.identity().dkim.signing_enabled = false;
         h.arrival = arrival(w, "t1");
       }),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled"},
       {"dkim-ok"}},
  };
}

}  // namespace

std::vector<PredictCase> history_cases() {
  auto all = server_cases();
  for (const auto& more : {undecided_cases(), arrival_cases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace sesame::test
