#include "milter/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <sstream>

#include "milter/metrics_process.h"
#include "milter/metrics_table.h"

namespace sesame::milter {
namespace {

using policy::Direction;
using Action = policy::Decision::Action;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using Count = std::atomic<std::uint64_t>;

constexpr std::array kDirections = {Direction::outbound, Direction::inbound};
constexpr std::array kPredicted = {ses::Verdict::pass, ses::Verdict::fail, ses::Verdict::none, ses::Verdict::unknown,
                                   ses::Verdict::refused};
constexpr std::array kFound = {dmarc::Result::none, dmarc::Result::pass, dmarc::Result::fail, dmarc::Result::temperror,
                               dmarc::Result::permerror};
constexpr std::array kActions = {Action::accept, Action::observe, Action::tag,
                                 Action::hold,   Action::reject,  Action::tempfail};
constexpr std::size_t kVerdicts = std::max(kPredicted.size(), kFound.size());
constexpr auto kCodes = static_cast<std::size_t>(ses::Code::prediction_contradicted) + 1;

// The upper bounds in microseconds; what takes longer is in one more bucket. Most messages wait for no DNS at all, some
// for seconds, and a client may take minutes.
constexpr std::array<std::uint64_t, 18> kBounds = {
    100,     250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,     50'000,
    100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 120'000'000};
constexpr std::array kStages = {"dns", "end_of_message", "transaction"};

template <class T>
constexpr std::size_t index(T value) {
  return static_cast<std::size_t>(value);
}
// An enumerator beyond its table would count elsewhere.
template <class Enum, std::size_t N>
constexpr bool are_in_range(const std::array<Enum, N>& values, std::size_t size) {
  return std::ranges::all_of(values, [&](Enum value) { return index(value) < size; });
}
static_assert(are_in_range(kDirections, kDirections.size()) && are_in_range(kPredicted, kVerdicts) &&
              are_in_range(kFound, kVerdicts) && are_in_range(kActions, kActions.size()));

void add(Count& count, std::uint64_t by = 1) {
  count.fetch_add(by, std::memory_order_relaxed);
}
double value(const Count& count) {
  return static_cast<double>(count.load(std::memory_order_relaxed));
}

struct Histogram {
  std::array<Count, kBounds.size() + 1> counts{};
  Count sum{};  // microseconds

  void observe(std::chrono::microseconds time) {
    const auto took = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    add(counts[static_cast<std::size_t>(std::ranges::lower_bound(kBounds, took) - kBounds.begin())]);
    add(sum, took);
  }
};

MetricType type_of(MetricEntry::Type type) {
  if (type == MetricEntry::Type::counter) return MetricType::Counter;
  return type == MetricEntry::Type::gauge ? MetricType::Gauge : MetricType::Histogram;
}

// Families in the order of the table, without those that nothing was said of.
class Exposition {
 public:
  void say(Metric metric, double number, Labels labels = {}) {
    auto& line = add_to(metric, std::move(labels));
    line.counter.value = number;
    line.gauge.value = number;
  }
  void say(Metric metric, std::uint64_t number, Labels labels = {}) {
    say(metric, static_cast<double>(number), std::move(labels));
  }
  void say(Metric metric, const Histogram& histogram, Labels labels) {
    auto& to = add_to(metric, std::move(labels)).histogram;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      to.sample_count += histogram.counts[i].load(std::memory_order_relaxed);
      const double bound = i < kBounds.size() ? static_cast<double>(kBounds[i]) / 1e6 : kInfinity;
      to.bucket.push_back({to.sample_count, bound});
    }
    to.sample_sum = value(histogram.sum) / 1e6;
  }
  std::string text() const {
    std::vector<MetricFamily> families;
    for (const auto& entry : metric_table())
      if (const auto& lines = lines_[index(entry.metric)]; !lines.empty())
        families.push_back({entry.name, entry.help, type_of(entry.type), lines});
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return out.str();
  }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  ClientMetric& add_to(Metric metric, Labels labels) {
    auto& line = lines_[index(metric)].emplace_back();
    line.label = std::move(labels);
    return line;
  }

