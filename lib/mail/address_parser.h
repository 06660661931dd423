// Address lists read in one pass, RFC 5322 Section 3.4 with Section 4.4.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mail/address.h"
#include "util/result.h"

namespace sesame::mail {

inline constexpr std::size_t kMaxMailboxes = 100;  // more than any person writes in From
inline constexpr int kMaxCommentDepth = 100;

class AddressParser {
 public:
  // `text` is unfolded and free of control octets other than tab; it must outlive the parser.
  explicit AddressParser(std::string_view text) : text_(text) {}

  Result<std::vector<Mailbox>> address_list();

 private:
  // What was read before the character that says what it is: a local part, a display name, a group name.
  struct Words {
    std::string local;  // the words and dots, quotes removed; meaningful when `is_local`
    bool any = false;
    bool is_local = true;   // word *("." word)
    bool is_phrase = true;  // does not begin with a dot
    bool after_dot = false;
  };
  using Status = Result<std::monostate>;

  bool done() const { return at_ == text_.size(); }
  // The next character, NUL at the end; the text has no NUL of its own.
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c);
  tl::unexpected<Error> wrong(std::string_view what) const;

  Status skip_space();
  Status comment();
  Status closes_no_encoded_word(std::size_t begin) const;
  Status address(std::vector<Mailbox>& mailboxes);
  Status group(std::vector<Mailbox>& mailboxes);
  Status list(std::vector<Mailbox>& mailboxes, char end);
  Status mailbox(const Words& words, std::vector<Mailbox>& mailboxes);
  Status angle_address(std::vector<Mailbox>& mailboxes);
  Status route();
  Status address_spec(const Words& words, std::vector<Mailbox>& mailboxes);
  Result<Words> words();
  std::string_view atom();
  Result<std::string> quoted_string();
  Result<std::string> domain();

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_group_ = false;
  bool encoded_word_ = false;  // "=?" has stood outside of quotes and comments
};

}  // namespace sesame::mail
