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

State worst_of(States states) {
  for (const auto each : {State::missing, State::degraded, State::recovering})
    if (std::ranges::find(states, each, &RecordState::state) != states.end()) return each;
  return State::healthy;
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

std::string record_text(const RecordState& record) {
  if (record.since == 0)
    return line(fmt::format("{} {}: not known yet", to_string(record.key.part), printable(record.key.name)), 2);
  auto text = fmt::format("{} {}: {} since {}", to_string(record.key.part), printable(record.key.name),
                          to_string(record.state), minute(record.since));
  if (!record.reason.empty()) text += ": " + printable(record.reason, 1024);
  if (!record.code.empty()) text += " (" + record.code + ")";
  return line(text, 2);
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

std::string deadline_text(const Deadline& deadline) {
  const auto latest = deadline.latest > deadline.earliest ? ", at the latest " + minute(deadline.latest) : "";
  return line(fmt::format("{}: not before {}{}", meaning_of(deadline.kind), minute(deadline.earliest), latest), 2);
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

Json deadlines_value(States states) {
  auto list = Json::array();
  for (const auto& deadline : deadlines_of(states))
    list.push_back({{"kind", to_string(deadline.kind)},
                    {"earliest", timestamp(deadline.earliest)},
                    {"latest", timestamp(deadline.latest)}});
  return list;
}

Json identity_value(States states) {
  const auto& key = states.front().key;
  Json value = {{"account", key.account},
                {"identity", key.identity},
                {"region", key.region},
                {"state", to_string(worst_of(states))},
                {"deadlines", deadlines_value(states)},
                {"records", Json::array()}};
  for (const auto& state : states) value["records"].push_back(state_value(state));
  return value;
}

// ---- a look

std::string answers_text(const RecordLook& record) {
  std::string text;
  std::size_t good = 0;
  std::set<std::string> servers;
  for (const auto& seen : record.observations) {
    if (seen.quality == Quality::good) {
      ++good;
      servers.insert(server_text(seen));
      continue;
    }
    text += line(fmt::format("{}: {} to {} over {} ({})", server_text(seen), printable(seen.answer, 512),
                             question_text(seen), dns::to_string(seen.transport), to_string(seen.quality)),
                 4);
  }
  if (good > 0)
    text += line(fmt::format("{} good answer{} of {} server{}", good, good == 1 ? "" : "s", servers.size(),
                             servers.size() == 1 ? "" : "s"),
                 4);
  return text;
}

const RecordState* state_of(const Seen& seen, const Record& record) {
  const auto found = std::ranges::find_if(seen.states, [&record](const RecordState& state) {
    return state.key.part == record.part && state.key.name == record.name;
  });
  return found == seen.states.end() ? nullptr : &*found;
}

std::string names_text(const std::vector<std::string>& names) {
  return names.empty() ? "none" : printable(join(names, ", "), 512);
}

std::string look_text(const Seen& seen) {
  const auto& look = seen.look;
  const auto& who = look.subject;
  auto text = line(fmt::format("{}: {}", place_text(who.identity, who.account, who.region),
                               look.nothing_answers ? "nothing answers" : to_string(worst_of(seen.states))),
                   0);
  if (look.servers_unreachable) text += line("No name server can be asked from here; the resolver alone tells.", 2);
  if (look.delegation)
    text += line(fmt::format("The parent zone delegates to {}; the zone itself names {}",
                             names_text(look.delegation->parent), names_text(look.delegation->child)),
                 2);
  if (!look.bogus_zone.empty()) text += line(printable(look.bogus_zone) + " fails DNSSEC validation", 2);
  for (const auto& record : look.records) {
    const auto* state = state_of(seen, record.record);
    text += state ? record_text(*state)
                  : line(fmt::format("{} {}", to_string(record.record.part), printable(record.record.name)), 2);
    text += answers_text(record);
  }
  for (const auto& deadline : deadlines_of(seen.states)) text += deadline_text(deadline);
  return text;
}

Json look_value(const Seen& seen) {
  const auto& look = seen.look;
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  Json value = {{"account", look.subject.account},
                {"identity", look.subject.identity},
                {"region", look.subject.region},
                {"time", timestamp(look.time)},
                {"state", to_string(worst_of(seen.states))},
                {"nothing_answers", look.nothing_answers},
                {"servers_unreachable", look.servers_unreachable},
                {"zones", look.zones},
                {"delegation_mismatch", delegation_value(look.delegation)},
                {"bogus_zone", text_or_null(look.bogus_zone)},
                {"deadlines", deadlines_value(seen.states)},
                {"records", Json::array()}};
  for (const auto& record : look.records) {
    const auto* state = state_of(seen, record.record);
    Json one = {{"part", to_string(record.record.part)},
                {"record", record.record.name},
                {"state", state ? Json(to_string(state->state)) : Json(nullptr)},
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
  return is_late(status) ? Judgement::undecided : Judgement::fine;
}

std::string status_text(const Status& status) {
  auto text = last_look_text(status);
  std::size_t all = 0, well = 0;
  for_each_identity(status.states, [&](States states) {
    ++all;
    const auto& key = states.front().key;
    const auto worst = worst_of(states);
    if (worst == State::healthy) ++well;
    if (worst == State::healthy && status.detail == Status::Detail::faults) return;
    text += "\n" + line(fmt::format("{}: {}", place_text(key.identity, key.account, key.region), to_string(worst)), 0);
    for (const auto& record : states)
      if (record.state != State::healthy || status.detail == Status::Detail::all) text += record_text(record);
    for (const auto& deadline : deadlines_of(states)) text += deadline_text(deadline);
    text += silences_text(status, key);
  });
  return text + fmt::format("\n{} of {} {} healthy\n", well, all, all == 1 ? "identity" : "identities");
}

std::string status_json(const Status& status) {
  Json value = {{"last_look", status.last_look ? Json(timestamp(status.last_look)) : Json(nullptr)},
                {"late", is_late(status)},
                {"identities", Json::array()}};
  for_each_identity(status.states, [&](States states) { value["identities"].push_back(identity_value(states)); });
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
