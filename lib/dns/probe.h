// One question to one server, as a resolver would put it to an authoritative server: without recursion, over the
// transport that is asked for, and the answer as it came.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dns/record.h"
#include "dns/server.h"
#include "util/clock.h"
#include "util/result.h"

namespace sesame::dns {

enum class Transport { udp, tcp };
const char* to_string(Transport transport);  // "UDP"

struct ProbeQuestion {
  Server server;
  std::string name;  // canonical
  Type type = Type::txt;
  Transport transport = Transport::udp;
};

struct ProbeReply {
  Answer answer;                      // of this one packet; `received` and `ttl` as in lookups
  bool authoritative = false;         // AA
  bool truncated = false;             // TC: over UDP there is more than came
  std::string referred_to;            // the zone below that a referral names; "" = it was none
  std::vector<std::string> referral;  // its name servers, canonical
  std::optional<Soa> soa;             // of the answer or of the authority section
  std::chrono::microseconds latency{};
  std::string trouble;  // why there is no answer: "no answer in 3 s", "connection refused", ...; "" = there is one
  // The trouble is this host's, and the server was never asked: no way to such addresses (no IPv6, say), no socket.
  bool not_asked = false;
};

// Thread-safe.
class Prober {
 public:
  virtual ~Prober() = default;
  // `done` is called once, on any thread, also when the prober is being destroyed.
  virtual void ask(const ProbeQuestion& question, std::function<void(ProbeReply)> done) = 0;
};

struct ProberOptions {
  std::chrono::milliseconds timeout{3000};  // of one try; a connection may take all of it
  int tries = 2;                            // of a question over UDP: a datagram may get lost
  std::size_t max_open = 256;               // sockets at once; other questions wait their turn
  double max_rate = 20;                     // questions a second to one address; others wait their turn
};

Result<std::unique_ptr<Prober>> make_prober(const ProberOptions& options);

}  // namespace sesame::dns
