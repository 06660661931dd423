// Whose turn it is to be looked at. Pure: it is told the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "util/clock.h"
#include "watch/records.h"

namespace sesame::watch {

// An identity, as the schedule knows it.
struct Turn {
  std::string account, identity, region;
  auto operator<=>(const Turn&) const = default;
};
inline Turn turn_of(const Subject& subject) {
  return {subject.account, subject.identity, subject.region};
}

class Schedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Options {
    Duration interval{};                           // between two looks at one, give or take a tenth
    double max_rate = 1;                           // questions a second, of all together
    Duration first_gap = std::chrono::seconds(1);  // at most, between first looks that should come soon
    std::uint64_t seed = 0;                        // of the jitter
  };
  // What is looked at from now on.
  struct Candidate {
    Turn who;
    // soon: nothing is known of it, or it was not well when last seen. in_time: it was, and has its turn within the
    // interval.
    enum class Haste { soon, in_time } haste = Haste::soon;
    std::int64_t checked = 0;   // when it was last looked at, unix seconds; 0 = never. Who waited longest goes first.
    std::size_t questions = 1;  // that a look takes, as far as one can guess
  };

  explicit Schedule(const Options& options);

  // Those who are here already keep their turn; those who are no longer named are forgotten.
  void replace(std::vector<Candidate> candidates, Time now);
  // Who is to be looked at now. Not again before done() tells of it.
  std::optional<Turn> next(Time now);
  // A look is over. It took so many questions; the next will take as many.
  void done(const Turn& who, std::size_t questions);
  // The earliest time at which next() has somebody; Time::max() when there is nobody to wait for.
  Time wake() const;
  std::size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    Time due{};
    std::size_t questions = 1;
    bool under_way = false;
  };
  void insert(const Candidate& candidate, Time due);
  Duration time_for(std::size_t questions) const;
  Duration next_interval();

  const Options options_;
  std::mt19937_64 random_;
  std::map<Turn, Slot> slots_;
  std::set<std::pair<Time, Turn>> waiting_;  // all but those under way
  // The questions asked so far take until then at the rate that is allowed.
  Time free_at_{};
};

}  // namespace sesame::watch
