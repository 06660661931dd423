#include "milter/underway.h"

namespace sesame::milter {

std::size_t Underway::wait_for_none(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  none_.wait_for(lock, at_most, [this] { return count_ == 0; });
  return count_;
}

std::size_t Underway::count() {
  const std::lock_guard lock(mutex_);
  return count_;
}

void Underway::begin() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void Underway::end() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

}  // namespace sesame::milter
