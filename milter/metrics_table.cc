#include "milter/metrics_table.h"

#include <fmt/format.h>

#include <array>

namespace sesame::milter {
namespace {

using enum MetricEntry::Type;

constexpr std::array kTable = {
    MetricEntry{Metric::build_info, "sesame_build_info", gauge, "version", "Always 1; the version is a label."},
    MetricEntry{Metric::messages, "sesame_messages_total", counter,
                "direction: outbound, inbound; verdict: of outbound mail pass, fail, none, unknown, refused as "
                "predicted, of inbound mail none, pass, fail, temperror, permerror as found; action: accept, observe, "
                "tag, hold, reject, tempfail",
                "Messages judged, by what DMARC comes to and by what was done."},
    MetricEntry{Metric::findings, "sesame_findings_total", counter, "direction; code: see findings.md",
                "Messages that do not pass, by the finding that decides."},
    MetricEntry{Metric::unjudged, "sesame_unjudged_total", counter, "",
                "Messages let through without a verdict, because a step failed."},
    MetricEntry{Metric::stage, "sesame_stage_seconds", histogram,
                "stage: dns (waited for, at the end of the message), end_of_message (from the end of the body to the "
                "verdict, that included), transaction (from MAIL to the verdict, the client's time included)",
                "How long the parts of a message took."},
    MetricEntry{Metric::connections, "sesame_connections", gauge, "", "Connections of MTAs that are open."},
    MetricEntry{Metric::messages_under_way, "sesame_messages_under_way", gauge, "",
                "Messages between MAIL and their verdict."},
    MetricEntry{Metric::identities, "sesame_identities", gauge, "",
                "Identities of Amazon SES that are known, from configuration and snapshot."},
    MetricEntry{Metric::snapshot_age, "sesame_snapshot_age_seconds", gauge, "",
                "Age of the oldest answer in the snapshot; absent where there is no snapshot."},
    MetricEntry{Metric::watch_records, "sesame_watch_records", gauge, "state: healthy, degraded, missing, recovering",
                "Records watched, by state; absent where nothing is watched."},
    MetricEntry{Metric::dns_lookups, "sesame_dns_lookups_total", counter,
                "result: hit (answered from memory), miss (asked), merged (joined a question already asked), held (of "
                "a failure that is remembered)",
                "Look-ups of DNS names."},
    MetricEntry{Metric::dns_stale, "sesame_dns_stale_answers_total", counter, "",
                "Look-ups answered with an answer past its time to live."},
    MetricEntry{Metric::dns_refreshes, "sesame_dns_refreshes_total", counter, "",
                "Questions asked ahead of the end of an answer's time to live."},
    MetricEntry{Metric::dns_evictions, "sesame_dns_evictions_total", counter, "",
                "Answers dropped from the cache to make room."},
    MetricEntry{Metric::dns_cache_entries, "sesame_dns_cache_entries", gauge, "", "Answers in the cache."},
    MetricEntry{Metric::dns_cache_bytes, "sesame_dns_cache_bytes", gauge, "", "Memory that the cache's answers take."},
    MetricEntry{Metric::dns_server_up, "sesame_dns_server_up", gauge, "server: as configured",
                "1 where the name server answers, 0 where it is silent."},
    MetricEntry{Metric::dns_server_queries, "sesame_dns_server_queries_total", counter, "server", "Queries sent."},
    MetricEntry{Metric::dns_server_answers, "sesame_dns_server_answers_total", counter, "server", "Answers received."},
    MetricEntry{Metric::dns_server_failures, "sesame_dns_server_failures_total", counter, "server",
                "Answers that were SERVFAIL, REFUSED or not understood."},
    MetricEntry{Metric::dns_server_timeouts, "sesame_dns_server_timeouts_total", counter, "server",
                "Queries that were given up."},
    MetricEntry{Metric::history_rows, "sesame_history_rows_total", counter, "", "Rows written to the history."},
    MetricEntry{Metric::history_lost, "sesame_history_lost_rows_total", counter, "",
                "Rows that could not be kept: too many at once, disk full."},
    MetricEntry{Metric::history_waiting, "sesame_history_waiting_rows", gauge, "",
                "Rows in memory that are not written yet."},
    MetricEntry{Metric::history_spooled, "sesame_history_spooled_rows", gauge, "",
                "Rows on this host's disk that wait for PostgreSQL."},
    MetricEntry{Metric::history_lag, "sesame_history_lag_seconds", gauge, "",
                "Age of the oldest row that has not reached the store."},
    MetricEntry{Metric::history_writable, "sesame_history_writable", gauge, "",
                "0 where the store of the history cannot be written to, else 1."},
    MetricEntry{Metric::process_start, "process_start_time_seconds", gauge, "", "When the daemon started, unix time."},
    MetricEntry{Metric::process_cpu, "process_cpu_seconds_total", counter, "", "Processor time, user and system."},
    MetricEntry{Metric::process_resident, "process_resident_memory_bytes", gauge, "", "Resident memory."},
    MetricEntry{Metric::process_virtual, "process_virtual_memory_bytes", gauge, "", "Virtual memory."},
    MetricEntry{Metric::process_open_fds, "process_open_fds", gauge, "", "Open file descriptors."},
    MetricEntry{Metric::process_max_fds, "process_max_fds", gauge, "", "File descriptors there may be."},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
  return true;
}
static_assert(is_in_order());

const char* to_string(MetricEntry::Type type) {
  if (type == counter) return "counter";
  return type == gauge ? "gauge" : "histogram";
}

}  // namespace

std::span<const MetricEntry> metric_table() {
  return kTable;
}

const MetricEntry& entry_of(Metric metric) {
  return kTable[static_cast<std::size_t>(metric)];
}

std::string metrics_text() {
  std::string text =
      "# The metrics\n\n"
      "What the daemon exposes at /metrics, for Prometheus. This list is made of the table in "
      "`milter/metrics_table.cc`;\n"
      "`contrib/dashboards` has a dashboard for Grafana and alert rules that use it. No label has a value that comes "
      "from\n"
      "a message. Counters begin at zero when the daemon starts; those of DNS also when a reload changes `[dns]`.\n\n"
      "| metric | type | labels | what it is |\n|---|---|---|---|\n";
  for (const auto& entry : kTable)
    text += fmt::format("| `{}` | {} | {} | {} |\n", entry.name, to_string(entry.type), entry.labels, entry.help);
  return text;
}

}  // namespace sesame::milter
