// The history as the daemon keeps it: a recorder for the store that the configuration in force names.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "history/recorder.h"
#include "milter/log.h"
#include "milter/runtime.h"
#include "milter/stages.h"
#include "policy/decide.h"
#include "policy/report.h"
#include "util/guarded.h"

namespace sesame::milter {

class Recording {
 public:
  explicit Recording(Log& log) : log_(log) {}

  // Call often, and after each reload, by one thread: begins, changes or ends the keeping as the runtime asks. What the
  // old recorder has not written yet it still writes.
  void follow(const inspect::Runtime& runtime);
  // Any thread. Never waits and never throws; does nothing where nothing is kept.
  void record(policy::Report&& report, policy::Decision&& decision, const Stages& stages) noexcept;
  // Of all recorders since the start.
  history::Standing standing() const;
  // Nothing is kept any more. Within about `at_most`.
  void stop(std::chrono::milliseconds at_most);

 private:
  using Recorders = std::vector<std::shared_ptr<history::Recorder>>;
  struct State {
    std::shared_ptr<history::Recorder> current;  // null: nothing is kept
    Recorders finishing;                         // with the settings before
    std::uint64_t kept = 0, lost = 0;            // by those that have ended
  };

  history::Options wanted(const inspect::Runtime& runtime);
  void replace(std::shared_ptr<history::Recorder> next);
  void finish(const std::shared_ptr<history::Recorder>& old, const std::stop_token& at_once);

  Log& log_;
  history::Options options_;               // of the current recorder
  std::string told_;                       // the store whose directory is not there
  std::atomic<std::uint64_t> unmade_ = 0;  // messages for which there was no memory
  mutable Guarded<State> state_;
  std::vector<std::jthread> finishers_;
};

// Where rows go, for the log, without a password; "none" where nothing is kept.
std::string kept_in(const history::Options& options);

}  // namespace sesame::milter
