// Signatures that are on the message before SES has it, and what mail that came back shows.
#include "ses/predict_case.h"

namespace sesame::test {

using ses::Confidence;
using ses::Verdict;

namespace {

void sign(SesWorld& w, std::vector<std::string> signed_fields) {
  dkim::Outcome outcome;
  outcome.result = dkim::Result::pass;
  outcome.domain = "example.com";
  outcome.selector = "mta";
  outcome.signed_fields = std::move(signed_fields);
  w.upstream.push_back(outcome);
}

// Only a signature of the message's own can carry it.
void rest_on_upstream(SesWorld& w) {
  w.identity().dkim.signing_enabled = false;
  w.identity().mail_from = {};
  sign(w, {"from", "subject", "to"});
}

void track(SesWorld& w, const std::string& content_type) {
  w.tracking = {"news"};
  w.header("Content-Type", content_type);
}

// Mail that came back an hour ago.
ses::Arrival arrival(const SesWorld& w) {
  ses::Arrival seen;
  seen.time = w.now - 3600;
  seen.signed_domain = "example.com";
  seen.selector = "t1";
  seen.mail_from_domain = "bounce.example.com";
  seen.dkim_aligned = seen.spf_aligned = true;
  return seen;
}

void came_back(SesWorld& w, const ses::Arrival& seen) {
  w.history.emplace();
  w.history->arrival = seen;
}

std::vector<PredictCase> tracking_cases() {
  return {
      {"UpstreamSigWillBreakByTracking",
       [](SesWorld& w) { rest_on_upstream(w), track(w, "text/html"), w.configuration_set = "news"; },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled", "upstream-sig-will-break"},
       {"dmarc-none-aligned"}},
      {"UpstreamSigWillBreakByTheSetOfTheMessage",
       [](SesWorld& w) {
         rest_on_upstream(w), track(w, "multipart/alternative; boundary=b");
         w.configuration_set = "plain";
         w.header("X-SES-CONFIGURATION-SET", "news"), w.header("X-SES-CONFIGURATION-SET", "plain");
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled", "upstream-sig-will-break"},
       {}},
      {"UpstreamSigWillBreakByTheSetOfTheIdentity",
       [](SesWorld& w) { rest_on_upstream(w), track(w, "text/html"), w.identity().configuration_set = "news"; },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled", "upstream-sig-will-break"},
       {}},
      {"UpstreamSigWillBreakNotInPlainText",
       [](SesWorld& w) { rest_on_upstream(w), track(w, "Text/Plain; charset=utf-8"), w.configuration_set = "news"; },
       Verdict::pass,
       Confidence::likely,
       {},
       {"upstream-sig-will-break"}},
      {"UpstreamSigWillBreakNotInAnotherSet",
       [](SesWorld& w) {
         rest_on_upstream(w), track(w, "text/html"), w.configuration_set = "news";
         w.header("X-SES-CONFIGURATION-SET", "plain");
       },
       Verdict::pass,
       Confidence::likely,
       {},
       {"upstream-sig-will-break"}},
      // SES tracks first and signs then.
      {"UpstreamSigWillBreakNotOfSes",
       [](SesWorld& w) { track(w, "text/html"), w.configuration_set = "news"; },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"upstream-sig-will-break"}},
  };
}

std::vector<PredictCase> arrival_cases() {
  const auto sees = [](std::function<void(ses::Arrival&)> change) {
    return [change](SesWorld& w) {
      auto seen = arrival(w);
      change(seen);
      came_back(w, seen);
    };
  };
  return {
      {"PredictionContradictedByAMissingSignature",
       sees([](ses::Arrival& seen) { seen.signed_domain = seen.selector = ""; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "prediction-contradicted"},
       {}},
      {"PredictionContradictedByTheEnvelopeSender",
       sees([](ses::Arrival& seen) { seen.mail_from_domain = "amazonses.com"; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "prediction-contradicted"},
       {}},
      {"PredictionContradictedByASignature",
       [](SesWorld& w) {
         came_back(w, arrival(w));
         w.identity().dkim.signing_enabled = false;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-disabled", "prediction-contradicted"},
       {}},
      {"PredictionContradictedNotWhereTheyAgree",
       sees([](ses::Arrival&) {}),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"prediction-contradicted"}},
      {"PredictionContradictedNotByOldMail",
       sees([](ses::Arrival& seen) { seen.signed_domain = seen.selector = "", seen.time -= 8 * 86400; }),
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"prediction-contradicted"}},
      {"PredictionContradictedNotByMailOlderThanTheAccountsState",
       [](SesWorld& w) {
         auto seen = arrival(w);
         seen.mail_from_domain = "amazonses.com";
         came_back(w, seen);
         w.identity().as_of = w.now - 60;
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok"},
       {"prediction-contradicted"}},
  };
}

}  // namespace

std::vector<PredictCase> upstream_cases() {
  std::vector<PredictCase> all = {
      {"UpstreamSigWillBreak",
       [](SesWorld& w) {
         sign(w, {"from", "date"});
       },
       Verdict::pass,
       Confidence::confirmed,
       {"dkim-ok", "upstream-sig-will-break"},
       {}},
      {"UpstreamSigWillBreakWhereItIsMissed",
       [](SesWorld& w) {
         w.identity().dkim.signing_enabled = false;
         w.identity().mail_from = {};
         sign(w, {"from", "message-id"});
       },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled", "upstream-sig-will-break", "dmarc-none-aligned"},
       {}},
      {"UpstreamSigWillBreakNotWhenSesLeavesItAlone",
       rest_on_upstream,
       Verdict::pass,
       Confidence::likely,
       {"dkim-disabled"},
       {"upstream-sig-will-break", "dmarc-none-aligned"}},
      // Receivers make of these what they like.
      {"UpstreamOverAPartOfTheBody",
       [](SesWorld& w) {
         rest_on_upstream(w);
         w.upstream.front().result = dkim::Result::policy;
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"dmarc-none-aligned"}},
      {"UpstreamThatWasNotTried",
       [](SesWorld& w) {
         rest_on_upstream(w);
         w.upstream.front().result = dkim::Result::neutral;
         w.upstream.front().reason = "limit: not tried, more than 10 signatures";
       },
       Verdict::unknown,
       Confidence::unknown,
       {"dkim-disabled"},
       {"dmarc-none-aligned"}},
      {"UpstreamThatFails",
       [](SesWorld& w) { rest_on_upstream(w), w.upstream.front().result = dkim::Result::fail; },
       Verdict::fail,
       Confidence::confirmed,
       {"dkim-disabled"},
       {}},
  };
  for (const auto& part : {tracking_cases(), arrival_cases()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace sesame::test
