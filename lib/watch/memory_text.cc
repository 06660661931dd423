#include "watch/memory_text.h"

#include <nlohmann/json.hpp>

namespace sesame::watch {
namespace {

using nlohmann::json;

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Members of an object that may not have them, or have them of another kind: then `ok` ends.
class Reader {
 public:
  explicit Reader(const json& value) : value_(value), ok_(value.is_object()) {}

  template <class T>
  Reader& number(const char* name, T& into) {
    if (const auto* found = find(name)) {
      if (found->is_number_integer())
        into = static_cast<T>(found->get<std::int64_t>());
      else
        ok_ = false;
    }
    return *this;
  }
  Reader& number(const char* name, std::optional<std::int64_t>& into) {
    std::int64_t value = 0;
    if (ok_ && value_.contains(name)) into = number(name, value).ok_ ? std::optional(value) : std::nullopt;
    return *this;
  }
  Reader& text(const char* name, std::string& into) {
    if (const auto* found = find(name)) {
      if (found->is_string())
        into = found->get<std::string>();
      else
        ok_ = false;
    }
    return *this;
  }
  template <class T>
  Reader& word(const char* name, T& into, std::initializer_list<T> all) {
    std::string spelling;
    text(name, spelling);
    const auto found = parse_word(spelling, all);
    if (found)
      into = *found;
    else
      ok_ = false;
    return *this;
  }
  const json* find(const char* name) {
    const auto found = ok_ ? value_.find(name) : value_.end();
    if (found != value_.end()) return &*found;
    ok_ = false;
    return nullptr;
  }
  bool ok() const { return ok_; }

