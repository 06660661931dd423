// Time as an interface, so that tests own it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sesame {

using Duration = std::chrono::steady_clock::duration;
// A point on the monotonic clock after which nobody waits any more.
using Deadline = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic, for deadlines and TTLs.
  virtual std::chrono::steady_clock::time_point steady_now() const = 0;
  // Seconds since 1970-01-01T00:00:00Z, for t= and x= and log lines.
  virtual std::int64_t unix_now() const = 0;
};

// The machine's clocks. Thread-safe.
const Clock& system_clock();

// RFC 3339, in UTC: "2026-01-01T00:00:00Z".
std::string timestamp(std::int64_t unix_seconds);
// The seconds of an RFC 3339 date-time, with any offset and with or without a fraction, which is dropped. Nothing when
// it is none, as where the offset is missing.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace sesame
