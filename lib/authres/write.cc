#include <algorithm>

#include "authres/authres.h"
#include "authres/syntax.h"
#include "mail/address.h"

namespace sesame::authres {
namespace {

constexpr std::size_t kLine = 77;       // RFC 5322 Section 2.1.1
constexpr std::size_t kMaxValue = 320;  // octets of one value, comment or reason: no address is longer
constexpr std::size_t kMaxKeyword = 60;
constexpr std::size_t kFieldName = sizeof "Authentication-Results: " - 1;  // stands before the first line

// Printable ASCII without quotes and backslashes, however hostile the text: RFC 8601 Section 2.2 could carry these in
// quoted pairs, but there are readers that know none and would take for a statement what a sender wrote behind a quote.
// Neither "?" nor the mark of a cut can be part of a domain: an address that is changed here never ends in another
// domain than it came with.
std::string clean(std::string_view text) {
  constexpr std::string_view kCut = "[cut]";
  std::string result(text.substr(0, kMaxValue));
  std::ranges::replace_if(
      result, [](char c) { return !is_printable(c) || c == '"' || c == '\\'; }, '?');
  if (text.size() > kMaxValue) result.replace(kMaxValue - kCut.size(), kCut.size(), kCut);
  return result;
}

// RFC 8601 Section 2.2: Keyword (RFC 5321 Section 4.1.2: Ldh-str), for methods, results, ptypes and properties.
std::string keyword(std::string_view text) {
  std::string result(text.substr(0, kMaxKeyword));
  std::ranges::replace_if(
      result, [](char c) { return !is_alnum(c); }, '-');
  while (result.ends_with('-')) result.pop_back();
  return result.empty() ? "unknown" : result;
}

// What people are to read keeps its looks.
std::string clean_prose(std::string_view text) {
  std::string result(text);
  std::ranges::replace(result, '"', '\'');
  std::ranges::replace(result, '\\', '/');
  return clean(result);
}

std::string quoted(const std::string& clean_text) {
  return '"' + clean_text + '"';
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

// RFC 8601 Section 2.2: [ [ local-part ] "@" ] domain-name needs no quotes; a domain-name (RFC 6376 Section 3.5) has
// two labels or more. Local parts outside the plain letters are quoted as a whole with their domain. Of the readers in
// use one then passes over the property; at a quoted local part alone, which the grammar has too, another gives up the
// field.
bool is_plain_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return false;
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  const auto in_word = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '+'; };
  for (const auto word : split(local, '.'))
    if (word.empty() ? !local.empty() : !std::ranges::all_of(word, in_word)) return false;
  const auto labels = split(domain, '.');
  for (const auto label : labels) {
    if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
    if (!std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; })) return false;
  }
  return labels.size() > 1;
}

std::string value(std::string_view text) {
  auto result = clean(text);
  return is_token(result) ? result : quoted(result);
}

std::string property_value(std::string_view text) {
  auto result = clean(text);
  return is_plain_address(result) ? result : value(result);
}

// Words with a space or a fold between them.
class Folder {
 public:
  void word(std::string_view text) {
    const bool first = text_.empty();
    if (!first && column_ + 1 + text.size() > kLine) {
      new_line();
    } else if (!first && !fresh_line_) {
      text_ += ' ';
      ++column_;
    }
    text_ += text;
    column_ += text.size();
    fresh_line_ = false;
  }
  void new_line() {
    if (fresh_line_) return;
    text_ += "\r\n\t";
    column_ = 1;
    fresh_line_ = true;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t column_ = kFieldName;
  bool fresh_line_ = false;
};

// The words of a comment, so that it folds where it has spaces; runs of spaces become one.
std::vector<std::string> comment_words(std::string_view comment) {
  std::vector<std::string> words;
  auto text = clean_prose(comment);
  std::ranges::replace(text, '(', '[');
  std::ranges::replace(text, ')', ']');
  for (const auto part : split(text, ' '))
    if (!part.empty()) words.emplace_back(part);
  if (words.empty()) return words;
  words.front().insert(0, "(");
  words.back() += ')';
  return words;
}

std::vector<std::string> statement_words(const Statement& statement) {
  auto method = keyword(statement.method);
  if (statement.version != 1) method += '/' + std::to_string(statement.version);
  std::vector<std::string> words = {method + '=' + keyword(statement.result)};
  for (auto& word : comment_words(statement.comment)) words.push_back(std::move(word));
  if (!statement.reason.empty()) words.push_back("reason=" + quoted(clean_prose(statement.reason)));
  for (const auto& property : statement.properties)
    words.push_back(keyword(property.type) + '.' + keyword(property.name) + '=' + property_value(property.value));
  return words;
}

// RFC 8601 Section 5: A-labels outside of internationalised messages, and they are understood within.
std::string authserv_id(const std::string& id) {
  return value(is_ascii(id) ? id : mail::to_ascii_domain(id).value_or(id));
}

}  // namespace

std::string write(const Header& header) {
  Folder folder;
  folder.word(authserv_id(header.authserv_id) + ';');
  if (header.statements.empty()) folder.word("none");
  for (std::size_t i = 0; i < header.statements.size(); ++i) {
    folder.new_line();
    auto words = statement_words(header.statements[i]);
    if (i + 1 < header.statements.size()) words.back() += ';';
    for (const auto& word : words) folder.word(word);
  }
  return folder.take();
}

}  // namespace sesame::authres