  std::array<std::vector<ClientMetric>, index(Metric::process_max_fds) + 1> lines_;
};

void say_dns(const dns::CachingResolver& dns, Exposition& out) {
  const auto cache = dns.counters();
  for (const auto& [result, count] : {std::pair("hit", cache.hits), std::pair("miss", cache.misses),
                                      std::pair("merged", cache.merged), std::pair("held", cache.failures_held)})
    out.say(Metric::dns_lookups, count, {{"result", result}});
  out.say(Metric::dns_stale, cache.stale);
  out.say(Metric::dns_refreshes, cache.refreshes);
  out.say(Metric::dns_evictions, cache.evictions);
  out.say(Metric::dns_cache_entries, cache.entries);
  out.say(Metric::dns_cache_bytes, cache.bytes);
  for (const auto& server : dns.servers()) {
    const Labels labels{{"server", server.server}};
    out.say(Metric::dns_server_up, server.health == dns::ServerCounters::Health::good ? 1.0 : 0.0, labels);
    out.say(Metric::dns_server_queries, server.queries, labels);
    out.say(Metric::dns_server_answers, server.answers, labels);
    out.say(Metric::dns_server_failures, server.failures, labels);
    out.say(Metric::dns_server_timeouts, server.timeouts, labels);
  }
}

void say_history(const history::Standing& history, Exposition& out) {
  out.say(Metric::history_rows, history.kept);
  out.say(Metric::history_lost, history.lost);
  out.say(Metric::history_waiting, static_cast<std::uint64_t>(history.waiting));
  out.say(Metric::history_spooled, history.spooled);
  out.say(Metric::history_lag, static_cast<double>(history.lag_us) / 1e6);
  out.say(Metric::history_writable, history.trouble.empty() ? 1.0 : 0.0);
}

void say_process(Exposition& out) {
  const auto figures = process_figures();
  out.say(Metric::process_start, figures.start_time);
  out.say(Metric::process_cpu, figures.cpu_seconds);
  out.say(Metric::process_resident, figures.resident_bytes);
  out.say(Metric::process_virtual, figures.virtual_bytes);
  out.say(Metric::process_open_fds, figures.open_fds);
  out.say(Metric::process_max_fds, figures.max_fds);
}

void say_now(const Metrics::Now& now, Exposition& out) {
  out.say(Metric::build_info, 1.0, {{"version", SESAME_VERSION}});
  out.say(Metric::connections, static_cast<std::uint64_t>(now.connections));
  out.say(Metric::messages_under_way, static_cast<std::uint64_t>(now.messages));
  out.say(Metric::identities, now.identities);
  if (now.snapshot_age_s >= 0) out.say(Metric::snapshot_age, static_cast<double>(now.snapshot_age_s));
  for (const auto& [state, count] : now.watched) out.say(Metric::watch_records, count, {{"state", state}});
  if (now.dns) say_dns(*now.dns, out);
  say_history(now.history, out);
  say_process(out);
}

}  // namespace

// All there can be, from the start: nothing is looked up and nobody waits when one of them grows.
struct Metrics::Impl {
  using OfActions = std::array<Count, kActions.size()>;
  std::array<std::array<OfActions, kVerdicts>, kDirections.size()> messages{};
  std::array<std::array<Count, kCodes>, kDirections.size()> findings{};
  std::array<Histogram, kStages.size()> stages{};
  Count unjudged{};

  void say_messages(Exposition& out) const;
  void say_findings(Exposition& out) const;
};

void Metrics::Impl::say_messages(Exposition& out) const {
  const auto say = [&](Direction direction, std::size_t verdict, const char* word) {
    for (const auto action : kActions)
      out.say(Metric::messages, value(messages[index(direction)][verdict][index(action)]),
              {{"direction", policy::to_string(direction)}, {"verdict", word}, {"action", policy::to_string(action)}});
  };
  for (const auto verdict : kPredicted) say(Direction::outbound, index(verdict), ses::to_string(verdict));
  for (const auto result : kFound) say(Direction::inbound, index(result), dmarc::to_string(result));
}

void Metrics::Impl::say_findings(Exposition& out) const {
  for (const auto direction : kDirections)
    for (std::size_t code = 0; code < kCodes; ++code)
      out.say(Metric::findings, value(findings[index(direction)][code]),
              {{"direction", policy::to_string(direction)}, {"code", ses::to_string(static_cast<ses::Code>(code))}});
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::judged(const policy::Report& report, const policy::Decision& decision, const Stages& stages) noexcept {
  if (report.direction == Direction::ignored) return;
  const bool is_outbound = report.direction == Direction::outbound;
  const auto predicted = report.prediction ? report.prediction->verdict : ses::Verdict::unknown;
  const auto verdict = is_outbound ? index(predicted) : index(report.dmarc.result);
  const bool passes = is_outbound ? predicted == ses::Verdict::pass : report.dmarc.result == dmarc::Result::pass;
  add(impl_->messages[index(report.direction)][verdict][index(decision.action)]);
  const auto* findings = is_outbound ? report.prediction ? &report.prediction->findings : nullptr : &report.findings;
  if (!passes && findings && !findings->empty())
    add(impl_->findings[index(report.direction)][index(findings->front().code)]);
  impl_->stages[0].observe(stages.dns);
  impl_->stages[1].observe(stages.end_of_message);
  impl_->stages[2].observe(stages.transaction);
}

void Metrics::passed_unjudged() noexcept {
  add(impl_->unjudged);
}

std::string Metrics::text(const Now& now) const {
  Exposition out;
  impl_->say_messages(out);
  impl_->say_findings(out);
  out.say(Metric::unjudged, value(impl_->unjudged));
  for (std::size_t i = 0; i < kStages.size(); ++i) out.say(Metric::stage, impl_->stages[i], {{"stage", kStages[i]}});
  say_now(now, out);
  return out.text();
}

}  // namespace sesame::milter
