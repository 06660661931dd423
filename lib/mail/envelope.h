// What SMTP said about a message.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/ip.h"

namespace sesame::mail {

// Does the client's address lead to a name that leads back to it? RFC 8601 Sections 2.7.3 and 3. `none`: not known.
enum class Iprev { none, pass, fail, temperror, permerror };
const char* to_string(Iprev result);

struct Envelope {
  std::optional<IpAddress> client;  // none for local submission over a pipe or UNIX socket
  Iprev iprev = Iprev::none;        // as the MTA found it
  std::string client_name;          // the name that leads back; "" unless iprev is pass
  std::string helo;
  std::string mail_from;                // without angle brackets and parameters; "" is the null reverse-path
  bool sender_known = true;             // false: a message from a file, and nobody said who sends it
  std::vector<std::string> recipients;  // without angle brackets
  std::string auth_user;                // SASL login name ({auth_authen}); "" when not authenticated
  std::string daemon_name;              // {daemon_name}
  // Next hops of the recipients: hosts in lower case, each once; "" = of one of them it is not known.
  std::vector<std::string> relays;
  std::string queue_id;                 // {i}; may become known only after the first recipient

  // `next_hop` in Postfix's form: "host", "[host]", "host:port", "[host]:port"; of a list the first counts.
  void add_relay(std::string_view next_hop);
};

}  // namespace sesame::mail
