// RFC 8601 Section 5: fields from outside that claim to be ours.
#include <algorithm>
#include <optional>

#include "authres/authres.h"
#include "authres/syntax.h"
#include "mail/address.h"

namespace sesame::authres {
namespace {

constexpr std::size_t kMaxId = 2048;  // octets of an authserv-id that are looked at

bool is_id_char(char c) {
  return is_token_char(c) || is_8bit(c);
}

// Lower case, A-labels, no dots at the ends, so that all ways to write an id are one.
std::string normal(std::string_view id) {
  id = trim(id);
  while (id.ends_with('.')) id.remove_suffix(1);
  while (id.starts_with('.')) id.remove_prefix(1);
  return mail::to_ascii_domain(id).value_or(lower(id));
}

bool is_one_of(std::string_view text, std::span<const std::string> ids) {
  const auto candidate = normal(text);
  return !candidate.empty() && std::ranges::find(ids, candidate) != ids.end();
}

// Skips comments, white space and whatever else cannot begin an authserv-id. Nothing when a comment does not close.
std::optional<std::size_t> skip_junk(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && !is_id_char(text[at]) && text[at] != '"') {
    at = text[at] == '(' ? comment_end(text, at) : at + 1;
    if (at == std::string_view::npos) return std::nullopt;
  }
  return at;
}

// The text of a quoted string, as far as it goes.
std::string unquoted(std::string_view text) {
  std::string result;
  for (std::size_t i = 1; i < text.size() && text[i] != '"' && result.size() < kMaxId; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    result += text[i];
  }
  return result;
}

// What is left of the first word when quotes, backslashes and comments inside it are taken away, as a careless reader
// would do.
std::string first_word(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size() && result.size() < kMaxId; ++i) {
    if (text[i] == '(') {
      const auto end = comment_end(text, i);
      if (end == std::string_view::npos) break;
      i = end - 1;
    } else if (is_id_char(text[i])) {
      result += text[i];
    } else if (text[i] != '"' && text[i] != '\\') {
      break;
    }
  }
  return result;
}

std::string_view first_token(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_id_char);
  return text.substr(0, std::min(kMaxId, static_cast<std::size_t>(end - text.begin())));
}

// For a field whose beginning cannot be told from a comment: any of its words may be read as the authserv-id. To bring
// each word of a long one from U-labels to A-labels is more work than such a field is worth; with any, it is ours.
bool any_word_is_one_of(std::string_view text, std::span<const std::string> ids) {
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
  return junk.ends_with(kOpening) || text.substr(first_token(text).size()).starts_with(kOpening) ||
         (text.starts_with('"') && text.substr(1).starts_with(kOpening));
}

bool claims_any(std::string_view value, std::span<const std::string> normal_ids) {
  if (normal_ids.empty()) return false;
  const auto begin = skip_junk(value);
  if (!begin) return any_word_is_one_of(value, normal_ids);
  const auto text = value.substr(*begin);
  if (has_encoded_id(value.substr(0, *begin), text)) return true;
  return is_one_of(first_token(text), normal_ids) || is_one_of(first_word(text), normal_ids) ||
         (text.starts_with('"') && is_one_of(unquoted(text), normal_ids));
}

std::vector<std::string> normal_all(std::span<const std::string> ids) {
  std::vector<std::string> result;
  for (const auto& id : ids) result.push_back(normal(id));
  return result;
}

}  // namespace

bool claims(const mail::Field& field, std::span<const std::string> ids) {
  return claims_any(field.value, normal_all(ids));
}

}  // namespace sesame::authres
