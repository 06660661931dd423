// How records are told of: alone, or several that are alike in one breath. Inside this folder only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watch/state.h"

namespace sesame::watch {

// Has no look been able to tell of it yet?
bool is_unknown(const RecordState& record);
bool are_unknown(std::span<const RecordState> records);  // none of them is known
// "degraded"; "unknown".
const char* word_of(const RecordState& record);

// Rows with the same key together, in the order of the first of each.
template <class Row, class Key>
std::vector<std::vector<const Row*>> grouped(std::span<const Row> rows, Key&& key_of) {
  std::vector<std::vector<const Row*>> groups;
  std::map<std::string, std::size_t> known;
  for (const auto& row : rows) {
    const auto [place, fresh] = known.try_emplace(key_of(row), groups.size());
    if (fresh) groups.emplace_back();
    groups[place->second].push_back(&row);
  }
  return groups;
}

// What records have in common that are told of together: all but their names.
std::string likeness_of(const RecordState& record);
// What is said of a record, without its name.
std::string unnamed(std::string_view text, std::string_view name);
// " t1._domainkey.example.com", after `before`; " (3 records: ..., ..., ...)". Of many the first.
std::string names_text(const std::vector<std::string>& names, std::string_view before = " ");
// The reason of them all: without a name where there are several.
std::string reason_text(const std::string& reason, const std::vector<std::string>& names);

}  // namespace sesame::watch
