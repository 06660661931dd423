#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "milter/api_parts.h"
#include "ses/clocks.h"
#include "util/text.h"
#include "watch/state.h"

namespace sesame::milter::api {
namespace {

using watch::Deadline;
using watch::RecordState;
using States = std::vector<RecordState>;

// Of those that are well, and of those that are not.
constexpr std::size_t kMostShown = 100;
constexpr std::size_t kMaxSearch = 200;

// How an identity is, the worst first.
enum class Condition { bad, warning, unknown, well };
constexpr std::array kConditions = {Condition::bad, Condition::warning, Condition::unknown, Condition::well};

const char* to_string(Condition condition) {
  switch (condition) {
    case Condition::bad:
      return "bad";
    case Condition::warning:
      return "warning";
    case Condition::unknown:
      return "unknown";
    case Condition::well:
      break;
  }
  return "well";
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json status_or_null(const std::optional<ses::Status>& status) {
  return status ? Json(ses::to_string(*status)) : Json(nullptr);
}

// What there is to say of one identity, with the worst of it.
struct Verdict {
  Condition condition = Condition::well;
  Json remarks = Json::array();

  void say(Condition how, const std::string& sentence) {
    condition = std::min(condition, how);
    remarks.push_back({{"condition", to_string(how)}, {"text", sentence}});
  }
};

void judge_dkim(const ses::Identity& identity, Verdict& verdict) {
  const auto& dkim = identity.dkim;
  if (!dkim.unread_state.empty())
    verdict.say(Condition::unknown, "SES says of DKIM what is not known here: " + printable(dkim.unread_state) + ".");
  if (!dkim.signing_enabled) verdict.say(Condition::bad, "DKIM signing is switched off.");
  if (!dkim.status || dkim.status == ses::Status::success) return;
  switch (*dkim.status) {
    case ses::Status::failed:
      return verdict.say(
          Condition::bad,
          "SES has revoked the DKIM set-up, or never found its records (FAILED): it must be set up anew.");
    case ses::Status::temporary_failure:
      return verdict.say(Condition::bad,
                         "SES does not find the DKIM records any more (TEMPORARY_FAILURE) and does not sign.");
    case ses::Status::not_started:
      return verdict.say(Condition::bad, "DKIM was never set up (NOT_STARTED).");
    default:
      return verdict.say(Condition::warning, "SES has not found the DKIM records yet (PENDING) and does not sign.");
  }
}

void judge_mail_from(const ses::Identity& identity, Verdict& verdict) {
  const auto& mail_from = identity.mail_from;
  if (mail_from.domain.empty() || !mail_from.status || mail_from.status == ses::Status::success) return;
  verdict.say(Condition::warning, "SES does not use the MAIL FROM domain " + printable(mail_from.domain) +
                                      ": its MX is " +
                                      (mail_from.status == ses::Status::pending
                                           ? "not found yet (PENDING)."
                                           : std::string("not found (") + ses::to_string(*mail_from.status) + ")."));
}

void judge_account(const ses::Account& account, Verdict& verdict) {
  const auto& standing = account.standing;
  if (!standing.sending_enabled) verdict.say(Condition::bad, "SES has paused sending for this account and region.");
  if (standing.enforcement_status == "PROBATION")
    verdict.say(Condition::warning, "The account is on probation: SES may pause its sending.");
  if (standing.enforcement_status == "SHUTDOWN") verdict.say(Condition::bad, "SES has shut the account down.");
  if (!standing.production_access)
    verdict.say(Condition::warning, "The account is in the sandbox: only verified recipients are reached.");
}

void judge_records(const States& states, const std::optional<ses::Outage>& outage, const ses::Identity& identity,
                   std::int64_t now, Verdict& verdict) {
  std::size_t missing = 0, degraded = 0;
  for (const auto& state : states) {
    if (state.state == watch::State::missing) ++missing;
    if (state.state == watch::State::degraded || state.state == watch::State::recovering) ++degraded;
  }
  const auto records = [](std::size_t count, const char* what) {
    return std::to_string(count) + (count == 1 ? " record is " : " records are ") + what;
  };
  if (missing > 0) verdict.say(Condition::bad, records(missing, "missing at every name server."));
  if (degraded > 0) verdict.say(Condition::warning, records(degraded, "not well at every name server."));
  if (!outage || !outage->restored) return;
  const auto clocks = ses::dkim_clocks(*outage, ses::last_content(identity), now);
  if (clocks.phase == ses::Clocks::Phase::as_usual) return;
  verdict.say(clocks.goes_on == Tri::no ? Condition::bad : Condition::warning,
              std::string("The DKIM records were missing and are back; SES ") + ses::to_string(clocks.phase) + ".");
}

Verdict judge(const ses::Account& account, const ses::Identity& identity) {
  Verdict verdict;
  if (!identity.verified_for_sending)
    verdict.say(identity.may_be_verified() ? Condition::unknown : Condition::bad,
                "SES does not know it as verified for sending.");
  if (identity.aged) verdict.say(Condition::warning, "What SES said of it is too old to be relied on.");
  judge_account(account, verdict);
  judge_dkim(identity, verdict);
  judge_mail_from(identity, verdict);
  return verdict;
}

bool is_known(const States& states) {
  return std::ranges::any_of(states, [](const RecordState& state) { return state.checked != 0; });
}

// ---- countdowns

Json countdown(const char* kind, std::optional<std::int64_t> earliest, std::optional<std::int64_t> latest) {
  return {{"kind", kind}, {"earliest", or_null(earliest)}, {"latest", or_null(latest)}};
}

// SES's clocks by what it says itself, and by what the watch saw of the records.
Json countdowns(const ses::Identity& identity, const States& states, std::int64_t now) {
  auto list = Json::array();
  const auto since = identity.status_since;
  if (identity.dkim.status == ses::Status::pending && since)
    list.push_back(countdown("set_up_ends", std::nullopt, *since + ses::kNoticed));
  // It began before that was seen.
  if (identity.dkim.status == ses::Status::temporary_failure && since)
    list.push_back(countdown("revocation", std::nullopt, *since + ses::kRevoked));
  for (const auto& deadline : watch::deadlines_of(states, now)) {
    const bool said = deadline.kind == Deadline::Kind::revocation && !list.empty();
    if (!said) list.push_back(countdown(watch::to_string(deadline.kind), deadline.earliest, deadline.latest));
  }
  return list;
}

// ---- one identity

Json record_value(const RecordState& state) {
  const bool known = state.checked != 0;
  return {{"part", watch::to_string(state.key.part)},
          {"name", state.key.name},
          {"state", known ? watch::to_string(state.state) : "unknown"},
          {"since", state.since},
          {"checked", state.checked},
          {"code", text_or_null(state.code)},
          {"reason", text_or_null(printable(state.reason, 512))}};
}

struct Seen {
  States states;
  ses::History history;
};

struct Judged {
  Condition condition = Condition::well;
  Json value;
};

Judged judged(const ses::Account& account, const ses::Identity& identity, const Seen& seen, std::int64_t now) {
  auto verdict = judge(account, identity);
  judge_records(seen.states, seen.history.dkim_outage, identity, now, verdict);
  if (!identity.dkim.status && !is_known(seen.states))
    verdict.say(Condition::unknown, "Neither SES nor the watch has told of its DKIM records yet.");
  Json value{{"name", identity.name},
             {"account", identity.account},
             {"region", identity.region},
             {"kind", identity.is_address() ? "address" : "domain"},
             {"condition", to_string(verdict.condition)},
             {"remarks", std::move(verdict.remarks)},
             {"verified", identity.verified_for_sending},
             {"dkim",
              {{"status", status_or_null(identity.dkim.status)},
               {"signing", identity.dkim.signing_enabled},
               {"origin", identity.dkim.origin}}},
             {"mail_from",
              {{"domain", text_or_null(identity.mail_from.domain)},
               {"status", status_or_null(identity.mail_from.status)},
               {"behavior", ses::to_string(identity.mail_from.behavior_on_mx_failure)}}},
             {"as_of", or_null(identity.as_of)},
             {"countdowns", countdowns(identity, seen.states, now)},
             {"records", Json::array()}};
  for (const auto& state : seen.states) value["records"].push_back(record_value(state));
  if (const auto& arrival = seen.history.arrival)
    value["arrival"] = {{"time", arrival->time},
                        {"signed_domain", text_or_null(arrival->signed_domain)},
                        {"dkim_aligned", arrival->dkim_aligned},
                        {"spf_aligned", arrival->spf_aligned}};
  return {verdict.condition, std::move(value)};
}

Seen seen_of(const inspect::Runtime& runtime, const watch::Ledger* ledger, const ses::Identity& identity) {
  Seen seen;
  if (ledger) seen.states = ledger->states_of(identity.account, identity.name, identity.region);
  if (runtime.observer) seen.history = runtime.observer->history_of(identity);
  return seen;
}

Json snapshot_value(const inspect::Runtime& runtime) {
  return {{"configured", !runtime.config.ses.snapshot.empty()},
          {"as_of", runtime.accounts->as_of() ? Json(runtime.accounts->as_of()) : Json(nullptr)},
          {"max_age", runtime.config.ses.snapshot_max_age},
          {"error", text_or_null(printable(runtime.snapshot.error, 512))}};
}

// Each account has the identities of all its regions.
template <class Use>
void for_each_identity(const ses::Accounts& accounts, Use&& use) {
  for (const auto& account : accounts.all())
    for (const auto& identity : account.identities)
      if (identity.region == account.region) use(account, identity);
}

}  // namespace

Said identities(const inspect::Runtime& runtime, const watch::Ledger* ledger, const Query& query, std::int64_t now) {
  const auto search = text_of(query, "search", kMaxSearch);
  if (!search) return tl::unexpected(search.error());
  const auto wanted = lower(*search);
  std::array<std::uint64_t, kConditions.size()> counts{};
  std::array<std::vector<Json>, kConditions.size()> found;
  std::uint64_t left_off = 0;
  for_each_identity(*runtime.accounts, [&](const ses::Account& account, const ses::Identity& identity) {
    auto one = judged(account, identity, seen_of(runtime, ledger, identity), now);
    const auto place = static_cast<std::size_t>(one.condition);
    ++counts[place];
    if (lower(identity.name).find(wanted) == std::string::npos) return;
    if (found[place].size() < kMostShown)
      found[place].push_back(std::move(one.value));
    else
      ++left_off;
  });
  Json value{{"now", now}, {"watched", ledger != nullptr}, {"snapshot", snapshot_value(runtime)}};
  for (const auto condition : kConditions)
    value["counts"][to_string(condition)] = counts[static_cast<std::size_t>(condition)];
  value["left_off"] = left_off;
  value["identities"] = Json::array();
  for (auto& group : found)
    for (auto& one : group) value["identities"].push_back(std::move(one));
  return value;
}

}  // namespace sesame::milter::api
