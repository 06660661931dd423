// Keeps what was learned from received mail in its file.
#pragma once

#include <chrono>
#include <memory>

#include "milter/log.h"
#include "milter/runtime.h"

namespace sesame::milter {

// Not thread-safe: one thread looks after it.
class Keeper {
 public:
  static constexpr std::chrono::seconds kInterval{60};

  explicit Keeper(Log& log) : log_(log) {}

  // Call often: writes what changed, a while after the last time, and what is no longer used as soon as a reload put
  // another in its place.
  void look(const inspect::Runtime& current, std::chrono::steady_clock::time_point now);
  // Writes what changed.
  void save(const inspect::Runtime& current);

 private:
  void write();

  Log& log_;
  std::shared_ptr<ses::Arrivals> arrivals_;  // last seen
  std::chrono::steady_clock::time_point next_{};
  enum class Said { nothing, failure } said_ = Said::nothing;
};

}  // namespace sesame::milter
