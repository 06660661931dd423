#include "inspect/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "util/text.h"

namespace sesame::inspect {

std::string entry(const std::string& name, const std::string& text, std::size_t indent) {
  std::string result = fmt::format("{:<{}}", "  " + name, indent);
  std::size_t column = indent;
  for (auto word : split(text, ' ')) {
    const bool first = column == indent;
    if (!first && column + 1 + word.size() > kWidth) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    // A name or value that no line can hold.
    for (; column + word.size() > kWidth && indent < kWidth; column = indent) {
      const auto room = kWidth - column;
      result.append(word.substr(0, room)) += '\n' + std::string(indent, ' ');
      word.remove_prefix(room);
    }
    result += word;
    column += word.size();
  }
  return result + '\n';
}

std::string without_trailing_blanks(std::string_view text) {
  std::string result;
  for (const auto line : split(text, '\n')) {
    const auto last = line.find_last_not_of(' ');
    result.append(line.substr(0, last == std::string_view::npos ? 0 : last + 1)) += '\n';
  }
  result.pop_back();
  return result;
}

std::string plural(std::size_t count, const std::string& word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string duration(std::int64_t seconds) {
  if (seconds < 7200) return plural(static_cast<std::size_t>(std::max<std::int64_t>(seconds, 0) / 60), "minute");
  if (seconds < 172800) return plural(static_cast<std::size_t>(seconds / 3600), "hour");
  return plural(static_cast<std::size_t>(seconds / 86400), "day");
}

std::string stale_text(const dns::Meter::Cost& cost) {
  if (cost.stale == 1) return "one answer is past its time to live, and no newer one came: " + cost.stale_name;
  return fmt::format("{} answers are past their time to live, and no newer ones came; the first: {}", cost.stale,
                     cost.stale_name);
}

}  // namespace sesame::inspect
