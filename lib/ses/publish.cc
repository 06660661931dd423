#include "ses/publish.h"

#include <fmt/format.h>

#include <algorithm>

namespace sesame::ses {
namespace {

constexpr std::size_t kMaxString = 255;  // RFC 1035 Section 3.3.14

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

// RFC 1035 Section 5.1: what a quoted string cannot hold as it is.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text)
    if (is_plain(c)) {
      result += c;
    } else if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else {
      result += fmt::format("\\{:03}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  return result + '"';
}

std::string strings(std::string_view text, std::size_t longest, std::string_view between) {
  std::string result = quoted(text.substr(0, longest));
  for (std::size_t at = longest; at < text.size(); at += longest)
    result.append(between) += quoted(text.substr(at, longest));
  return result;
}

}  // namespace

std::string zone_value(dns::Type type, std::string_view value) {
  return type == dns::Type::txt ? strings(value, kMaxString, " ") : std::string(value) + '.';
}

std::string zone_line(const Publishable& record) {
  return fmt::format("{}. {} {}", record.name, dns::to_string(record.type), zone_value(record.type, record.value));
}

std::string zone_text(const Publishable& record, std::size_t width) {
  constexpr std::string_view kIndent = "\n    ";
  constexpr std::size_t kAround = 8;  // the indent, two quotes, and " )"
  auto line = zone_line(record);
  if (line.size() <= width || width <= kAround) return line;
  const auto value = record.type == dns::Type::txt
                         ? strings(record.value, std::min(kMaxString, width - kAround), kIndent)
                         : zone_value(record.type, record.value);
  return fmt::format("{}. {} ({}{} )", record.name, dns::to_string(record.type), kIndent, value);
}

}  // namespace sesame::ses