 private:
  const json& value_;
  bool ok_;
};

// The elements of a member, each by `read`, which tells whether it could.
template <class Read>
bool read_list(const json* list, Read&& read) {
  if (!list || !list->is_array()) return false;
  for (const auto& each : *list)
    if (!read(each)) return false;
  return true;
}

bool read_names(const json* list, std::vector<std::string>& into) {
  return read_list(list, [&into](const json& each) {
    if (each.is_string()) into.push_back(each.get<std::string>());
    return each.is_string();
  });
}

json value_of(const ses::ServerFault& fault) {
  return {{"server", fault.server}, {"name", fault.name},           {"type", static_cast<int>(fault.type)},
          {"answer", fault.answer}, {"transport", fault.transport}, {"first", fault.first},
          {"last", fault.last},     {"count", fault.count},         {"asked", fault.asked}};
}

bool read_fault(const json& value, ses::ServerFault& into) {
  return Reader(value)
      .text("server", into.server)
      .text("name", into.name)
      .number("type", into.type)
      .text("answer", into.answer)
      .text("transport", into.transport)
      .number("first", into.first)
      .number("last", into.last)
      .number("count", into.count)
      .number("asked", into.asked)
      .ok();
}

json value_of(const RecordState& state) {
  json value = {{"state", to_string(state.state)}, {"since", state.since},
                {"checked", state.checked},        {"code", state.code},
                {"reason", state.reason},          {"good_looks", state.good_looks},
                {"faults", json::array()}};
  const auto put = [&value](const char* name, const std::optional<std::int64_t>& time) {
    if (time) value[name] = *time;
  };
  put("first_bad", state.first_bad);
  put("last_bad", state.last_bad);
  put("missing_since", state.missing_since);
  put("missing_until", state.missing_until);
  if (state.earlier) value["earlier"] = {{"since", state.earlier->since}, {"until", state.earlier->until}};
  for (const auto& fault : state.faults) value["faults"].push_back(value_of(fault));
  return value;
}

bool read_earlier(const json& value, RecordState& into) {
  const auto found = value.find("earlier");
  if (found == value.end()) return true;
  auto& earlier = into.earlier.emplace();
  return Reader(*found).number("since", earlier.since).number("until", earlier.until).ok();
}

bool read_state(const json& value, RecordState& into) {
  Reader reader(value);
  reader.word("state", into.state, kStates)
      .number("since", into.since)
      .number("checked", into.checked)
      .text("code", into.code)
      .text("reason", into.reason)
      .number("good_looks", into.good_looks)
      .number("first_bad", into.first_bad)
      .number("last_bad", into.last_bad)
      .number("missing_since", into.missing_since)
      .number("missing_until", into.missing_until);
  const auto faults = read_list(reader.find("faults"),
                                [&into](const json& each) { return read_fault(each, into.faults.emplace_back()); });
  return reader.ok() && faults && read_earlier(value, into);
}

json value_of(const RecordKey& key) {
  return {{"account", key.account},
          {"identity", key.identity},
          {"region", key.region},
          {"part", to_string(key.part)},
          {"name", key.name}};
}

bool read_key(const json& value, RecordKey& into) {
  return Reader(value)
      .text("account", into.account)
      .text("identity", into.identity)
      .text("region", into.region)
      .word("part", into.part, kParts)
      .text("name", into.name)
      .ok();
}

bool read_change(const json& value, Change& into) {
  Reader reader(value);
  const auto* key = reader.find("key");
  const auto* before = reader.find("before");
  const auto* after = reader.find("after");
  if (!reader.ok() || !read_key(*key, into.after.key)) return false;
  into.before.key = into.after.key;
  return read_state(*before, into.before) && read_state(*after, into.after);
}

bool read_deadline(const json& value, Deadline& into) {
  using Kind = Deadline::Kind;
  return Reader(value)
      .word("kind", into.kind, {Kind::signing_stops, Kind::revocation, Kind::mail_from_fallback})
      .number("earliest", into.earliest)
      .number("latest", into.latest)
      .ok();
}

json parsed(std::string_view text) {
  return json::parse(text, nullptr, false);
}

}  // namespace

std::string text_of(const RecordState& state) {
  return dumped(value_of(state));
}

std::optional<RecordState> parse_state(const RecordKey& key, std::string_view text) {
  RecordState state;
  state.key = key;
  return read_state(parsed(text), state) ? std::optional(std::move(state)) : std::nullopt;
}

std::string text_of(const Notice& notice) {
  json value = {{"changes", json::array()}, {"identities", notice.identities}};
  for (const auto& change : notice.changes)
    value["changes"].push_back(
        {{"key", value_of(change.after.key)}, {"before", value_of(change.before)}, {"after", value_of(change.after)}});
  if (notice.deadline) {
    value["deadline"] = {{"kind", to_string(notice.deadline->kind)}, {"earliest", notice.deadline->earliest}};
    if (notice.deadline->latest) value["deadline"]["latest"] = *notice.deadline->latest;
  }
  return dumped(value);
}

bool parse_notice(std::string_view text, Notice& notice) {
  const auto value = parsed(text);
  Reader reader(value);
  reader.number("identities", notice.identities);
  const auto changes = read_list(
      reader.find("changes"), [&notice](const json& each) { return read_change(each, notice.changes.emplace_back()); });
  if (!reader.ok() || !changes) return false;
  if (const auto deadline = value.find("deadline"); deadline != value.end())
    return read_deadline(*deadline, notice.deadline.emplace());
  return true;
}

std::string text_of(const std::optional<ses::DelegationMismatch>& delegation) {
  if (!delegation) return "";
  return dumped({{"parent", delegation->parent},
                 {"child", delegation->child},
                 {"name", delegation->name},
                 {"only_on", delegation->only_on}});
}

bool parse_delegation(std::string_view text, std::optional<ses::DelegationMismatch>& delegation) {
  if (text.empty()) return true;
  const auto value = parsed(text);
  auto& into = delegation.emplace();
  Reader reader(value);
  reader.text("name", into.name);
  return read_names(reader.find("parent"), into.parent) && read_names(reader.find("child"), into.child) &&
         read_names(reader.find("only_on"), into.only_on) && reader.ok();
}

std::string text_of(const std::vector<std::string>& names) {
  return dumped(names);
}

bool parse_names(std::string_view text, std::vector<std::string>& names) {
  const auto value = parsed(text);
  return read_names(&value, names);
}

}  // namespace sesame::watch
