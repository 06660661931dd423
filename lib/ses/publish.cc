#include "ses/publish.h"

#include <fmt/format.h>

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

std::string strings(std::string_view text) {
  std::string result = quoted(text.substr(0, kMaxString));
  for (std::size_t at = kMaxString; at < text.size(); at += kMaxString)
    result += ' ' + quoted(text.substr(at, kMaxString));
  return result;
}

}  // namespace

std::string zone_value(dns::Type type, std::string_view value) {
  return type == dns::Type::txt ? strings(value) : std::string(value) + '.';
}

std::string zone_line(const Publishable& record) {
  return fmt::format("{}. {} {}", record.name, dns::to_string(record.type), zone_value(record.type, record.value));
}

}  // namespace sesame::ses
