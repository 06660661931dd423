// RFC 8601 Section 5: fields from outside that claim to be ours. What counts is not what the grammar says they are but
// what some reader behind us could take them for, so each place where readers differ is read in all their ways.
#include <algorithm>
#include <optional>

#include "authres/authres.h"
#include "authres/syntax.h"
#include "mail/address.h"

namespace sesame::authres {
namespace {

using Ids = std::span<const std::string>;  // as normal() leaves them

constexpr std::string_view kFieldName = "Authentication-Results";
constexpr std::size_t kMaxId = 512;  // octets of an authserv-id that are looked at
constexpr int kMaxPieces = 4;        // parts that an authserv-id with U-labels may be torn into before it is ours
constexpr CommentSyntax kSyntaxes[] = {{true, true}, {false, true}, {true, false}, {false, false}};

bool is_id_char(char c) {
  return is_token_char(c) || is_8bit(c);
}

bool is_line_end(char c) {
  return c == '\r' || c == '\n';
}

bool is_blank(char c) {
  return (c >= 0 && c <= ' ') || c == 0x7f;
}

std::string_view without_dots_around(std::string_view id) {
  while (id.ends_with('.')) id.remove_suffix(1);
  while (id.starts_with('.')) id.remove_prefix(1);
  return id;
}

// Lower case, nothing but printable ASCII, no dots at the ends.
std::string plain(std::string_view id) {
  auto result = lower(id);
  std::erase_if(result, [](char c) { return is_blank(c) || is_8bit(c); });
  return std::string(without_dots_around(result));
}

// The one form of an id, however it is written: U-labels as A-labels.
std::string normal(std::string_view id) {
  return plain(mail::to_ascii_domain(without_dots_around(trim(id))).value_or(std::string(id)));
}

bool is_one_of(std::string_view text, Ids ids) {
  const auto is_known = [ids](const std::string& id) { return !id.empty() && std::ranges::find(ids, id) != ids.end(); };
  // Some readers drop what is not ASCII.
  if (is_known(plain(text))) return true;
  if (is_ascii(text)) return false;
  // Nobody can tell what a reader makes of 8-bit octets that are no domain name; Unicode white space is among them.
  const auto ascii = mail::to_ascii_domain(without_dots_around(text));
  return !ascii || is_known(plain(*ascii));
}

// Skips comments, white space and whatever else cannot begin an authserv-id. Nothing when a comment does not close.
std::optional<std::size_t> skip_junk(std::string_view text, CommentSyntax syntax) {
  std::size_t at = 0;
  while (at < text.size() && (!is_id_char(text[at]) || text[at] == '.') && text[at] != '"') {
    at = text[at] == '(' ? comment_end(text, at, syntax) : at + 1;
    if (at == std::string_view::npos) return std::nullopt;
  }
  return at;
}

// Is this where an authserv-id ends for readers that take it for a dot-atom or a host name, though it is part of a
// token?
bool ends_for_some(std::string_view text, std::size_t at) {
  if (text[at] == '.') return at > 0 && text[at - 1] == '.';
  return !is_alnum(text[at]) && text[at] != '-' && text[at] != '_';
}

// Readers end an authserv-id at different places, and take white space, comments, quotes and backslashes inside it away
// or not: after each of its parts, is what came so far one of ours?
bool begins_with_one_of(std::string_view text, Ids ids, CommentSyntax syntax) {
  std::string id;
  bool in_quotes = false;
  int pieces = 0;
  for (std::size_t at = 0; at < text.size() && id.size() < kMaxId; ++at) {
    const char c = text[at];
    if (is_id_char(c)) {
      if (ends_for_some(text, at) && is_ascii(id) && is_one_of(id, ids)) return true;
      id += c;
      continue;
    }
    const bool part_ended = at > 0 && is_id_char(text[at - 1]);
    if (part_ended && is_one_of(id, ids)) return true;
    if (part_ended && !is_ascii(id) && ++pieces > kMaxPieces) return true;
    if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == '(' && !in_quotes) {
      const auto end = comment_end(text, at, syntax);
      if (end == std::string_view::npos) return false;
      at = end - 1;
    } else if (!is_blank(c) && c != '\\') {
      if (!in_quotes) return false;
      id += c;
    }
  }
  // With U-labels it may be shorter than it looks.
  return (id.size() >= kMaxId && !is_ascii(id)) || is_one_of(id, ids);
}

// For a field whose beginning cannot be told from a comment: any of its words may be read as the authserv-id. To bring
// each word of a long one from U-labels to A-labels is more work than such a field is worth; with any, it is ours.
bool any_word_is_one_of(std::string_view text, Ids ids) {
  if (std::ranges::any_of(text, is_8bit)) return true;
  while (!text.empty()) {
    const auto length = static_cast<std::size_t>(std::ranges::find_if_not(text, is_id_char) - text.begin());
    if (length > 0 && length <= kMaxId && is_one_of(text.substr(0, length), ids)) return true;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return false;
}

// RFC 2047 Section 5 has no encoded-word where the authserv-id stands, but readers that decode before they parse would
// find there whatever it holds.
bool has_encoded_id(std::string_view junk, std::string_view text) {
  constexpr std::string_view kOpening = "=?";
  const auto first = static_cast<std::size_t>(std::ranges::find_if_not(text, is_id_char) - text.begin());
  return junk.ends_with(kOpening) || text.substr(first).starts_with(kOpening) ||
         (text.starts_with('"') && text.substr(1).starts_with(kOpening));
}

// What follows "Authentication-Results:".
std::optional<std::string_view> behind_field_name(std::string_view text) {
  if (!istarts_with(text, kFieldName)) return std::nullopt;
  const auto colon = text.find_first_not_of(" \t\r\n", kFieldName.size());
  if (colon == std::string_view::npos || text[colon] != ':') return std::nullopt;
  return text.substr(colon + 1);
}

bool claims_any(std::string_view text, Ids ids, CommentSyntax syntax) {
  for (;;) {
    const auto begin = skip_junk(text, syntax);
    if (!begin) return any_word_is_one_of(text, ids);
    const auto junk = text.substr(0, *begin);
    text.remove_prefix(*begin);
    if (has_encoded_id(junk, text) || begins_with_one_of(text, ids, syntax)) return true;
    // Some readers are made for whole fields, and look for the name in the value too.
    const auto rest = behind_field_name(text);
    if (!rest) return false;
    text = *rest;
  }
}

bool claims_any(std::string_view text, Ids ids) {
  if (text.find('(') == std::string_view::npos) return claims_any(text, ids, CommentSyntax{});
  return std::ranges::any_of(kSyntaxes, [text, ids](CommentSyntax syntax) { return claims_any(text, ids, syntax); });
}

// Some readers end a line at a bare CR or LF, and so find fields inside of fields.
bool hidden_line_claims_any(std::string_view text, Ids ids) {
  std::size_t begin = 0;  // of the line
  for (std::size_t at = 1; at <= text.size(); ++at) {
    const bool line_ended = at == text.size() || (is_line_end(text[at - 1]) && !is_space(text[at]));
    if (!line_ended) continue;
    const auto value = behind_field_name(text.substr(begin, at - begin));
    if (begin > 0 && value && claims_any(*value, ids)) return true;
    begin = at;
  }
  return false;
}

std::vector<std::string> normal_all(std::span<const std::string> ids) {
  std::vector<std::string> result;
  for (const auto& id : ids)
    if (auto one = normal(id); !one.empty()) result.push_back(std::move(one));
  return result;
}

}  // namespace

bool claims(const mail::Field& field, std::span<const std::string> ids) {
  const auto own = normal_all(ids);
  if (own.empty()) return false;
  return claims_any(field.value, own) || hidden_line_claims_any(field.value, own);
}

}  // namespace sesame::authres
