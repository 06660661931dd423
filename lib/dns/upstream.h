// The servers behind the cache: one question, one answer, no memory.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dns/record.h"

namespace sesame::dns {

// How long answers took: how many came within 1 ms, 2 ms, 4 ms, ..., 16.4 s, and the rest.
struct Latencies {
  static constexpr std::size_t kBuckets = 16;
  std::array<std::uint64_t, kBuckets> counts{};
  void add(std::chrono::microseconds latency);
  void add(const Latencies& others);
  // An upper bound of the time that this share (0 to 1) of the answers took at most.
  std::chrono::microseconds quantile(double share) const;
};

// One server, since the start.
struct ServerCounters {
  std::string server;  // "192.0.2.1:53"
  enum class Health { good, silent } health = Health::good;
  // Queries sent, whether it lives among them; answers, those over TCP and late ones among them; queries that were
  // given up or found nobody; of the answers, those that were SERVFAIL, REFUSED, malformed, ...
  std::uint64_t queries = 0, answers = 0, timeouts = 0, failures = 0;
  std::uint64_t hedges = 0;      // queries sent because another server was slow
  std::uint64_t over_tcp = 0;    // asked again over TCP
  std::uint64_t mismatches = 0;  // answers that were not to the question as it was sent
  Latencies latencies;
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual std::vector<ServerCounters> servers() const { return {}; }
  // Grows each time that a server answers after all had been silent or out of reach: what failed meanwhile is worth
  // asking again.
  virtual std::uint64_t recoveries() const { return 0; }
  // Asks for exactly this type at exactly this canonical name. `done` is called once, on any thread, also when the
  // upstream is being destroyed (then with Status::timeout). CNAMEs in the answer are followed only as far as the same
  // packet answers them: an answer may end in `nodata` with a non-empty `cnames`, and the caller goes on from its last.
  virtual void ask(const std::string& name, Type type, std::function<void(Answer)> done) = 0;
};

}  // namespace sesame::dns
