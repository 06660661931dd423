// Lines that come again and again: after the first few of a minute they are counted instead.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "milter/level.h"

namespace sesame::milter {

// Lines are the same where they differ in numbers only. Not thread-safe.
class Repeats {
 public:
  static constexpr std::uint64_t kMost = 10;  // of the same lines in a while
  static constexpr std::chrono::seconds kWhile{60};
  static constexpr std::size_t kMaxLines = 256;  // different ones that are kept in mind; others are not held back

  using Time = std::chrono::steady_clock::time_point;

  // False: it is held back.
  bool lets_pass(std::string_view line, Level level, Time now);

  struct Held {
    std::string line;  // the first of them
    Level level = Level::error;
    std::uint64_t count = 0;
  };
  // What was held back in whiles that are over; told once.
  std::vector<Held> over(Time now);
  // The same whether they are over or not.
  std::vector<Held> all();

 private:
  struct Line {
    Time began{};
    std::uint64_t seen = 0;
    Held held;
  };

  static bool is_over(const Line& line, Time now);

  std::map<std::string, Line, std::less<>> lines_;  // by what does not vary
};

}  // namespace sesame::milter
