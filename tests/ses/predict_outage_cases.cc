// What becomes of a prediction while records are gone, and afterwards: by SES's clocks, and by its own word.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Status;
using ses::Verdict;

namespace {

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;
const std::string kRecord = "t1._domainkey.example.com", kMx = "bounce.example.com";

// Gone from all name servers `ago` seconds ago, and there again since.
ses::Outage outage(const SesWorld& w, const std::string& name, std::int64_t ago, std::int64_t restored = 0) {
  ses::Outage result;
  result.names = {name};
  result.first_bad = w.now - ago;
  result.missing_since = w.now - ago;
  if (restored > 0) result.restored = w.now - restored;
  return result;
}

// DKIM alone; `records` tells what DNS has now.
enum class Now { gone, idle_gone, there };
std::function<void(SesWorld&)> dkim(
    Now records, std::int64_t ago, std::int64_t restored = 0, std::function<void(SesWorld&)> more = [](SesWorld&) {}) {
  return [=](SesWorld& w) {
    w.identity().mail_from = {};
    if (records == Now::gone) w.resolver.zone().remove(kRecord);
    if (records == Now::idle_gone) w.resolver.zone().remove("t2._domainkey.example.com");
    w.history.emplace();
    w.history->dkim_outage = outage(w, kRecord, ago, restored);
    more(w);
  };
}

// What the API said `ago` seconds ago.
std::function<void(SesWorld&)> told(std::int64_t ago, Status status = Status::success) {
  return [=](SesWorld& w) {
    w.identity().as_of = w.now - ago;
    w.identity().dkim.status = status;
  };
}
std::function<void(SesWorld&)> told_long_ago(std::int64_t ago) {
  return [=](SesWorld& w) {
    told(ago)(w);
    w.identity().aged = true;
  };
}

std::vector<PredictCase> lasting_cases() {
  return {
      {"OutageUnder72Hours",
       dkim(Now::gone, kDay),
       Verdict::fail,  // the only selector with a key is the one that is gone
       Confidence::likely,
       {"dkim-cname-missing"},
       {"dkim-ok", "dkim-revoked"}},
      {"OutageUnder72HoursOfAnIdleSelector",
       dkim(Now::there, kDay, 0,
            [](SesWorld& w) {
              w.resolver.zone().remove("t2._domainkey.example.com");
              w.history->dkim_outage->names = {"t2._domainkey.example.com"};
            }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok", "dkim-revoked", "dmarc-none-aligned"}},
      {"OutageThatOurResolverDoesNotSeeYet",
       dkim(Now::there, kDay),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-lost"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"OutageButSpfAligns",
       [](SesWorld& w) {
         w.history.emplace();
         w.history->dkim_outage = outage(w, kRecord, 4 * kDay);
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-lost"},
       {"dkim-ok"}},
      {"OutageOver72Hours",
       dkim(Now::idle_gone, 80 * kHour),
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dkim-lost", "only-amazonses-signature"},
       {"dkim-ok", "dkim-revoked"}},
      // A status in the configuration was written once, and says nothing of today.
      {"OutageOver72HoursWithStatusLeftOut",
       dkim(Now::idle_gone, 80 * kHour, 0, [](SesWorld& w) { w.identity().dkim.status.reset(); }),
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok"}},
      {"OutageOver72HoursThatTheApiDoesNotKnow",
       dkim(Now::idle_gone, 80 * kHour, 0, told(kHour)),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"OutageOver72HoursThatTheApiConfirms",
       dkim(Now::idle_gone, 80 * kHour, 0, told(kHour, Status::temporary_failure)),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok"}},
      {"OutageOver72HoursWithAnAgedWord",
       dkim(Now::idle_gone, 80 * kHour, 0, told_long_ago(90 * kHour)),
       Verdict::fail,
       Confidence::likely,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok"}},
      {"OutageOver72HoursButSesStillSigned",
       dkim(Now::idle_gone, 80 * kHour, 0,
            [](SesWorld& w) {
              w.history->arrival.emplace();
              w.history->arrival->time = w.now - kHour;
              w.history->arrival->signed_domain = "example.com";
              w.history->arrival->selector = "t1";
            }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-cname-missing", "dkim-lost"},
       {"dkim-ok", "dmarc-none-aligned"}},
      // The last look missed it; this look-up has it, and SES may have it too.
      {"OutageOver72HoursThatIsOverByNow",
       dkim(Now::there, 80 * kHour),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-lost"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"OutageOfEightDays",
       dkim(Now::there, 9 * kDay),
       Verdict::fail,
       Confidence::likely,
       {"dkim-revoked"},
       {"dkim-ok", "dkim-lost"}},
      {"OutageAtSomeServersNeverFailsOnItsOwn",
       dkim(Now::there, 20 * kDay, 0,
            [](SesWorld& w) {
              w.history->dkim_outage->missing_since.reset();
              ses::ServerFault fault;
              fault.server = "ns2.example.com (192.0.2.53)", fault.name = kRecord, fault.answer = "SERVFAIL";
              fault.transport = "UDP", fault.count = 3, fault.first = w.now - kDay, fault.last = w.now;
              w.history->present = {fault};
            }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap"},
       {"dkim-ok", "dkim-revoked", "dmarc-none-aligned"}},
      // One record is gone, another fails at one server: both are told.
      {"OutageAndAServerThatFailsForAnother",
       dkim(Now::there, kDay, 0,
            [](SesWorld& w) {
              ses::ServerFault fault;
              fault.server = "ns2.example.com (192.0.2.53)", fault.name = kRecord, fault.answer = "NXDOMAIN";
              fault.transport = "UDP", fault.count = 3, fault.first = w.now - kDay, fault.last = w.now;
              w.history->present = {fault};
              fault.name = "t2._domainkey.example.com";
              w.history->present.push_back(fault);
            }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-records-flap", "dkim-lost"},
       {"dkim-ok"}},
      {"OutageIsNoFlap",
       dkim(Now::there, kDay, 0,
            [](SesWorld& w) {
              ses::ServerFault fault;
              fault.server = "ns2.example.com (192.0.2.53)", fault.name = kRecord, fault.answer = "NXDOMAIN";
              w.history->present = {fault};
            }),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-lost"},
       {"dkim-ok", "dkim-records-flap"}},
      {"TcpAloneIsNoFlap",
       [](SesWorld& w) {
         w.identity().mail_from = {};
         w.history.emplace();
         ses::ServerFault fault;
         fault.server = "ns2.example.com (192.0.2.53)", fault.name = kRecord, fault.answer = "no answer in 3 s";
         fault.transport = "TCP", fault.count = 3;
         w.history->present = {fault};
       },
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok", "dkim-temperror-partial"},
       {"dkim-records-flap"}},
  };
}

std::vector<PredictCase> restored_cases() {
  return {
      {"RestoredWithinFiveDays",
       dkim(Now::there, 4 * kDay, kHour),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-past-fault"},
       {"dkim-ok", "dkim-revoked", "dmarc-none-aligned"}},
      {"RestoredWithinFiveDaysAndSesHasSeenIt",
       dkim(Now::there, 4 * kDay, 2 * kHour, told(kHour)),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-past-fault"}},
      {"RestoredWithinFiveDaysAndSesHasNot",
       dkim(Now::there, 4 * kDay, 2 * kHour, told(kHour, Status::temporary_failure)),
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-lost"},
       {"dkim-ok", "dkim-revoked"}},
      {"RestoredWithinFiveDaysLongAgo",
       dkim(Now::there, 10 * kDay, 6 * kDay),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-past-fault", "dkim-lost", "dkim-revoked"}},
      {"RestoredAfterSixDays",
       dkim(Now::there, 12 * kDay, 6 * kDay),
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-revoked"},
       {"dkim-ok", "dmarc-none-aligned"}},
      {"RestoredAfterNineDays",
       dkim(Now::there, 12 * kDay, 3 * kDay),
       Verdict::fail,
       Confidence::likely,
       {"dkim-revoked", "only-amazonses-signature"},
       {"dkim-ok"}},
      // What it said then was so then: the set-up had outlived the outage.
      {"RestoredAfterNineDaysWithAnAgedWord",
       dkim(Now::there, 12 * kDay, 3 * kDay, told_long_ago(2 * kDay)),
       Verdict::pass,
       Confidence::likely,
       {"dkim-ok"},
       {"dkim-revoked", "dkim-lost"}},
      {"RestoredAfterNineDaysAndSetUpAnew",
       dkim(Now::there, 12 * kDay, 3 * kDay, told(kHour)),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-revoked"}},
      {"RestoredAfterNineDaysAndSesSigns",
       dkim(Now::there, 12 * kDay, 3 * kDay,
            [](SesWorld& w) {
              w.history->arrival.emplace();
              w.history->arrival->time = w.now - 2 * kDay;
              w.history->arrival->signed_domain = "example.com";
              w.history->arrival->selector = "t1";
              w.history->arrival->dkim_aligned = true;
            }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"dkim-revoked"}},
      // Any sender may hold such a key.
      {"RestoredAfterNineDaysAndSomebodySigns",
       dkim(Now::there, 12 * kDay, 3 * kDay,
            [](SesWorld& w) {
              w.history->arrival.emplace();
              w.history->arrival->time = w.now - 2 * kDay;
              w.history->arrival->signed_domain = "example.com";
              w.history->arrival->selector = "own";
            }),
       Verdict::fail,
       Confidence::likely,
       {"dkim-revoked"},
       {"dkim-ok"}},
  };
}

// SPF alone.
std::function<void(SesWorld&)> mx(
    std::int64_t ago, std::int64_t restored = 0, std::function<void(SesWorld&)> more = [](SesWorld&) {}) {
  return [=](SesWorld& w) {
    w.identity().dkim.signing_enabled = false;
    w.history.emplace();
    w.history->mail_from_outage = outage(w, kMx, ago, restored);
    more(w);
  };
}
std::function<void(SesWorld&)> mx_gone(
    std::int64_t ago, std::function<void(SesWorld&)> more = [](SesWorld&) {}) {
  return mx(ago, 0, [=](SesWorld& w) {
    w.resolver.zone().remove(kMx);
    w.resolver.zone().add(kMx + " TXT v=spf1 include:amazonses.com ~all");
    more(w);
  });
}
void rejects(SesWorld& w) {
  w.identity().mail_from.behavior_on_mx_failure = ses::OnMxFailure::reject_message;
}

std::vector<PredictCase> mail_from_outage_cases() {
  return {
      {"MxGoneUnder72Hours", mx_gone(kDay), Verdict::unknown, Confidence::unknown, {"mailfrom-fallback"}, {}},
      {"MxGoneOver72HoursThatIsThereByNow",
       mx(80 * kHour, 0, rejects),
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-reject"},
       {}},
      {"MxGoneOver72Hours",
       mx_gone(80 * kHour),
       Verdict::fail,
       Confidence::likely,
       {"dkim-disabled", "mailfrom-fallback"},
       {}},
      {"MxGoneOver72HoursAndDkimAligns",
       [](SesWorld& w) {
         w.history.emplace();
         w.history->mail_from_outage = outage(w, kMx, 80 * kHour);
       },
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"dkim-lost"}},
      {"MxGoneOver72HoursWhereSesRejects",
       mx_gone(80 * kHour, rejects),
       Verdict::refused,
       Confidence::likely,
       {"mailfrom-reject"},
       {}},
      {"MxGoneUnder72HoursWhereSesRejects",
       mx(kDay, 0, rejects),
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-reject"},
       {}},
      {"MxGoneOver72HoursThatTheApiDoesNotKnow",
       mx(80 * kHour, 0, told(kHour)),
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-fallback"},
       {}},
      {"MxAtSomeServersOnly",
       mx(20 * kDay, 0, [](SesWorld& w) { w.history->mail_from_outage->missing_since.reset(); }),
       Verdict::unknown,
       Confidence::unknown,
       {"mailfrom-fallback"},
       {}},
      {"MxBackAfterADay", mx(2 * kDay, kDay), Verdict::unknown, Confidence::unknown, {"mailfrom-fallback"}, {}},
      {"MxBackAfterADayLongAgo",
       mx(10 * kDay, 9 * kDay),
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-fallback"}},
      {"MxBackAfterAWeek",
       mx(10 * kDay, 2 * kDay),
       Verdict::fail,
       Confidence::likely,
       {"dkim-disabled", "mailfrom-fallback"},
       {}},
      {"MxBackAfterAWeekAndSetUpAnew",
       mx(10 * kDay, 2 * kDay, told(kHour)),
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-fallback"}},
      {"MxBackAfterAWeekAndSesUsesIt",
       mx(10 * kDay, 2 * kDay,
          [](SesWorld& w) {
            w.history->arrival.emplace();
            w.history->arrival->time = w.now - kDay;
            w.history->arrival->mail_from_domain = kMx;
            w.history->arrival->spf_aligned = true;
          }),
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-fallback"}},
      {"MxOfAnotherDomainThatWasSetBefore",
       mx(10 * kDay, 0, [](SesWorld& w) { w.history->mail_from_outage->names = {"old.example.com"}; }),
       Verdict::pass,
       Confidence::confirmed,
       {},
       {"mailfrom-fallback"}},
  };
}

}  // namespace

std::vector<PredictCase> outage_cases() {
  auto all = lasting_cases();
  for (const auto& more : {restored_cases(), mail_from_outage_cases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace sesame::test
