// Sender Policy Framework, RFC 7208: may this client use this domain?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dns/resolver.h"
#include "util/clock.h"
#include "util/ip.h"

namespace sesame::spf {

// RFC 7208 Section 2.6, in the words of RFC 8601 Section 2.7.2.
enum class Result { none, neutral, pass, fail, softfail, temperror, permerror };
// Whose name was judged: RFC 7208 Sections 2.3 and 2.4.
enum class Identity { mail_from, helo };

const char* to_string(Result result);
const char* to_string(Identity identity);  // "mailfrom", "helo": the smtp properties of RFC 8601

inline constexpr int kMaxLookupTerms = 10;  // RFC 7208 Section 4.6.4
inline constexpr int kMaxVoidLookups = 2;   // RFC 7208 Section 4.6.4
inline constexpr int kMaxNames = 10;        // of one mx or ptr, RFC 7208 Section 4.6.4

struct Query {
  IpAddress client;  // an IPv4-mapped IPv6 address counts as IPv4
  std::string helo;
  std::string mail_from;  // without angle brackets; "" is the null reverse-path
};

struct Options {
  Deadline deadline = Deadline::max();  // then temperror
  std::string receiver = "unknown";     // %{r}
  int max_void_lookups = kMaxVoidLookups;
  const Clock* clock = &system_clock();  // never null; of the deadline
  std::optional<std::int64_t> now = {};  // %{t}, unix seconds; the clock's when absent
};

struct Outcome {
  Result result = Result::none;
  Identity identity = Identity::mail_from;
  std::string domain;     // judged, canonical; "" when there was none to judge
  std::string mechanism;  // the directive that matched, as written ("ip4:192.0.2.0/24", "-all"); "" if none
  std::string reason;  // one phrase, safe to print: why it is not a plain pass or fail; "" when there is nothing to add
  std::string explanation;  // of the domain owner (exp=), only with fail; printable ASCII
  int lookup_terms = 0;     // of 10
  int void_lookups = 0;     // of 2

  // The result is a function of the client address: it is constant between the borders of `compared` (all networks the
  // client was held against, in every record visited) unless `client_specific`, when a macro, exists or ptr asked
  // about this one address.
  std::vector<Network> compared;
  bool client_specific = false;
  // A macro asked for the local part or the HELO name: another sender of the domain may get another result.
  bool sender_specific = false;
};

// MAIL FROM; with the null reverse-path postmaster@HELO is judged (Section 2.4) and `identity` says helo.
Outcome check_mail_from(dns::Resolver& resolver, const Query& query, const Options& options);
// HELO (Section 2.3): none for an address literal or a single label.
Outcome check_helo(dns::Resolver& resolver, const Query& query, const Options& options);

// Starts the look-ups of a check, which may follow at any time or never: each as soon as the answer is there that makes
// it necessary, so that in the end just those are asked that the check asks. Needs no deadline and no clock.
void prefetch(dns::Resolver& resolver, Identity identity, const Query& query, const Options& options);

}  // namespace sesame::spf
