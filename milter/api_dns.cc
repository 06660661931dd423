#include <algorithm>
#include <optional>

#include "milter/api_parts.h"

namespace sesame::milter::api {
namespace {

using Health = sesame::dns::ServerCounters::Health;

// In milliseconds; null where nothing was waited for.
Json quantile(const sesame::dns::Latencies& latencies, double share) {
  if (std::ranges::none_of(latencies.counts, [](auto count) { return count > 0; })) return nullptr;
  return std::chrono::duration_cast<std::chrono::milliseconds>(latencies.quantile(share)).count();
}

Json server_value(const sesame::dns::ServerCounters& server) {
  return {{"server", server.server},
          {"health", server.health == Health::good ? "good" : "silent"},
          {"queries", server.queries},
          {"answers", server.answers},
          {"timeouts", server.timeouts},
          {"failures", server.failures},
          {"hedges", server.hedges},
          {"over_tcp", server.over_tcp},
          {"mismatches", server.mismatches},
          {"p50_ms", quantile(server.latencies, 0.5)},
          {"p99_ms", quantile(server.latencies, 0.99)}};
}

Json cache_value(const sesame::dns::CacheCounters& cache, std::size_t max_bytes) {
  return {{"hits", cache.hits},
          {"misses", cache.misses},
          {"merged", cache.merged},
          {"failures_held", cache.failures_held},
          {"stale", cache.stale},
          {"refreshes", cache.refreshes},
          {"evictions", cache.evictions},
          {"entries", cache.entries},
          {"bytes", cache.bytes},
          {"max_bytes", max_bytes},
          {"p50_ms", quantile(cache.waits, 0.5)},
          {"p99_ms", quantile(cache.waits, 0.99)}};
}

}  // namespace

Json dns(const inspect::Runtime& runtime) {
  Json value{{"cache", nullptr}, {"servers", Json::array()}};
  if (!runtime.cache) return value;
  value["cache"] = cache_value(runtime.cache->counters(), runtime.config.dns.cache_bytes);
  for (const auto& server : runtime.cache->servers()) value["servers"].push_back(server_value(server));
  return value;
}

}  // namespace sesame::milter::api
