// check_host() of RFC 7208 Section 4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spf/macro.h"
#include "spf/spf.h"

namespace sesame::spf {

// One check: what was asked, and what it has cost so far over all records visited.
struct Context {
  dns::Resolver& resolver;
  const Options& options;
  IpAddress client;  // never IPv4-mapped
  std::string helo;
  std::string local_part;
  std::string sender_domain;

  int lookup_terms = 0;
  int void_lookups = 0;
  std::string last_void = {};  // the last look-up that found nothing
  std::vector<Network> compared = {};
  bool client_specific = false;
  bool sender_specific = false;
  dns::AnswerPtr client_ptr = nullptr;         // once it was asked for
  std::vector<std::string> client_names = {};  // of it, validated

  std::string slowest = {};  // the look-up that took longest, for when the time is up
  Duration slowest_took{-1};
  bool out_of_time = false;
};

struct Verdict {
  Result result = Result::none;
  std::string reason;     // as in Outcome
  std::string mechanism;  // as in Outcome
  // With fail: what exp= of the record that failed says, and the <domain> it is expanded with.
  MacroString exp;
  std::string domain;
};

// `domain` need not be a name that can exist: then none.
Verdict check_host(Context& context, std::string_view domain);

// RFC 7208 Section 6.2: the explanation of a fail; "" when there is none that can be used.
std::string explain(Context& context, const Verdict& verdict);

}  // namespace sesame::spf
