// Settings made one at a time from text, for a configuration written from something other than TOML. Keys, types and
// order are those of the settings table.
#pragma once

#include <string>
#include <vector>

#include "util/result.h"

namespace sesame::config {

// The figures a setting takes.
struct Bounds {
  double least = 0, most = 0;
};

// Of the settings outside [[lists]], in the order of the documents: "dns.timeout".
std::vector<std::string> assignable_keys();
// Of a figure's setting.
Bounds bounds_of(const std::string& key);
// "timeout = 2.0": the name without its table, and the value in canonical form. A list takes any number of texts, every
// other setting one. An error says what is expected.
Result<std::string> assignment(const std::string& key, const std::vector<std::string>& texts);
// The table the key stands in: "dns"; "" at the top.
std::string table_of(const std::string& key);

}  // namespace sesame::config
