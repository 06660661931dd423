// What is under way, so that a stop can wait for it: libmilter has no call for that.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace sesame::milter {

// A count of things that have begun and not ended. Thread-safe.
class Underway {
 public:
  // One of them; ends with its life.
  class Token {
   public:
    explicit Token(Underway& count) : count_(&count) { count_->begin(); }
    ~Token() {
      if (count_) count_->end();
    }
    Token(Token&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    Token& operator=(Token&&) = delete;

   private:
    Underway* count_;
  };

  // Waits until there are none, at most that long; returns how many are left.
  std::size_t wait_for_none(std::chrono::milliseconds at_most);
  std::size_t count();

 private:
  void begin();
  void end();

  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

}  // namespace sesame::milter
