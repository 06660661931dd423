#include "watch/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "util/clock.h"
#include "util/text.h"
#include "watch/chronicle.h"
#include "watch/chronicle_json.h"
#include "watch/record_text.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

using Json = nlohmann::ordered_json;
using States = std::span<const RecordState>;

// So many intervals without a look are more than a slow round.
constexpr std::int64_t kLate = 4;

bool is_fault(const RecordState& record) {
  return record.state == State::degraded || record.state == State::missing;
}

bool is_users_fault(const RecordState& record) {
  return is_fault(record) && record.key.part != Part::amazon;
}

bool is_late(const Status& status) {
  return status.last_look == 0 ||
         status.now - status.last_look > kLate * std::max<std::int64_t>(status.interval.count(), 60);
}

// "degraded", "healthy"; "unknown".
const char* worst_of(States states) {
  for (const auto each : {State::missing, State::degraded, State::recovering})
    if (std::ranges::find(states, each, &RecordState::state) != states.end()) return to_string(each);
  return states.empty() || are_unknown(states) ? "unknown" : to_string(State::healthy);
}

bool is_well(States states) {
  return std::string_view(worst_of(states)) == to_string(State::healthy);
}

// The states of one identity after the other.
template <class Use>
void for_each_identity(const std::vector<RecordState>& states, Use&& use) {
  const auto who = [](const RecordState& each) {
    return std::tie(each.key.account, each.key.identity, each.key.region);
  };
  for (auto first = states.begin(); first != states.end();) {
    const auto last =
        std::find_if(first, states.end(), [&](const RecordState& each) { return who(each) != who(*first); });
    use(States(first, last));
    first = last;
  }
}

std::string line(std::string_view text, std::size_t indent) {
  const std::string first(indent, ' ');
  return wrap(text, first, first + "  ");
}

// Of records that are alike.
std::string record_text(const RecordState& record, const std::vector<std::string>& names) {
  const auto head = to_string(record.key.part) + names_text(names) + ": ";
  if (is_unknown(record)) return line(head + "not known yet", 2);
  // Only a DMARC record may lack that nobody misses.
  if (record.since == 0) return line(head + "none; there may be a policy further up the tree", 2);
  auto text = fmt::format("{}{} since {}", head, to_string(record.state), minute(record.since));
  if (!record.reason.empty()) text += ": " + reason_text(record.reason, names);
  if (!record.code.empty()) text += " (" + record.code + ")";
  return line(text, 2);
}

std::string records_text(States states) {
  std::string text;
  for (const auto& alike : grouped(states, likeness_of)) {
    std::vector<std::string> names;
    for (const auto* each : alike) names.push_back(each->key.name);
    text += record_text(*alike.front(), names);
  }
  return text;
}

const char* meaning_of(Deadline::Kind kind) {
  switch (kind) {
    case Deadline::Kind::signing_stops:
      return "SES stops signing";
    case Deadline::Kind::revocation:
      return "SES revokes DKIM";
    case Deadline::Kind::mail_from_fallback:
      break;
  }
  return "SES no longer uses the MAIL FROM domain";
}

std::string deadline_text(const Deadline& deadline, std::int64_t now) {
  const auto tell = [&](const std::string& when) { return line(meaning_of(deadline.kind) + (": " + when), 2); };
  if (deadline.latest && now >= *deadline.latest)
    return tell("is taken to have done so by " + minute(*deadline.latest));
  const auto when = (now >= deadline.earliest ? "at any moment since " : "not before ") + minute(deadline.earliest);
  return tell(when + (deadline.latest ? ", at the latest " + minute(*deadline.latest)
                                      : std::string(", should SES come upon the fault")));
}

std::string deadlines_text(States states, std::int64_t now) {
  std::string text;
  for (const auto& deadline : deadlines_of(states, now)) text += deadline_text(deadline, now);
  return text;
}

std::string silences_text(const Status& status, const RecordKey& key) {
  std::string text;
  for (const auto& silence : status.silences) {
    if (silence.account != key.account || silence.identity != key.identity || silence.region != key.region) continue;
    if (silence.kind == Silence::Kind::acknowledged)
      text += line("acknowledged at " + minute(silence.made), 2);
    else if (silence.until > status.now)
      text += line("silenced until " + minute(silence.until), 2);
  }
  return text;
}

std::string last_look_text(const Status& status) {
  if (status.last_look == 0) return "No watch has looked at anything yet.\n";
  const auto ago = status.now - status.last_look;
  const auto when = fmt::format("The watch looked last at {}, {}", minute(status.last_look),
                                ago < 60 ? "just now" : span_of(ago) + " ago");
  if (!is_late(status)) return when + ".\n";
  return wrap(when + ". That is too long: does it run? What stands here may have changed since.", "", "");
}

