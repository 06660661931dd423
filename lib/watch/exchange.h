// What one watch knows as one text, for those that do not look themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "watch/watcher.h"

namespace sesame::watch {

// JSON in printable ASCII; of the notices the newest.
std::string text_of(const Past& past);
// Nothing where the text is damaged, or of another version of Sesame that says it otherwise.
std::optional<Past> parse_past(std::string_view text);

}  // namespace sesame::watch
