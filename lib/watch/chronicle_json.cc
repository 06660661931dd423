#include "watch/chronicle_json.h"

#include "util/clock.h"
#include "watch/record_text.h"

namespace sesame::watch {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(std::chrono::microseconds latency) {
  return static_cast<double>(latency.count()) / 1000.0;
}

template <class Row>
Json who_of(const Row& row) {
  return {{"account", row.account}, {"identity", row.identity}, {"region", row.region}};
}

Json key_value(const RecordKey& key) {
  auto value = who_of(key);
  value["part"] = to_string(key.part);
  value["record"] = key.name;
  return value;
}

Json run_value(const Run& run) {
  auto value = key_value(run.key);
  value.update(observation_value(run.observation));
  value["first"] = timestamp(run.first);
  value["last"] = timestamp(run.observation.time);
  value["count"] = run.count;
  value["slowest_ms"] = milliseconds(run.slowest);
  return value;
}

Json event_value(const Memory::Event& event) {
  auto value = key_value(event.key);
  value["time"] = timestamp(event.time);
  value["from"] = to_string(event.from);
  value["to"] = to_string(event.to);
  value["code"] = text_or_null(event.code);
  value["reason"] = text_or_null(event.reason);
  return value;
}

Json blindness_value(const Blindness& blindness) {
  auto value = who_of(blindness);
  value["kind"] = to_string(blindness.kind);
  value["first"] = timestamp(blindness.first);
  value["last"] = timestamp(blindness.last);
  value["count"] = blindness.count;
  return value;
}

template <class T>
Json list_of(const std::vector<T>& rows, Json (*value_of)(const T&)) {
  auto list = Json::array();
  for (const auto& row : rows) list.push_back(value_of(row));
  return list;
}

}  // namespace

Json time_or_null(const std::optional<std::int64_t>& time) {
  return time ? Json(timestamp(*time)) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json state_value(const RecordState& state) {
  auto value = key_value(state.key);
  value["state"] = word_of(state);
  if (state.since) value["since"] = timestamp(state.since);
  if (state.checked) value["checked"] = timestamp(state.checked);
  value["code"] = text_or_null(state.code);
  value["reason"] = text_or_null(state.reason);
  value["first_bad"] = time_or_null(state.first_bad);
  value["last_bad"] = time_or_null(state.last_bad);
  value["missing_since"] = time_or_null(state.missing_since);
  value["missing_until"] = time_or_null(state.missing_until);
  return value;
}

Json observation_value(const Observation& seen) {
  // Server and address are null of the resolver of this host.
  return {{"name", seen.name},
          {"type", dns::to_string(seen.type)},
          {"server", text_or_null(seen.server)},
          {"address", text_or_null(seen.address)},
          {"transport", dns::to_string(seen.transport)},
          {"quality", to_string(seen.quality)},
          {"answer", seen.answer},
          {"latency_ms", milliseconds(seen.latency)},
          {"ttl", seen.ttl},
          {"serial", seen.serial ? Json(*seen.serial) : Json(nullptr)}};
}

Json delegation_value(const std::optional<ses::DelegationMismatch>& delegation) {
  if (!delegation) return nullptr;
  return {{"parent", delegation->parent},
          {"child", delegation->child},
          {"name", text_or_null(delegation->name)},
          {"only_on", delegation->only_on}};
}

Json chronicle_value(const Chronicle& chronicle) {
  Json value = {{"domain", chronicle.domain},
                {"since", chronicle.since ? Json(timestamp(chronicle.since)) : Json(nullptr)},
                {"until", timestamp(chronicle.now)}};
  value["runs"] = list_of(chronicle.runs, run_value);
  value["events"] = list_of(chronicle.events, event_value);
  value["blindnesses"] = list_of(chronicle.blindnesses, blindness_value);
  value["states"] = list_of(chronicle.states, state_value);
  return value;
}

Json notices_value(const Chronicle& chronicle) {
  auto list = Json::array();
  for (const auto& notice : chronicle.notices) {
    Json value = {{"time", timestamp(notice.time)}, {"kind", to_string(notice.kind)}};
    value.update(who_of(notice));
    value["title"] = notice.title;
    list.push_back(std::move(value));
  }
  return list;
}

Json silences_value(const Chronicle& chronicle) {
  auto list = Json::array();
  for (const auto& silence : chronicle.silences) {
    auto value = who_of(silence);
    value["kind"] = to_string(silence.kind);
    value["made"] = timestamp(silence.made);
    value["until"] = silence.kind == Silence::Kind::silenced ? Json(timestamp(silence.until)) : Json(nullptr);
    list.push_back(std::move(value));
  }
  return list;
}

std::string text_of(const Json& value) {
  std::string text;
  for (const char c : value.dump(2, ' ', true, Json::error_handler_t::replace)) {
    // RFC 8259 Section 7 leaves DEL as it is.
    if (c == '\x7f')
      text += "\\u007f";
    else
      text += c;
  }
  return text + "\n";
}

}  // namespace sesame::watch