Json deadlines_value(States states, std::int64_t now) {
  auto list = Json::array();
  for (const auto& deadline : deadlines_of(states, now)) {
    Json value = {{"kind", to_string(deadline.kind)}, {"earliest", timestamp(deadline.earliest)}};
    if (deadline.latest) value["latest"] = timestamp(*deadline.latest);
    list.push_back(std::move(value));
  }
  return list;
}

Json identity_value(States states, std::int64_t now) {
  const auto& key = states.front().key;
  Json value = {{"account", key.account},
                {"identity", key.identity},
                {"region", key.region},
                {"state", worst_of(states)},
                {"deadlines", deadlines_value(states, now)},
                {"records", Json::array()}};
  for (const auto& state : states) value["records"].push_back(state_value(state));
  return value;
}

// ---- a look

using Looks = std::vector<const RecordLook*>;

// The same bad answer of one server, to all that it was given to.
struct Bad {
  const Observation* any = nullptr;
  std::vector<std::string> questions{};
};

std::string transports_of(const std::set<dns::Transport>& transports) {
  return transports.size() > 1 ? "UDP and TCP" : dns::to_string(*transports.begin());
}

std::string bad_answers_text(const Looks& records) {
  const auto answer_of = [](const Observation& seen) {
    return fmt::format("{}\n{}\n{}", server_text(seen), seen.answer, to_string(seen.quality));
  };
  std::vector<std::pair<std::string, Bad>> order;
  std::map<std::string, std::set<dns::Transport>> transports;  // of each question
  std::vector<const Observation*> all;
  for (const auto* record : records)
    for (const auto& seen : record->observations)
      if (seen.quality != Quality::good) all.push_back(&seen);
  for (const auto* seen : all) transports[answer_of(*seen) + question_text(*seen)].insert(seen->transport);
  for (const auto* seen : all) {
    const auto question = question_text(*seen);
    const auto key = answer_of(*seen) + transports_of(transports[answer_of(*seen) + question]);
    auto found = std::ranges::find(order, key, &std::pair<std::string, Bad>::first);
    if (found == order.end()) found = order.insert(order.end(), {key, {seen}});
    auto& questions = found->second.questions;
    if (std::ranges::find(questions, question) == questions.end()) questions.push_back(question);
  }
  std::string text;
  for (const auto& [key, bad] : order)
    text += line(
        fmt::format("{}: {} to {} over {} ({})", server_text(*bad.any), printable(bad.any->answer, 512),
                    join(bad.questions, ", "), transports_of(transports[answer_of(*bad.any) + question_text(*bad.any)]),
                    to_string(bad.any->quality)),
        4);
  return text;
}

std::string good_answers_text(const Looks& records) {
  std::size_t good = 0;
  std::set<std::string> servers;
  for (const auto* record : records)
    for (const auto& seen : record->observations) {
      if (seen.quality != Quality::good) continue;
      ++good;
      servers.insert(server_text(seen));
    }
  if (good == 0) return "";
  return line(fmt::format("{} good answer{} of {} server{}", good, good == 1 ? "" : "s", servers.size(),
                          servers.size() == 1 ? "" : "s"),
              4);
}

const RecordState* state_of(const Seen& seen, const Record& record) {
  const auto found = std::ranges::find_if(seen.states, [&record](const RecordState& state) {
    return state.key.part == record.part && state.key.name == record.name;
  });
  return found == seen.states.end() ? nullptr : &*found;
}

std::string servers_text(const std::vector<std::string>& names) {
  return names.empty() ? "none" : printable(join(names, ", "), 512);
}

// Records that are alike, and who answers what.
std::string looks_text(const Seen& seen, const Looks& records) {
  std::vector<std::string> names;
  for (const auto* each : records) names.push_back(each->record.name);
  const auto& record = records.front()->record;
  const auto* state = state_of(seen, record);
  return (state ? record_text(*state, names) : line(to_string(record.part) + names_text(names), 2)) +
         bad_answers_text(records) + good_answers_text(records);
}

