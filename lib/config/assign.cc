#include "config/assign.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "config/table.h"
#include "util/text.h"

namespace sesame::config {
namespace {

const Entry* entry_of(const std::string& key) {
  const auto& all = general_settings();
  const auto found = std::ranges::find_if(all, [&](const auto& entry) { return entry.key() == key; });
  return found == all.end() ? nullptr : &*found;
}

std::optional<double> figure(const Type& type, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  // Written so that NaN is out of range.
  if (!(value >= type.least && value <= type.most)) return std::nullopt;
  return value;
}

std::optional<Value> list(const Type& type, const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const auto& text : texts) {
    auto item = type.canonical(text);
    if (!item) return std::nullopt;
    items.push_back(std::move(*item));
  }
  return items;
}

std::optional<Value> single(const Type& type, const std::string& text) {
  if (type.shape == Type::Shape::boolean)
    return text == "true" || text == "false" ? std::optional<Value>(text == "true") : std::nullopt;
  if (type.shape == Type::Shape::text) {
    const auto value = type.canonical(text);
    return value ? std::optional<Value>(*value) : std::nullopt;
  }
  const auto value = figure(type, text);
  if (!value) return std::nullopt;
  if (type.shape == Type::Shape::number) return *value;
  return *value == std::trunc(*value) ? std::optional<Value>(static_cast<std::int64_t>(*value)) : std::nullopt;
}

}  // namespace

std::vector<std::string> assignable_keys() {
  std::vector<std::string> keys;
  for (const auto& section : sections())
    for (const auto& entry : general_settings())
      if (entry.section == section.name) keys.push_back(entry.key());
  return keys;
}

Bounds bounds_of(const std::string& key) {
  const auto* entry = entry_of(key);
  return entry ? Bounds{entry->type.least, entry->type.most} : Bounds{};
}

Result<std::string> assignment(const std::string& key, const std::vector<std::string>& texts) {
  const auto* entry = entry_of(key);
  if (!entry) return failure(key + " is no setting");
  std::optional<Value> value;
  if (entry->type.shape == Type::Shape::list)
    value = list(entry->type, texts);
  else if (texts.size() == 1)
    value = single(entry->type, texts.front());
  if (value) return entry->name + " = " + to_toml(*value);
  return failure(
      fmt::format("{}: \"{}\" does not fit; expected {}", key, printable(join(texts, ", "), 80), entry->type.expected));
}

std::string table_of(const std::string& key) {
  const auto* entry = entry_of(key);
  return entry ? entry->section : "";
}

}  // namespace sesame::config
