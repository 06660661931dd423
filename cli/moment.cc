#include "moment.h"

#include <fmt/core.h>

#include <array>

#include "util/clock.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr std::int64_t kCentury = std::int64_t{36525} * 86400;

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text, std::int64_t longest) {
  constexpr std::string_view kUnits = "smhdw";
  constexpr std::array<std::int64_t, 5> kSeconds{1, 60, 3600, 86400, 7 * 86400};
  const auto unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  if (unit == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(longest / kSeconds[unit])) return std::nullopt;
  return static_cast<std::int64_t>(*number) * kSeconds[unit];
}

Result<std::int64_t> parse_moment(const std::string& text, std::int64_t now, std::string_view option) {
  if (const auto ago = parse_duration(text, kCentury)) return now - *ago;
  const auto time = parse_timestamp(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (time) return *time;
  return failure(fmt::format("{}: \"{}\" is no time; expected 30m, 12h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z", option,
                             printable(text)));
}

}  // namespace sesame::cli
