#include "milter/dns_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "util/clock.h"

namespace sesame::milter {
namespace {

using Json = nlohmann::ordered_json;
using Health = dns::ServerCounters::Health;

// In milliseconds; nothing where nothing was waited for.
std::optional<std::int64_t> quantile(const dns::Latencies& latencies, double share) {
  const bool any = std::ranges::any_of(latencies.counts, [](auto count) { return count > 0; });
  if (!any) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(latencies.quantile(share)).count();
}

void add(Json& object, const dns::Latencies& latencies) {
  for (const auto& [name, share] : {std::pair("p50", 0.5), std::pair("p99", 0.99)}) {
    const auto milliseconds = quantile(latencies, share);
    object[name] = milliseconds ? Json(*milliseconds) : Json(nullptr);
  }
}

Json cache_object(const dns::CacheCounters& cache) {
  Json object{{"hits", cache.hits},           {"misses", cache.misses},       {"merged", cache.merged},
              {"stale", cache.stale},         {"refreshed", cache.refreshes}, {"held", cache.failures_held},
              {"evictions", cache.evictions}, {"entries", cache.entries},     {"bytes", cache.bytes}};
  add(object, cache.waits);
  return object;
}

Json server_object(const dns::ServerCounters& server) {
  Json object{{"server", server.server},        {"health", server.health == Health::good ? "good" : "silent"},
              {"queries", server.queries},      {"answers", server.answers},
              {"timeouts", server.timeouts},    {"failures", server.failures},
              {"hedges", server.hedges},        {"tcp", server.over_tcp},
              {"mismatches", server.mismatches}};
  add(object, server.latencies);
  return object;
}

std::string as_text(const std::string& start, const Json& object) {
  auto text = start;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    const bool is_time = key == "p50" || key == "p99";
    text +=
        fmt::format(" {}={}{}", key, value.is_string() ? value.get<std::string>() : value.dump(), is_time ? "ms" : "");
  }
  return text;
}

std::string as_json(const char* event, const Json& object, std::int64_t now) {
  Json whole{{"time", timestamp(now)}, {"event", event}};
  for (const auto& [key, value] : object.items()) {
    const bool is_time = key == "p50" || key == "p99";
    whole[is_time ? key + "_ms" : key] = value;
  }
  return whole.dump();
}

}  // namespace

std::vector<std::string> dns_lines(const dns::CacheCounters& cache, const std::vector<dns::ServerCounters>& servers,
                                   config::Log::Format format, std::int64_t now) {
  const bool json = format == config::Log::Format::json;
  const auto of_cache = cache_object(cache);
  std::vector<std::string> lines{json ? as_json("dns_cache", of_cache, now) : as_text("dns: cache", of_cache)};
  for (const auto& server : servers) {
    const auto object = server_object(server);
    lines.push_back(json ? as_json("dns_server", object, now) : as_text("dns:", object));
  }
  return lines;
}

void tell_dns(const dns::CachingResolver& cache, Log& log, std::int64_t now) {
  const auto format = log.format();
  for (const auto& line : dns_lines(cache.counters(), cache.servers(), format, now)) {
    if (format == config::Log::Format::json) {
      log.event(line);
    } else {
      log.line(Level::info, line);
    }
  }
}

}  // namespace sesame::milter
