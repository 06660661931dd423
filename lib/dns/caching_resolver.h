// The resolver everything uses: answers kept by TTL, identical questions in flight asked once, CNAME chains followed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dns/resolver.h"
#include "dns/upstream.h"

namespace sesame::dns {

struct CacheOptions {
  std::size_t max_bytes = 64u << 20;            // of answers kept
  std::uint32_t min_ttl = 0;                    // seconds
  std::uint32_t max_ttl = 86400;                // seconds
  std::uint32_t max_negative_ttl = 10800;       // seconds, RFC 2308 Section 5
  std::chrono::seconds failure_ttl{5};          // RFC 9520 Section 3.2: a failure is not asked for again
  std::chrono::seconds max_stale{86400};        // past its TTL an answer may serve, RFC 8767 Section 4; 0 = never
  std::chrono::milliseconds stale_after{1800};  // that a look-up waits for a newer one, RFC 8767 Section 5
  std::size_t max_cnames = 12;                  // links of one chain, over all packets
};

struct CacheCounters {
  // Every look-up is one of these: answered from memory, one that asked, one that joined a question already on its way,
  // one of a name whose failure is held. A prefetch counts only when it asks, as a miss.
  std::uint64_t hits = 0, misses = 0, merged = 0, failures_held = 0;
  std::uint64_t stale = 0;               // of those, answered with an answer whose time to live was over
  std::uint64_t refreshes = 0;           // questions asked before the time to live was over, of names in regular use
  std::uint64_t evictions = 0;           // to make room
  std::uint64_t entries = 0, bytes = 0;  // kept now, failures too
  Latencies waits;                       // of the look-ups that asked or joined
};

// An answer as it is kept: ok, nodata or nxdomain, not stale.
struct KeptAnswer {
  AnswerPtr answer;
  bool in_use = false;  // looked up again since it first came
};

// Thread-safe. A failure is held for its name and type alone. An expired answer serves (a copy, marked stale) only
// while no newer one can be had, and never past `max_stale`; whatever a server says next, absence too, takes its place.
class CachingResolver final : public Resolver {
 public:
  CachingResolver(std::unique_ptr<Upstream> upstream, const CacheOptions& options, const Clock& clock);
  ~CachingResolver() override;

  AnswerPtr lookup(std::string_view name, Type type, Deadline deadline) override;
  void prefetch(std::string_view name, Type type) override;
  // `then` is called once at most, with records or an absence: at once with what is known, also past its time to live
  // where it may still serve (the names in it are good for a guess, and are asked for while the newer answer is on its
  // way), else when the answer comes, on the thread that brings it. A failure, held or new, is not told. It is given
  // not this resolver but one that stands for it while it is called.
  void prefetch_then(std::string_view name, Type type, Then then) override;

  CacheCounters counters() const;
  std::vector<ServerCounters> servers() const { return upstream_->servers(); }

  // What is kept and may still serve, the least valuable first; held failures are not among it.
  std::vector<KeptAnswer> entries() const;
  // Takes what another cache of the same clock kept, as far as it fits, within the limits of this one; what this one
  // knows already stays. How many were taken.
  std::size_t restore(const std::vector<KeptAnswer>& entries);

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<Upstream> upstream_;
};

}  // namespace sesame::dns
