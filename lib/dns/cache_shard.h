// One part of the cache: what is known of some names, and the questions about them that are on their way. Inside this
// folder only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "dns/answer_cache.h"
#include "dns/resolver.h"

namespace sesame::dns {

// One question on its way.
struct Flight {
  Question question;
  AnswerCache::Time began;
  // The mutex of the shard guards these; the answer is set once.
  bool wanted = false;                // somebody has looked it up
  std::vector<Resolver::Then> thens;  // whoever is to be told
  AnswerPtr answer;
  std::condition_variable landed;
  // The chain followed so far. Only the one callback at a time that continues the question touches these.
  std::vector<std::string> cnames;
  std::uint32_t ttl = 0;
  bool authenticated = true;
  std::uint64_t recoveries = 0;
};
using FlightPtr = std::shared_ptr<Flight>;

// Thread-safe. Calls nobody with its mutex held.
class alignas(64) CacheShard {  // a cache line: threads that use other shards are not slowed down
 public:
  using Time = AnswerCache::Time;
  using Wanted = AnswerCache::Wanted;

  CacheShard(const CacheOptions& options, std::size_t max_bytes) : options_(options), cache_(options, max_bytes) {}

  struct Hit {
    AnswerPtr answer;  // null when nothing is known, or its time to live is over
    FlightPtr ahead;   // new: asks for the next one; the caller sends it
  };
  Hit hit(const QuestionView& question, Time now);
  // For somebody who may ask later. Null as above.
  AnswerPtr fresh(const QuestionView& question, Time now);

  struct Joined {
    AnswerCache::Known known;
    FlightPtr flight;  // null when what is known is enough
    bool is_new = false;
  };
  // The caller sends a new flight. `then`, if there is one, goes with the flight where nothing is known.
  Joined join(const QuestionView& question, Time now, std::uint64_t recoveries, Wanted wanted, Resolver::Then* then);
  // The end of the flight, and who is to be told.
  std::vector<Resolver::Then> land(Flight& flight, Answer answer);
  // The answer, or null when the deadline is first.
  AnswerPtr wait(Flight& flight, Deadline deadline, const Clock& clock);

  void count_stale();
  void add_to(CacheCounters& sum) const;

  // In the order of their value, the least first.
  std::vector<AnswerCache::Ranked> answers(Time now) const;
  bool restore(const KeptAnswer& kept, Time now);

 private:
  FlightPtr open(const QuestionView& question, Time now);

  const CacheOptions& options_;
  mutable std::mutex mutex_;
  AnswerCache cache_;
  std::unordered_map<Question, FlightPtr, QuestionHash, SameQuestion> flights_;
  CacheCounters counters_;
};

}  // namespace sesame::dns
