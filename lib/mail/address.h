// RFC 5322 addresses, strictly: what decides the author domain must have one reading only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/field.h"
#include "util/result.h"

namespace sesame::mail {

struct Mailbox {
  std::string local;   // as written, quotes removed
  std::string domain;  // A-labels, lower case, no trailing dot
  std::string address() const { return local + "@" + domain; }
};

// The parts of an envelope address without angle brackets ("user@example.com"); source routes are skipped. Nothing
// when there is no domain, or it is an address literal or not a host name.
std::optional<Mailbox> parse_path(std::string_view path);

// A domain written in U-labels or A-labels, in any case, as canonical A-labels (UTS 46, RFC 5891); nothing when it is
// not a domain name of letters, digits, hyphens and underscores after that.
std::optional<std::string> to_ascii_domain(std::string_view domain);

// The mailboxes of an address-list or group list: RFC 5322 Section 3.4 with the obsolete forms of Section 4.4 (routes,
// white space around dots, empty list members). An error says what is wrong and where, safe to print.
Result<std::vector<Mailbox>> parse_mailboxes(std::string_view field_value);

// Who the message says wrote it. Usable only when `problem` is empty: then `domains` has exactly one entry.
struct Author {
  int fields = 0;                    // From fields found, "From :" and odd case included
  std::vector<Mailbox> mailboxes;    // of all From fields that could be read
  std::vector<std::string> domains;  // distinct, in order
  std::string problem;               // "no From field", "2 From fields", "From cannot be parsed: ...", ...
  // The problem is control octets that readers take differently; to some of them there may be one clear author.
  bool contested = false;
  bool usable() const { return problem.empty(); }
  const std::string& domain() const { return domains.front(); }  // only when usable()
};

// RFC 9989 Section 5.3.1, RFC 5322 Section 3.6.2. A From field that hides in another one is a problem, never an author.
Author find_author(std::span<const Field> fields);

}  // namespace sesame::mail
