// Times as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame::cli {

// Seconds of "90s", "30m", "12h", "7d" or "4w"; nothing when it is none, or is longer than `longest` seconds.
std::optional<std::int64_t> parse_duration(std::string_view text, std::int64_t longest);

// Unix seconds of a day, a moment, or a duration before `now`. An error names the `option`.
Result<std::int64_t> parse_moment(const std::string& text, std::int64_t now, std::string_view option);

}  // namespace sesame::cli
