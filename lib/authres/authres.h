// The Authentication-Results header field: RFC 8601.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/field.h"
#include "util/result.h"

namespace sesame::authres {

// "ptype.property=value"
struct Property {
  std::string type;   // "smtp", "header", "body", "policy"
  std::string name;   // "mailfrom", "d", ...
  std::string value;  // unquoted
};

// "method=result reason=... property..."
struct Statement {
  std::string method;
  std::string result;
  std::string reason;   // "" if none
  std::string comment;  // written in parentheses behind the result; "" if none
  std::vector<Property> properties;
  std::uint32_t version = 1;  // of the method; a reader that does not know it leaves the statement alone
};

struct Header {
  std::string authserv_id;
  std::vector<Statement> statements;  // empty is written "; none"
};

// The value of the field after the colon, without a leading space: folded with CRLF and one tab so that lines stay
// under 78 octets where a fold is possible and always under 998; values quoted where RFC 8601 demands it, and never
// folded. Whatever the values hold, nothing but printable ASCII and folds comes out, and no quoted pair, which not
// every reader knows: control and 8-bit octets, quotes and backslashes are written "?" (in reasons and comments quotes
// become single ones, and what would end a comment a square bracket). What is cut ends in "[cut]". Neither reads as
// another domain.
std::string write(const Header& header);

// The same written as it comes, without a Header: the id, then each statement, then its properties.
class Writer {
 public:
  explicit Writer(std::string_view authserv_id);

  // As in Statement, whose properties follow.
  struct Beginning {
    std::string_view method;
    std::string_view result;
    std::string_view reason = {};
    std::string_view comment = {};
    std::uint32_t version = 1;
  };
  void statement(const Beginning& beginning);
  void property(std::string_view type, std::string_view name, std::string_view value);
  // The value of the field. Once.
  std::string take();

 private:
  // What is written next is another word.
  void end_word();
  void new_line();
  void add_keyword(std::string_view text);
  void add_value(std::string_view text, bool (*may_be_bare)(std::string_view));
  void add_comment(std::string_view text);

  std::string text_;    // complete words
  std::string word_;    // the one that is being written: what follows may add to it
  std::size_t column_;  // in `text_`
  bool fresh_line_ = false;
  bool any_statement_ = false;
};

// Accepts comments and folding wherever RFC 8601 Section 2.2 does, and methods, ptypes and results it does not know.
// Methods, results, ptypes and properties are given in lower case. Reads what follows "i=N;" in an
// ARC-Authentication-Results field (RFC 8617 Section 4.1.1) just as well.
Result<Header> parse(std::string_view value);

// Does this field, an Authentication-Results, claim to be ours? True when its authserv-id is one of `ids` however it is
// dressed (case, comments, quotes, white space, a trailing dot, a version, U-labels), and also when the field cannot be
// parsed but one of the ids stands where some reader could find the authserv-id. RFC 8601 Section 5.
bool claims(const mail::Field& field, std::span<const std::string> ids);

}  // namespace sesame::authres
