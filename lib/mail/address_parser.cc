#include "mail/address_parser.h"

#include <fmt/format.h>

#include "util/text.h"

namespace sesame::mail {
namespace {

constexpr std::size_t kShown = 40;  // octets of the text quoted in an error

// RFC 5322 Section 3.2.3; octets over 127 are UTF-8 of RFC 6532 Section 3.2.
bool is_atext(char c) {
  constexpr std::string_view kOther = "!#$%&'*+-/=?^_`{|}~";
  return is_alnum(c) || static_cast<unsigned char>(c) >= 0x80 || kOther.find(c) != std::string_view::npos;
}

// RFC 2047 Section 5: an encoded-word must not appear in an addr-spec. Readers that decode it there would see another
// address than the one judged.
bool has_encoded_word(std::string_view text) {
  const auto begin = text.find("=?");
  return begin != std::string_view::npos && text.find("?=", begin + 2) != std::string_view::npos;
}

}  // namespace

bool AddressParser::take(char c) {
  if (done() || text_[at_] != c) return false;
  ++at_;
  return true;
}

tl::unexpected<Error> AddressParser::wrong(std::string_view what) const {
  if (done()) return failure(fmt::format("{} at the end", what));
  return failure(fmt::format("{} at \"{}\"", what, printable(text_.substr(at_), kShown)));
}

// RFC 5322 Section 3.2.2: CFWS.
AddressParser::Status AddressParser::skip_space() {
  for (;;) {
    while (is_wsp(peek())) ++at_;
    if (peek() != '(') return {};
    if (auto status = comment(); !status) return status;
  }
}

// Readers who look for encoded-words first see one end inside of quotes or a comment, and an address behind it:
// =?utf-8?Q?x"?= <admin@legit.example>" <any@evil.example>
AddressParser::Status AddressParser::closes_no_encoded_word(std::size_t begin) const {
  if (!encoded_word_ || text_.substr(begin, at_ - begin).find("?=") == std::string_view::npos) return {};
  return wrong("encoded-word ends in quotes or a comment,");
}

AddressParser::Status AddressParser::comment() {
  const auto begin = at_;
  for (int depth = 0; !done(); ++at_) {
    switch (peek()) {
      case '(':
        if (++depth > kMaxCommentDepth) return wrong("comments nested too deep");
        break;
      case ')':
        if (--depth == 0) {
          ++at_;
          return closes_no_encoded_word(begin);
        }
        break;
      case '\\':
        if (++at_; done()) return wrong("comment not closed");
        break;
      default:
        break;
    }
  }
  return wrong("comment not closed");
}

std::string_view AddressParser::atom() {
  const auto begin = at_;
  while (is_atext(peek())) ++at_;
  const auto text = text_.substr(begin, at_ - begin);
  encoded_word_ = encoded_word_ || text.find("=?") != std::string_view::npos;
  return text;
}

// RFC 5322 Section 3.2.4, at the opening quote.
Result<std::string> AddressParser::quoted_string() {
  std::string value;
  const auto begin = at_++;
  for (; !done(); ++at_) {
    if (peek() == '"') {
      ++at_;
      if (auto status = closes_no_encoded_word(begin); !status) return tl::unexpected(status.error());
      return value;
    }
    if (peek() == '\\' && ++at_ == text_.size()) break;
    value += peek();
  }
  return wrong("quoted string not closed");
}

Result<AddressParser::Words> AddressParser::words() {
  Words result;
  for (bool after_word = false;;) {
    if (auto status = skip_space(); !status) return tl::unexpected(status.error());
    std::string word;
    if (take('.')) {
      // RFC 5322 Section 4.1: a dot may stand anywhere in a phrase but at its beginning.
      result.is_phrase = result.is_phrase && result.any;
      result.is_local = result.is_local && after_word;
      result.after_dot = true;
      after_word = false;
      word = ".";
    } else {
      if (peek() == '"') {
        auto quoted = quoted_string();
        if (!quoted) return tl::unexpected(quoted.error());
        word = *std::move(quoted);
      } else if (is_atext(peek())) {
        word = atom();
      } else {
        result.is_local = result.is_local && result.any && !result.after_dot;
        return result;
      }
      // RFC 5322 Section 4.4: obs-local-part = word *("." word).
      result.is_local = result.is_local && !after_word;
      result.after_dot = false;
      after_word = true;
    }
    result.any = true;
    if (result.is_local) result.local += word;
  }
}

// RFC 5322 Section 3.4.1 and obs-domain of Section 4.4: atoms and dots, white space and comments around them. Where a
// name of several labels stands before a gap, a reader who stops there sees another domain than one who goes on: that
// is refused ("legit.example .evil.example"); "machine(comment). example" of Appendix A.6.3 is not.
Result<std::string> AddressParser::domain() {
  std::string name;
  for (;;) {
    if (auto status = skip_space(); !status) return tl::unexpected(status.error());
    if (name.empty() && peek() == '[') return wrong("an address literal is not a domain,");
    const auto label = atom();
    if (label.empty()) return wrong("domain expected");
    name += label;
    const auto end = at_;
    if (auto status = skip_space(); !status) return tl::unexpected(status.error());
    if (!take('.')) return name;
    const bool gap = at_ != end + 1 || is_wsp(peek()) || peek() == '(';
    if (gap && name.find('.') != std::string::npos) return wrong("a gap in the domain,");
    name += '.';
  }
}

AddressParser::Status AddressParser::address_spec(const Words& words, std::vector<Mailbox>& mailboxes) {
  if (!words.is_local) return wrong("no valid local part");
  if (has_encoded_word(words.local)) return wrong("encoded-word in a local part");
  if (!take('@')) return wrong("\"@\" expected");
  const auto name = domain();
  if (!name) return tl::unexpected(name.error());
  auto ascii = to_ascii_domain(*name);
  if (!ascii) return failure(fmt::format("\"{}\" is not a domain name", printable(*name, kShown)));
  if (mailboxes.size() == kMaxMailboxes) return failure(fmt::format("more than {} addresses", kMaxMailboxes));
  mailboxes.push_back({words.local, *std::move(ascii)});
  return {};
}

// RFC 5322 Section 4.4: obs-route. Says nothing about the author.
AddressParser::Status AddressParser::route() {
  for (;;) {
    if (auto status = skip_space(); !status) return status;
    if (take(',')) continue;
    if (take(':')) return {};
    if (!take('@')) return wrong("\":\" after the route expected");
    if (const auto name = domain(); !name) return tl::unexpected(name.error());
    if (peek() != ',' && peek() != ':') return wrong("\":\" after the route expected");
  }
}

AddressParser::Status AddressParser::angle_address(std::vector<Mailbox>& mailboxes) {
  if (auto status = skip_space(); !status) return status;
  if (peek() == '@' || peek() == ',') {
    if (auto status = route(); !status) return status;
  }
  const auto local = words();
  if (!local) return tl::unexpected(local.error());
  if (auto status = address_spec(*local, mailboxes); !status) return status;
  return take('>') ? Status() : wrong("\">\" expected");
}

AddressParser::Status AddressParser::mailbox(const Words& words, std::vector<Mailbox>& mailboxes) {
  if (peek() == '<') {
    if (!words.is_phrase) return wrong("display name begins with a dot,");
    ++at_;
    return angle_address(mailboxes);
  }
  if (peek() != '@') return wrong(words.any ? "\"@\" or \"<\" expected" : "address expected");
  return address_spec(words, mailboxes);
}

// RFC 5322 Section 3.4: behind the colon of a group.
AddressParser::Status AddressParser::group(std::vector<Mailbox>& mailboxes) {
  in_group_ = true;
  if (auto status = list(mailboxes, ';'); !status) return status;
  in_group_ = false;
  return take(';') ? Status() : wrong("\";\" of a group expected");
}

AddressParser::Status AddressParser::address(std::vector<Mailbox>& mailboxes) {
  const auto name = words();
  if (!name) return tl::unexpected(name.error());
  if (peek() == ':' && name->any && name->is_phrase && !in_group_) {
    ++at_;
    return group(mailboxes);
  }
  return mailbox(*name, mailboxes);
}

// RFC 5322 Section 4.4: members may be empty. Stops at `end` or at the end of the text.
AddressParser::Status AddressParser::list(std::vector<Mailbox>& mailboxes, char end) {
  for (;;) {
    if (auto status = skip_space(); !status) return status;
    if (done() || peek() == end) return {};
    if (take(',')) continue;
    if (auto status = address(mailboxes); !status) return status;
    if (auto status = skip_space(); !status) return status;
    if (!done() && peek() != end && peek() != ',') return wrong("unexpected text");
  }
}

Result<std::vector<Mailbox>> AddressParser::address_list() {
  std::vector<Mailbox> mailboxes;
  if (auto status = list(mailboxes, '\0'); !status) return tl::unexpected(status.error());
  return mailboxes;
}

}  // namespace sesame::mail
