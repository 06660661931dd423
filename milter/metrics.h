// What is counted and timed of messages, for Prometheus. metrics.cc alone includes prometheus-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dns/caching_resolver.h"
#include "history/history.h"
#include "milter/stages.h"
#include "policy/decide.h"
#include "policy/report.h"

namespace sesame::milter {

// Thread-safe. Label values are words of this program, never text of a message.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Waits for nobody.
  void judged(const policy::Report& report, const policy::Decision& decision, const Stages& stages) noexcept;
  void passed_unjudged() noexcept;

  // The text format of Prometheus, of the counters and of what is only known when somebody asks.
  struct Now {
    std::size_t connections = 0, messages = 0;  // under way
    const dns::CachingResolver* dns = nullptr;  // null: none
    history::Standing history;
    std::vector<std::pair<std::string, std::uint64_t>> watched;  // state -> records
    std::uint64_t identities = 0;
    std::int64_t snapshot_age_s = -1;  // -1: there is none
  };
  std::string text(const Now& now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::milter
