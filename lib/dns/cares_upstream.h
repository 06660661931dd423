// The servers asked over the network, through c-ares on one event thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dns/upstream.h"
#include "util/result.h"

namespace sesame::dns {

struct CaresOptions {
  // "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; empty means those of resolv.conf.
  std::vector<std::string> servers;
  std::chrono::milliseconds timeout{2000};  // for one try at one server
  int tries = 2;                            // rounds over the servers
  // Questions on the wire at once; more wait their turn, and those over `max_waiting` get Status::timeout at once.
  std::size_t max_in_flight = 512;
  std::size_t max_waiting = 16384;
};

// UDP with EDNS, TCP when an answer is truncated. An error names the server that could not be understood.
Result<std::unique_ptr<Upstream>> make_cares_upstream(const CaresOptions& options);

}  // namespace sesame::dns
