// What is known of every question: how long that is true, how long it may serve after that, and what gives way to what.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "dns/caching_resolver.h"
#include "dns/question.h"
#include "util/lru_cache.h"

namespace sesame::dns {

// Not thread-safe: its owner holds the mutex, and the options for longer. The entry of a question is its latest answer,
// or a failure that came later than it, or both.
class AnswerCache {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Failure {
    Status status;
    Time at;
    std::uint64_t recoveries;  // Upstream::recoveries() when the question was asked
  };

  struct Hit {
    AnswerPtr answer;      // null when nothing is known, or its time to live is over
    bool refresh = false;  // time to ask for the next
  };

  struct Known {
    AnswerPtr fresh;                 // or, perhaps:
    AnswerPtr stale;                 // past its time to live, but may still serve
    std::optional<Failure> failure;  // held: there is no use in asking
    bool silent = false;             // when it was asked last, nobody answered, and nobody has come back since
  };

  AnswerCache(const CacheOptions& options, std::size_t max_bytes) : options_(options), entries_(max_bytes) {}

  // For somebody who asks: a use of the entry.
  Hit hit(const QuestionView& question, Time now);
  // The same, and no use.
  AnswerPtr fresh(const QuestionView& question, Time now);
  // In full, and no use.
  Known known(const QuestionView& question, Time now, std::uint64_t recoveries);

  enum class Wanted { no, yes };  // has somebody asked?
  // The answer with the time to live that it is kept for. It takes the place of what was known, whatever that was.
  AnswerPtr keep(const Question& question, Answer answer, Wanted wanted);
  // Leaves the answer of before in its place.
  void keep_failure(const Question& question, const Failure& failure);

  struct Ranked {
    KeptAnswer kept;
    Time used;  // last; never before the one that would be forgotten first of two alike in_use
  };
  // What would be forgotten first comes first.
  std::vector<Ranked> answers(Time now) const;
  // False when it is too old, or something is known already.
  bool restore(const KeptAnswer& kept, Time now);

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return entries_.bytes(); }
  std::uint64_t evictions() const { return entries_.evictions(); }

 private:
  struct Entry {
    AnswerPtr answer;
    std::optional<Failure> failure;
    Time used;
  };
  using Entries = LruCache<Question, Entry, QuestionHash>;

  std::uint32_t limited_ttl(const Answer& answer) const;
  bool is_held(const Failure& failure, Time now) const { return now < failure.at + options_.failure_ttl; }
  bool may_serve(const Answer& answer, Time now) const;

  const CacheOptions& options_;
  Entries entries_;
};

}  // namespace sesame::dns
