// check_host() of RFC 7208 Section 4.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spf/parse.h"
#include "spf/spf.h"

namespace sesame::spf {

// One check: what was asked, and what it has cost so far over all records visited. What it refers to outlives it.
struct Context {
  dns::Resolver& resolver;
  const Options& options;
  IpAddress client;  // never IPv4-mapped
  std::string_view helo;
  std::string_view local_part;
  std::string_view sender_domain;

  int lookup_terms = 0;
  int void_lookups = 0;
  dns::AnswerPtr last_void = nullptr;  // the last look-up that found nothing
  std::vector<Network> compared = {};
  bool client_specific = false;
  bool sender_specific = false;
  dns::AnswerPtr client_ptr = nullptr;         // once it was asked for
  std::vector<std::string> client_names = {};  // of it, validated

  dns::AnswerPtr slowest = nullptr;  // the look-up that took longest, for when the time is up
  Duration slowest_took{-1};
  bool out_of_time = false;
};

// A record as it was read, or why it cannot be.
using Reading = std::shared_ptr<const sesame::Result<Record>>;

struct Verdict {
  Result result = Result::none;
  std::string reason;                    // as in Outcome
  const Directive* directive = nullptr;  // that matched, in `record`; null if none
  // Where a record was evaluated to its end: it, and the <domain> it is of.
  Reading record = nullptr;
  std::string domain = {};
};

// `domain` need not be a name that can exist: then none.
Verdict check_host(Context& context, std::string_view domain);

// RFC 7208 Section 6.2: the explanation of a fail; "" when there is none that can be used.
std::string explain(Context& context, const Verdict& verdict);

}  // namespace sesame::spf
