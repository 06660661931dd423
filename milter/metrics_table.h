// Every metric the daemon exposes, said once.
#pragma once

#include <span>
#include <string>

namespace sesame::milter {

enum class Metric {
  build_info,
  messages,
  findings,
  unjudged,
  stage,
  connections,
  messages_under_way,
  identities,
  snapshot_age,
  watch_records,
  dns_lookups,
  dns_stale,
  dns_refreshes,
  dns_evictions,
  dns_cache_entries,
  dns_cache_bytes,
  dns_server_up,
  dns_server_queries,
  dns_server_answers,
  dns_server_failures,
  dns_server_timeouts,
  history_rows,
  history_lost,
  history_waiting,
  history_spooled,
  history_lag,
  history_writable,
  process_start,
  process_cpu,
  process_resident,
  process_virtual,
  process_open_fds,
  process_max_fds,
};

struct MetricEntry {
  enum class Type { counter, gauge, histogram };
  Metric metric = Metric::build_info;
  const char* name = "";
  Type type = Type::gauge;
  const char* labels = "";  // with all their values where these are few
  const char* help = "";
};

// In the order of the enumeration.
std::span<const MetricEntry> metric_table();
const MetricEntry& entry_of(Metric metric);

// All of them as contrib/doc/metrics.md lists them (Markdown).
std::string metrics_text();

}  // namespace sesame::milter
