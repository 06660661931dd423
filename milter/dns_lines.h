// What the log says of DNS: one line for the cache, one for each server that is asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns/caching_resolver.h"
#include "milter/log.h"

namespace sesame::milter {

// In the log's format: "dns: key=value ...", or a JSON object each. `now` in unix seconds.
std::vector<std::string> dns_lines(const dns::CacheCounters& cache, const std::vector<dns::ServerCounters>& servers,
                                   config::Log::Format format, std::int64_t now);
// Writes those of this cache.
void tell_dns(const dns::CachingResolver& cache, Log& log, std::int64_t now);

}  // namespace sesame::milter
