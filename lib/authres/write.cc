#include <algorithm>
#include <array>
#include <utility>

#include "authres/authres.h"
#include "authres/syntax.h"
#include "mail/address.h"

namespace sesame::authres {
namespace {

constexpr std::size_t kLine = 77;       // RFC 5322 Section 2.1.1
constexpr std::size_t kMaxValue = 320;  // octets of one value, comment or reason: no address is longer
constexpr std::size_t kMaxKeyword = 60;
constexpr std::size_t kUsual = 512;                                        // octets of a field, as a rule
constexpr std::size_t kFieldName = sizeof "Authentication-Results: " - 1;  // stands before the first line

// Printable ASCII without quotes and backslashes, however hostile the text: RFC 8601 Section 2.2 could carry these in
// quoted pairs, but there are readers that know none and would take for a statement what a sender wrote behind a quote.
// Neither "?" nor the mark of a cut can be part of a domain: an address that is changed here never ends in another
// domain than it came with.
char clean(char c) {
  return is_printable(c) && c != '"' && c != '\\' ? c : '?';
}

// What people are to read keeps its looks.
char clean_prose(char c) {
  return c == '"' ? '\'' : c == '\\' ? '/' : clean(c);
}

char clean_comment(char c) {
  return c == '(' ? '[' : c == ')' ? ']' : clean_prose(c);
}

void add_clean(std::string& to, std::string_view text, char (*clean_one)(char)) {
  constexpr std::string_view kCut = "[cut]";
  const bool cut = text.size() > kMaxValue;
  for (const char c : text.substr(0, cut ? kMaxValue - kCut.size() : text.size())) to += clean_one(c);
  if (cut) to += kCut;
}

bool is_token(std::string_view text) {
  static constexpr auto kIs = [] {
    std::array<bool, 256> is{};
    for (std::size_t i = 0; i < is.size(); ++i) is[i] = is_token_char(static_cast<char>(i));
    return is;
  }();
  return !text.empty() && std::ranges::all_of(text, [](char c) { return kIs[static_cast<unsigned char>(c)]; });
}

// Between dots; an empty text has one empty part.
template <class Test>
bool all_parts(std::string_view text, Test test) {
  for (;;) {
    const auto end = std::min(text.find('.'), text.size());
    if (!test(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

// RFC 8601 Section 2.2: [ [ local-part ] "@" ] domain-name needs no quotes; a domain-name (RFC 6376 Section 3.5) has
// two labels or more. Local parts outside the plain letters are quoted as a whole with their domain. Of the readers in
// use one then passes over the property; at a quoted local part alone, which the grammar has too, another gives up the
// field.
bool is_plain_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return false;
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  const auto is_word = [](std::string_view word) {
    return !word.empty() &&
           std::ranges::all_of(word, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '+'; });
  };
  const auto is_label = [](std::string_view label) {
    return !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
           std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
  };
  return (local.empty() || all_parts(local, is_word)) && all_parts(domain, is_label) &&
         domain.find('.') != std::string_view::npos;
}

bool is_token_or_address(std::string_view text) {
  return is_token(text) || is_plain_address(text);
}

}  // namespace

// RFC 8601 Section 5: A-labels outside of internationalised messages, and they are understood within.
Writer::Writer(std::string_view authserv_id) : column_(kFieldName) {
  text_.reserve(kUsual);
  add_value(is_ascii(authserv_id) ? std::string(authserv_id)
                                  : mail::to_ascii_domain(authserv_id).value_or(std::string(authserv_id)),
            is_token);
  word_ += ';';
}

void Writer::statement(const Beginning& beginning) {
  if (any_statement_) word_ += ';';
  any_statement_ = true;
  end_word();
  new_line();
  add_keyword(beginning.method);
  if (beginning.version != 1) word_ += '/' + std::to_string(beginning.version);
  word_ += '=';
  add_keyword(beginning.result);
  add_comment(beginning.comment);
  if (beginning.reason.empty()) return;
  end_word();
  word_ += "reason=\"";
  add_clean(word_, beginning.reason, clean_prose);
  word_ += '"';
}

void Writer::property(std::string_view type, std::string_view name, std::string_view value) {
  end_word();
  add_keyword(type);
  word_ += '.';
  add_keyword(name);
  word_ += '=';
  add_value(value, is_token_or_address);
}

std::string Writer::take() {
  if (!any_statement_) {
    end_word();
    word_ += "none";
  }
  end_word();
  return std::move(text_);
}

// With a space or a fold before it.
void Writer::end_word() {
  if (word_.empty()) return;
  if (!text_.empty() && !fresh_line_) {
    if (column_ + 1 + word_.size() > kLine) {
      new_line();
    } else {
      text_ += ' ';
      ++column_;
    }
  }
  text_ += word_;
  column_ += word_.size();
  fresh_line_ = false;
  word_.clear();
}

void Writer::new_line() {
  text_ += "\r\n\t";
  column_ = 1;
  fresh_line_ = true;
}

// RFC 8601 Section 2.2: Keyword (RFC 5321 Section 4.1.2: Ldh-str), for methods, results, ptypes and properties.
void Writer::add_keyword(std::string_view text) {
  const auto begin = word_.size();
  for (const char c : text.substr(0, kMaxKeyword)) word_ += is_alnum(c) ? c : '-';
  while (word_.size() > begin && word_.ends_with('-')) word_.pop_back();
  if (word_.size() == begin) word_ += "unknown";
}

void Writer::add_value(std::string_view text, bool (*may_be_bare)(std::string_view)) {
  const auto begin = word_.size();
  add_clean(word_, text, clean);
  if (may_be_bare(std::string_view(word_).substr(begin))) return;
  word_.insert(begin, 1, '"');
  word_ += '"';
}

// Folds where it has spaces; runs of spaces become one.
void Writer::add_comment(std::string_view text) {
  std::string clean_text;
  add_clean(clean_text, text, clean_comment);
  bool open = false;
  for (std::string_view rest = clean_text; !rest.empty();) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (end > 0) {
      end_word();
      if (!std::exchange(open, true)) word_ += '(';
      word_ += rest.substr(0, end);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (open) word_ += ')';
}

std::string write(const Header& header) {
  Writer writer(header.authserv_id);
  for (const auto& statement : header.statements) {
    writer.statement({statement.method, statement.result, statement.reason, statement.comment, statement.version});
    for (const auto& [type, name, value] : statement.properties) writer.property(type, name, value);
  }
  return writer.take();
}

}  // namespace sesame::authres
