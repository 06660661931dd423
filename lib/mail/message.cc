#include "mail/message.h"

#include <algorithm>
#include <optional>

namespace sesame::mail {
namespace {

std::string with_crlf(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      result += text[i];
      continue;
    }
    if (text.substr(i).starts_with("\r\n")) ++i;
    result += "\r\n";
  }
  if (!result.empty() && !result.ends_with("\r\n")) result += "\r\n";
  return result;
}

// Cuts the first line off; its CRLF is dropped.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find("\r\n"), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 2, text.size()));
  return line;
}

// The octets before the colon of a field: ftext, then perhaps white space (RFC 5322 Section 4.5).
std::optional<std::string_view> field_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto name = line.substr(0, colon);
  const auto end = name.find_last_not_of(" \t");
  if (end == std::string_view::npos) return std::nullopt;
  return std::ranges::all_of(name.substr(0, end + 1), is_ftext) ? std::optional(name) : std::nullopt;
}

}  // namespace

Message read_message(std::string_view text) {
  Message message;
  const auto normal = with_crlf(text);
  std::string_view rest = normal;
  if (rest.starts_with("From ")) {
    auto after = rest;
    const auto line = take_line(after);
    if (!field_name(line)) rest = after;
  }
  while (!rest.empty()) {
    auto after = rest;
    const auto line = take_line(after);
    if (line.empty()) {
      rest = after;
      break;
    }
    if (is_wsp(line.front()) && !message.fields.empty()) {
      message.fields.back().value.append("\r\n").append(line);
    } else if (const auto name = field_name(line)) {
      message.fields.push_back({std::string(*name), std::string(line.substr(name->size() + 1))});
    } else {
      break;
    }
    rest = after;
  }
  message.body = rest;
  return message;
}

}  // namespace sesame::mail
