// Titles and texts of notices. Inside this folder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watch/notice.h"
#include "watch/state.h"

namespace sesame::watch {

// A line of a digest or of a list names at most so many.
constexpr std::size_t kNamed = 12;

// A point on one of SES's clocks that people are told of.
struct Moment {
  enum class Which { near, comes, surely } which = Which::near;  // before `earliest`, at it, at `latest`
  Deadline deadline;
  std::int64_t at = 0;  // unix seconds
};

// The records of the notice's identity that are not healthy now, and SES's clocks about them.
struct Standing {
  std::span<const RecordState> records;
  std::span<const Deadline> deadlines;
};
// Fills title and text of a notice that is otherwise complete.
void word_change(Notice& notice, const Standing& standing);
void word_reminder(Notice& notice, const Standing& standing, const Moment& moment);
// Of identities that changed, and of others whose deadlines come near; `pause` is in seconds, until the next digest.
struct Reminded {
  std::string identity;
  Moment moment;
};
void word_digest(Notice& notice, std::span<const Reminded> reminded, std::int64_t pause);
// silence, restored, unreachable, reachable: `began` is when what is told of began.
void word_connection(Notice& notice, std::int64_t began);

// "2026-01-01 00:00 UTC"
std::string minute(std::int64_t unix_seconds);
// "2 minutes", "36 hours", "5 days": rounded.
std::string span_of(std::int64_t seconds);
// One paragraph in lines of at most 78 octets; the first begins with `first`, the others with `next`.
std::string wrap(std::string_view text, std::string_view first, std::string_view next);

}  // namespace sesame::watch
