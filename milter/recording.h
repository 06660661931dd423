// The history as the daemon keeps it: a recorder for the store that the configuration in force names.
#pragma once

#include <chrono>
#include <memory>

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
  void record(policy::Report report, policy::Decision decision, const Stages& stages) noexcept;
  history::Standing standing() const;
  void stop(std::chrono::milliseconds at_most);

 private:
  Log& log_;
  history::Options options_;
  mutable Guarded<std::shared_ptr<history::Recorder>> recorder_;
};

}  // namespace sesame::milter
