#include "watch/exchange.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "watch/memory_text.h"

namespace sesame::watch {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMaxNotices = 200;

// What has columns of its own in the memory; the rest is one text there as well.
json value_of(const RecordState& state) {
  const auto& key = state.key;
  return {key.account, key.identity, key.region, to_string(key.part), key.name, text_of(state)};
}

json value_of(const Notice& notice) {
  return {notice.time,   to_string(notice.kind), notice.account, notice.identity,
          notice.region, notice.title,           notice.text,    text_of(notice)};
}

json value_of(const Sight& sight) {
  return {sight.account, sight.identity, sight.region, text_of(sight.delegation), sight.bogus_zone};
}

// A list of `size` elements, all of them texts but `numbers` at its front.
bool is_row(const json& value, std::size_t size, std::size_t numbers = 0) {
  if (!value.is_array() || value.size() != size) return false;
  for (std::size_t i = 0; i < size; ++i)
    if (i < numbers ? !value[i].is_number_integer() : !value[i].is_string()) return false;
  return true;
}

std::string at(const json& row, std::size_t place) {
  return row[place].get<std::string>();
}

bool read(const json& row, RecordState& into) {
  if (!is_row(row, 6)) return false;
  const auto part = parse_word(at(row, 3), kParts);
  if (!part) return false;
  auto state = parse_state({at(row, 0), at(row, 1), at(row, 2), *part, at(row, 4)}, at(row, 5));
  if (state) into = *std::move(state);
  return state.has_value();
}

bool read(const json& row, Notice& into) {
  if (!is_row(row, 8, 1)) return false;
  const auto kind = parse_kind(at(row, 1));
  if (!kind) return false;
  into.time = row[0].get<std::int64_t>();
  into.kind = *kind;
  into.account = at(row, 2);
  into.identity = at(row, 3);
  into.region = at(row, 4);
  into.title = at(row, 5);
  into.text = at(row, 6);
  return parse_notice(at(row, 7), into);
}

bool read(const json& row, Sight& into) {
  if (!is_row(row, 5)) return false;
  into.account = at(row, 0);
  into.identity = at(row, 1);
  into.region = at(row, 2);
  into.bogus_zone = at(row, 4);
  return parse_delegation(at(row, 3), into.delegation);
}

template <class T>
bool read_all(const json& value, const char* name, std::vector<T>& into) {
  const auto list = value.find(name);
  if (list == value.end() || !list->is_array()) return false;
  return std::ranges::all_of(*list, [&into](const json& row) { return read(row, into.emplace_back()); });
}

}  // namespace

std::string text_of(const Past& past) {
  json value = {
      {"version", kVersion}, {"states", json::array()}, {"notices", json::array()}, {"sights", json::array()}};
  for (const auto& state : past.states) value["states"].push_back(value_of(state));
  const auto from = past.notices.size() - std::min(past.notices.size(), kMaxNotices);
  for (auto i = from; i < past.notices.size(); ++i) value["notices"].push_back(value_of(past.notices[i]));
  for (const auto& sight : past.sights) value["sights"].push_back(value_of(sight));
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::optional<Past> parse_past(std::string_view text) {
  const auto value = json::parse(text, nullptr, false);
  if (!value.is_object() || value.value("version", json()) != kVersion) return std::nullopt;
  Past past;
  const bool good = read_all(value, "states", past.states) && read_all(value, "notices", past.notices) &&
                    read_all(value, "sights", past.sights);
  return good ? std::optional(std::move(past)) : std::nullopt;
}

}  // namespace sesame::watch
