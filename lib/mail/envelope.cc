#include "mail/envelope.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::mail {

const char* to_string(Iprev result) {
  switch (result) {
    case Iprev::none:
      return "none";
    case Iprev::pass:
      return "pass";
    case Iprev::fail:
      return "fail";
    case Iprev::temperror:
      return "temperror";
    case Iprev::permerror:
      break;
  }
  return "permerror";
}

void Envelope::add_relay(std::string_view next_hop) {
  // https://www.postfix.org/postconf.5.html#relayhost
  const auto first = next_hop.substr(0, next_hop.find_first_of(", \t"));
  const bool bracketed = first.starts_with('[');
  const auto end = first.find(bracketed ? ']' : ':');
  const auto host = lower(first.substr(0, end).substr(bracketed ? 1 : 0));
  if (std::ranges::find(relays, host) == relays.end()) relays.push_back(host);
}

}  // namespace sesame::mail
