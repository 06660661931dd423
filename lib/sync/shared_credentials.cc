#include "sync/shared_credentials.h"

#include "util/text.h"

namespace sesame::sync {

std::optional<Profile> find_profile(std::string_view text, std::string_view name) {
  std::optional<Profile> profile;
  bool inside = false;
  for (const auto raw : split(text, '\n')) {
    const auto line = trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const auto end = line.find(']');
      inside = end != std::string_view::npos && trim(line.substr(1, end - 1)) == name;
      if (inside && !profile) profile.emplace();
      continue;
    }
    const auto equals = line.find('=');
    // An indented line belongs to the setting before it, which is none of ours.
    if (!inside || equals == std::string_view::npos || is_wsp(raw.front())) continue;
    profile->insert_or_assign(lower(trim(line.substr(0, equals))), std::string(trim(line.substr(equals + 1))));
  }
  return profile;
}

}  // namespace sesame::sync
