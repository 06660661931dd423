// What keeps an exception from ending a thread of the watch, and the daemon with it. Inside this folder only.
#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <utility>

#include "watch/watcher.h"

namespace sesame::watch {

// Our code throws nothing; a library may, or memory may be short. That is told once. Thread-safe.
class Guard {
 public:
  explicit Guard(Say say) : say_(std::move(say)) {}

  // Returns whatever `step` does.
  template <class Step>
  void run(Step&& step) noexcept {
    try {
      step();
    } catch (const std::exception& error) {
      tell(error.what());
    } catch (...) {
      tell("an unknown exception");
    }
  }

 private:
  void tell(const char* what) noexcept {
    if (told_.exchange(true) || !say_) return;
    try {
      say_(Loudness::error, std::string("an error inside, and what it was about is left out: ") + what);
    } catch (...) {
      // Not even that.
    }
  }

  const Say say_;
  std::atomic<bool> told_ = false;
};

}  // namespace sesame::watch