std::string look_text(const Seen& seen) {
  const auto& look = seen.look;
  const auto& who = look.subject;
  auto text = line(fmt::format("{}: {}", place_text(who.identity, who.account, who.region),
                               look.nothing_answers ? "nothing answers" : worst_of(seen.states)),
                   0);
  if (look.nothing_answers)
    text += line(
        "The resolver of this host, and perhaps every name server, does not answer: the fault is most likely near "
        "this host, and nothing is concluded about the records.",
        2);
  if (look.servers_unreachable) text += line("No name server can be asked from here; the resolver alone tells.", 2);
  if (look.delegation)
    text += line(fmt::format("The parent zone delegates to {}; the zone itself names {}",
                             servers_text(look.delegation->parent), servers_text(look.delegation->child)),
                 2);
  if (!look.bogus_zone.empty()) text += line(printable(look.bogus_zone) + " fails DNSSEC validation", 2);
  const auto likeness = [&seen](const RecordLook& each) {
    const auto* state = state_of(seen, each.record);
    return state ? likeness_of(*state) : to_string(each.record.part) + (" " + each.record.name);
  };
  for (const auto& alike : grouped(std::span(look.records), likeness)) text += looks_text(seen, alike);
  return text + deadlines_text(seen.states, look.time);
}

Json look_value(const Seen& seen) {
  const auto& look = seen.look;
  Json value = {{"account", look.subject.account},
                {"identity", look.subject.identity},
                {"region", look.subject.region},
                {"time", timestamp(look.time)},
                {"state", worst_of(seen.states)},
                {"nothing_answers", look.nothing_answers},
                {"servers_unreachable", look.servers_unreachable},
                {"zones", look.zones},
                {"delegation_mismatch", delegation_value(look.delegation)},
                {"bogus_zone", text_or_null(look.bogus_zone)},
                {"deadlines", deadlines_value(seen.states, look.time)},
                {"records", Json::array()}};
  for (const auto& record : look.records) {
    const auto* state = state_of(seen, record.record);
    Json one = {{"part", to_string(record.record.part)},
                {"record", record.record.name},
                {"state", state ? word_of(*state) : "unknown"},
                {"code", state ? text_or_null(state->code) : Json(nullptr)},
                {"reason", state ? text_or_null(state->reason) : Json(nullptr)},
                {"answers", Json::array()}};
    for (const auto& each : record.observations) one["answers"].push_back(observation_value(each));
    value["records"].push_back(std::move(one));
  }
  return value;
}

}  // namespace

Judgement judge(const Status& status) {
  if (std::ranges::any_of(status.states, is_users_fault)) return Judgement::bad;
  bool unknown = is_late(status);
  for_each_identity(status.states, [&unknown](States states) { unknown = unknown || are_unknown(states); });
  return unknown ? Judgement::undecided : Judgement::fine;
}

std::string status_text(const Status& status) {
  auto text = last_look_text(status);
  std::size_t all = 0, well = 0;
  for_each_identity(status.states, [&](States states) {
    ++all;
    const auto& key = states.front().key;
    if (is_well(states)) ++well;
    if (is_well(states) && status.detail == Status::Detail::faults) return;
    text += "\n" + line(fmt::format("{}: {}", place_text(key.identity, key.account, key.region), worst_of(states)), 0);
    std::vector<RecordState> told(states.begin(), states.end());
    if (status.detail == Status::Detail::faults)
      std::erase_if(told, [](const RecordState& record) { return record.state == State::healthy; });
    text += records_text(told) + deadlines_text(states, status.now);
    text += silences_text(status, key);
  });
  return text + fmt::format("\n{} of {} {} healthy\n", well, all, all == 1 ? "identity" : "identities");
}

std::string status_json(const Status& status) {
  Json value = {{"last_look", status.last_look ? Json(timestamp(status.last_look)) : Json(nullptr)},
                {"late", is_late(status)},
                {"identities", Json::array()}};
  for_each_identity(status.states,
                    [&](States states) { value["identities"].push_back(identity_value(states, status.now)); });
  Chronicle silences;
  silences.silences = status.silences;
  value["silences"] = silences_value(silences);
  return text_of(value);
}

Judgement judge(const std::vector<Seen>& seen) {
  bool dark = false;
  for (const auto& each : seen) {
    if (!each.look.nothing_answers && std::ranges::any_of(each.states, is_users_fault)) return Judgement::bad;
    dark = dark || each.look.nothing_answers;
  }
  return dark ? Judgement::undecided : Judgement::fine;
}

std::string seen_text(const std::vector<Seen>& seen) {
  std::string text;
  for (const auto& each : seen) text += (text.empty() ? "" : "\n") + look_text(each);
  return text;
}

std::string seen_json(const std::vector<Seen>& seen) {
  auto list = Json::array();
  for (const auto& each : seen) list.push_back(look_value(each));
  return text_of(Json{{"looks", list}});
}

}  // namespace sesame::watch
