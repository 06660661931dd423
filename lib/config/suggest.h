// Which keys there are, and which one was probably meant. Internal to this folder.
#pragma once

#include <string>

namespace sesame::config {

bool is_setting(const std::string& key);
bool is_section(const std::string& key);  // a table on the way to a setting: "dns", "ses.identity.dkim"
bool is_list(const std::string& key);     // a list of tables: "ses.identity"

// Completes "expected ..." for a key that is not known: the nearest known key, else those of its table.
std::string suggest(const std::string& key, const std::string& section);

}  // namespace sesame::config
