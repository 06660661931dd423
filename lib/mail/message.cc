#include "mail/message.h"

#include <algorithm>
#include <optional>

namespace sesame::mail {
namespace {

// How the lines of a file end.
struct Style {
  explicit Style(std::string_view text)
      : crlf(text.find("\r\n") != std::string_view::npos), lf(text.find('\n') != std::string_view::npos) {}
  bool crlf, lf;  // there is one at least
};

// Reads the rest of the text as a body.
void take_body(std::string_view text, const Style& style, Message& message) {
  auto& body = message.body;
  body.reserve(text.size() + text.size() / 16 + 2);
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    body += text.substr(0, end);
    text.remove_prefix(end);
    if (text.empty()) break;
    const bool whole = text.starts_with("\r\n");
    const bool bare_cr = !whole && text.front() == '\r';
    if (bare_cr && style.lf) ++message.bare_ends.cr;
    if (text.front() == '\n' && style.crlf) ++message.bare_ends.lf;
    body += bare_cr && style.lf ? "\r" : "\r\n";
    text.remove_prefix(whole ? 2 : 1);
  }
  if (!body.empty() && !body.ends_with("\r\n")) body += "\r\n";
}

// Cuts the first line off; what ends it is dropped.
std::string_view take_line(std::string_view& text, const Style& style) {
  const auto end = std::min(text.find(style.lf ? '\n' : '\r'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (style.lf && line.ends_with('\r')) line.remove_suffix(1);
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
  const Style style(text);
  auto rest = text;
  if (rest.starts_with("From ")) {
    auto after = rest;
    const auto line = take_line(after, style);
    if (!field_name(line)) rest = after;
  }
  std::string_view name;
  std::string value;
  const auto add = [&] {
    if (!name.empty()) message.fields.push_back({name, value});
  };
  while (!rest.empty()) {
    auto after = rest;
    const auto line = take_line(after, style);
    if (line.empty()) {
      rest = after;
      break;
    }
    if (is_wsp(line.front()) && !name.empty()) {
      value.append("\r\n").append(line);
    } else if (const auto next = field_name(line)) {
      add();
      name = *next;
      value = line.substr(name.size() + 1);
    } else {
      break;
    }
    rest = after;
  }
  add();
  take_body(rest, style, message);
  return message;
}

}  // namespace sesame::mail
