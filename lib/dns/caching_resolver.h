// The resolver everything uses: answers kept by TTL, identical questions in flight asked once, CNAME chains followed.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

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

// Look-ups answered from memory, that asked, that joined a question already on its way; then what is kept. A prefetch
// counts only when it asks.
struct CacheCounters {
  std::uint64_t hits = 0, misses = 0, merged = 0, evictions = 0, entries = 0, bytes = 0;
};

class CachingResolver final : public Resolver {
 public:
  CachingResolver(std::unique_ptr<Upstream> upstream, const CacheOptions& options, const Clock& clock);
  ~CachingResolver() override;

  AnswerPtr lookup(std::string_view name, Type type, Deadline deadline) override;
  void prefetch(std::string_view name, Type type) override;
  CacheCounters counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<Upstream> upstream_;
};

}  // namespace sesame::dns
