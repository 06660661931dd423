#include "dns/upstream.h"

#include <numeric>

namespace sesame::dns {

void Latencies::add(std::chrono::microseconds latency) {
  std::size_t bucket = 0;
  for (auto limit = std::chrono::microseconds(1000); bucket + 1 < kBuckets && latency > limit; limit *= 2) ++bucket;
  ++counts[bucket];
}

void Latencies::add(const Latencies& others) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) counts[bucket] += others.counts[bucket];
}

std::chrono::microseconds Latencies::quantile(double share) const {
  const auto all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::uint64_t below = 0;
  auto limit = std::chrono::microseconds(1000);
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket, limit *= 2) {
    below += counts[bucket];
    if (static_cast<double>(below) >= share * static_cast<double>(all)) break;
  }
  return limit;
}

}  // namespace sesame::dns
