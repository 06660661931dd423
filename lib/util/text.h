// ASCII text: the mail standards compare, fold and trim in ASCII whatever the locale says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

constexpr bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}
// What folding adds to that: CR and LF.
constexpr bool is_space(char c) {
  return is_wsp(c) || c == '\r' || c == '\n';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// RFC 2045 Section 5.1: token.
constexpr bool is_token_char(char c) {
  return c > ' ' && c <= '~' && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

bool is_ascii(std::string_view text);
std::string lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);
bool iends_with(std::string_view text, std::string_view suffix);

// Without space, tab, CR and LF at both ends.
std::string_view trim(std::string_view text);
// The parts between separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// All digits, no sign, no overflow; nothing otherwise.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Fit for one line of a log or of a reply: control bytes and bytes over 0x7e become "\xNN", and what is over `limit`
// octets is cut and marked "...". Whatever comes from a message or from DNS passes through here before a person sees
// it.
std::string printable(std::string_view text, std::size_t limit = 256);

}  // namespace sesame
