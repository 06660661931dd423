// The servers asked over the network, through c-ares on one event thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dns/upstream.h"
#include "dns/wire.h"
#include "util/result.h"

namespace sesame::dns {

struct CaresOptions {
  // "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; empty means those of resolv.conf.
  std::vector<std::string> servers;
  // After this the next try begins, at the next server if there is one. The tries before it may still be answered.
  std::chrono::milliseconds timeout{2000};
  int tries = 2;  // rounds over the servers
  // How long an answer is waited for in all. Every try gets its `timeout` even so.
  std::chrono::milliseconds patience{10'000};
  // Questions being asked at once. One that stays without an answer for longer than its server usually takes no longer
  // counts. More wait, and the newest is asked first: whoever asked longest ago is the likeliest to have left. One that
  // has waited for `patience` and `timeout`, or is the oldest of more than `max_waiting`, gets Status::timeout.
  std::size_t max_in_flight = 512;
  std::size_t max_unanswered = 8192;  // tries open; with so many nothing is asked anew or again
  std::size_t max_waiting = 16384;
  Checking checking = Checking::enabled;
  // Names go out in random case, which an answer must repeat: draft-vixie-dnsext-dns0x20.
  enum class NameCase { as_is, random } name_case = NameCase::as_is;
};

// UDP with EDNS, TCP when an answer is truncated or does not repeat the case. While all servers are silent (health.h)
// every question gets Status::timeout at once. An error names the server that could not be understood.
Result<std::unique_ptr<Upstream>> make_cares_upstream(const CaresOptions& options);

}  // namespace sesame::dns
