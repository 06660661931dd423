#include <fmt/format.h>

#include <limits>
#include <variant>

#include "authres/authres.h"
#include "authres/syntax.h"

namespace sesame::authres {
namespace {

constexpr std::size_t kMaxStatements = 1000;
constexpr std::size_t kMaxProperties = 1000;  // of one statement
constexpr std::size_t kShown = 40;            // octets of the text quoted in an error

// RFC 8601 Section 2.2: Keyword, and "_", which mail in use has in it.
bool is_keyword_char(char c) {
  return is_alnum(c) || c == '-' || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Header> header();

 private:
  using Status = Result<std::monostate>;

  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool at_char(char c) const { return !done() && text_[at_] == c; }
  bool take(char c);
  tl::unexpected<Error> wrong(std::string_view what) const;

  Status skip_space();
  std::string_view run(bool (*accept)(char));
  Result<std::string> quoted_string();
  Result<std::string> authserv_id();
  Result<std::string> value();
  Status version();
  std::string keyword() { return lower(run(is_keyword_char)); }
  Status method(Statement& statement);
  Result<Statement> statement();
  Status detail(Statement& statement);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string comment_;  // the first comment of the last skip_space()
};

bool Parser::take(char c) {
  if (!at_char(c)) return false;
  ++at_;
  return true;
}

tl::unexpected<Error> Parser::wrong(std::string_view what) const {
  if (done()) return failure(fmt::format("{} expected at the end", what));
  return failure(fmt::format("{} expected at \"{}\"", what, printable(text_.substr(at_), kShown)));
}

// The text of a comment between its parentheses: escapes undone, folds one space.
std::string comment_text(std::string_view raw) {
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (is_space(raw[i])) {
      if (!text.ends_with(' ')) text += ' ';
      continue;
    }
    if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
    text += raw[i];
  }
  return std::string(trim(text));
}

// CFWS. Line ends count as white space wherever they stand: a field has none but folds.
Parser::Status Parser::skip_space() {
  comment_.clear();
  for (;;) {
    while (is_space(peek())) ++at_;
    if (!at_char('(')) return {};
    const auto end = comment_end(text_, at_);
    if (end == std::string_view::npos) return wrong("end of the comment");
    if (comment_.empty()) comment_ = comment_text(text_.substr(at_ + 1, end - at_ - 2));
    at_ = end;
  }
}

std::string_view Parser::run(bool (*accept)(char)) {
  const auto begin = at_;
  while (!done() && accept(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

Result<std::string> Parser::quoted_string() {
  std::string text;
  for (++at_; !done(); ++at_) {
    if (take('"')) return text;
    if (at_char('\\') && ++at_ == text_.size()) break;
    const char c = text_[at_];
    // RFC 5322 Section 2.2.3: unfolding removes the line end alone.
    if (c == '\r' || c == '\n') continue;
    if (!is_printable(c) && !is_8bit(c) && c != '\t') return wrong("printable text");
    text += c;
  }
  return wrong("end of the quoted string");
}

Result<std::string> Parser::authserv_id() {
  if (at_char('"')) return quoted_string();
  const auto text = run([](char c) { return is_token_char(c) || is_8bit(c); });
  if (text.empty()) return wrong("authserv-id");
  return std::string(text);
}

// pvalue and value. More is taken than the grammar has, since addresses and base64 are often written without quotes.
Result<std::string> Parser::value() {
  std::string text;
  if (at_char('"')) {
    auto quoted = quoted_string();
    if (!quoted || !at_char('@')) return quoted;
    text = *std::move(quoted);
  }
  text += run([](char c) { return (is_printable(c) || is_8bit(c)) && c != ' ' && c != ';' && c != '(' && c != '"'; });
  return text;
}

Parser::Status Parser::version() {
  const auto digits = run(is_digit);
  if (!digits.empty() && digits != "1") return failure("version " + printable(digits, kShown) + " is not known");
  return skip_space();
}

// method, with its version, and the "=" behind it
Parser::Status Parser::method(Statement& statement) {
  constexpr std::uint64_t kMost = std::numeric_limits<decltype(statement.version)>::max();
  statement.method = keyword();
  if (statement.method.empty()) return wrong("method");
  if (auto status = skip_space(); !status) return status;
  if (take('/')) {
    if (auto status = skip_space(); !status) return status;
    const auto digits = run(is_digit);
    if (digits.empty()) return wrong("method version");
    // One too great to be held is as unknown as the greatest that can be.
    statement.version = static_cast<std::uint32_t>(std::min(parse_number(digits).value_or(kMost), kMost));
    if (auto status = skip_space(); !status) return status;
  }
  if (!take('=')) return wrong("\"=\"");
  return skip_space();
}

// reasonspec or propspec; they differ in what follows the first word.
Parser::Status Parser::detail(Statement& statement) {
  Property property;
  property.type = keyword();
  if (property.type.empty()) return wrong("property");
  if (auto status = skip_space(); !status) return status;
  const bool is_reason = property.type == "reason" && take('=');
  if (!is_reason) {
    if (!take('.')) return wrong("\".\"");
    if (auto status = skip_space(); !status) return status;
    property.name = keyword();
    if (property.name.empty()) return wrong("property name");
    if (auto status = skip_space(); !status) return status;
    if (!take('=')) return wrong("\"=\"");
  }
  if (auto status = skip_space(); !status) return status;
  auto text = value();
  if (!text) return tl::unexpected(text.error());
  if (is_reason) {
    statement.reason = *std::move(text);
    return {};
  }
  if (statement.properties.size() == kMaxProperties) return failure("too many properties");
  property.value = *std::move(text);
  statement.properties.push_back(std::move(property));
  return {};
}

Result<Statement> Parser::statement() {
  Statement result;
  if (auto status = method(result); !status) return tl::unexpected(status.error());
  result.result = keyword();
  if (result.result.empty()) return wrong("result");
  if (auto status = skip_space(); !status) return tl::unexpected(status.error());
  result.comment = comment_;
  while (!done() && !at_char(';')) {
    if (auto status = detail(result); !status) return tl::unexpected(status.error());
    if (auto status = skip_space(); !status) return tl::unexpected(status.error());
  }
  return result;
}

Result<Header> Parser::header() {
  Header header;
  if (auto status = skip_space(); !status) return tl::unexpected(status.error());
  auto id = authserv_id();
  if (!id) return tl::unexpected(id.error());
  header.authserv_id = *std::move(id);
  if (auto status = skip_space(); !status) return tl::unexpected(status.error());
  if (auto status = version(); !status) return tl::unexpected(status.error());
  if (!at_char(';')) return wrong("\";\"");
  while (take(';')) {
    if (auto status = skip_space(); !status) return tl::unexpected(status.error());
    if (done() || at_char(';')) continue;  // an empty member, or a ";" at the end
    const auto before = at_;
    if (keyword() == "none" && header.statements.empty()) {
      if (auto status = skip_space(); !status) return tl::unexpected(status.error());
      if (done()) return header;
    }
    at_ = before;
    if (header.statements.size() == kMaxStatements) return failure("too many results");
    auto next = statement();
    if (!next) return tl::unexpected(next.error());
    header.statements.push_back(*std::move(next));
  }
  return header;
}

}  // namespace

Result<Header> parse(std::string_view value) {
  return Parser(value).header();
}

}  // namespace sesame::authres
