#include "config/suggest.h"

#include <algorithm>
#include <vector>

#include "config/table.h"
#include "util/text.h"

namespace sesame::config {
namespace {

// Keys are short; longer ones are no misspelling of a setting.
constexpr std::size_t kMaxKey = 100;

// Levenshtein's: the least number of characters inserted, removed or replaced.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

// Small is near. The right name in the wrong table is nearer than any misspelling.
std::size_t distance(const std::string& key, const std::string& known) {
  return last_part(key) == last_part(known) ? 1 : edit_distance(key, known);
}

std::string part_of(const std::string& section) {
  std::vector<std::string> keys;
  for (const auto* entry : entries()) {
    const auto key = entry->key();
    if (section.empty() ? entry->section.empty() : key.starts_with(section + ".")) keys.push_back(key);
  }
  if (section.empty())
    for (const auto& known : sections())
      if (!known.name.empty() && known.name.find('.') == std::string::npos) keys.push_back("[" + known.name + "]");
  return "one of " + join(keys, ", ");
}

}  // namespace

bool is_setting(const std::string& key) {
  return std::ranges::any_of(entries(), [&](const Entry* entry) { return entry->key() == key; });
}

bool is_section(const std::string& key) {
  return std::ranges::any_of(entries(), [&](const Entry* entry) { return entry->key().starts_with(key + "."); });
}

bool is_list(const std::string& key) {
  return std::ranges::any_of(
      sections(), [&](const Section& section) { return section.kind == Section::Kind::list && section.name == key; });
}

std::string suggest(const std::string& key, const std::string& section) {
  std::string nearest;
  std::size_t least = 2 + std::min(key.size(), kMaxKey) / 5;
  const auto wanted = lower(key).substr(0, kMaxKey);
  std::vector<std::string> known;
  for (const auto* entry : entries()) known.push_back(entry->key());
  for (const auto& part : sections())
    if (!part.name.empty()) known.push_back(part.name);
  for (const auto& candidate : known) {
    const auto far = distance(wanted, candidate);
    if (far < least) {
      least = far;
      nearest = candidate;
    }
  }
  return nearest.empty() ? part_of(section) : "perhaps " + nearest;
}

}  // namespace sesame::config
