// The watch over the DNS records of the identities, in the daemon.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "milter/fleet.h"
#include "milter/log.h"
#include "milter/runtime.h"
#include "util/guarded.h"
#include "watch/watcher.h"

namespace sesame::milter {

// How many identities a runtime asks to watch.
std::size_t watched_by(const inspect::Runtime& runtime);

// Not thread-safe but for ledger(): one thread looks after it.
class Watching {
 public:
  explicit Watching(Log& log) : log_(log), fleet_(log) {}

  // Call often, and after each reload: starts, changes or ends the watch as the current runtime asks, and gives
  // predictions what it tells, or what another host's watch tells that looks for all that share the history.
  void follow(RuntimeStore& store);
  // Within seconds.
  void stop();
  // Does this host look itself?
  bool looks() const { return watcher_ != nullptr; }
  // How the records stand; null: nobody watches them. Any thread.
  std::shared_ptr<const watch::Ledger> ledger() const;

 private:
  void look(const Snapshot& runtime, std::vector<watch::Subject> subjects);
  void listen(std::vector<watch::Subject> subjects);
  void end();
  void begin(const watch::Options& options);
  Result<void> look_with(const Snapshot& runtime);

  Log& log_;
  Fleet fleet_;
  Fleet::Role role_ = Fleet::Role::looks;
  std::unique_ptr<watch::Watcher> watcher_;
  watch::Past known_;                       // while there is no watcher: what another told, or the last one here knew
  std::shared_ptr<watch::Ledger> hearsay_;  // the same, for predictions; null while this host looks
  watch::Options options_;
  Snapshot followed_;  // the runtime that was followed last
  std::vector<watch::Subject> subjects_;
  std::shared_ptr<dns::Resolver> unchecked_;
  config::Dns unchecked_settings_;
  mutable Guarded<std::shared_ptr<const watch::Ledger>> ledger_;
};

}  // namespace sesame::milter
