#include "dns/cache_shard.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sesame::dns {
namespace {

// One wait at most; longer deadlines wait again. Keeps a deadline of "never" out of the clock's arithmetic.
constexpr std::chrono::hours kLongestWait{1};

// That are told of one answer: they are, one after the other, by the thread that all answers come through. A sender may
// begin any number of messages that wait for the same name; those who are not told have asked no less.
constexpr std::size_t kMaxThens = 64;

// The records of half an answer are none.
Answer failed(const Answer& answer) {
  Answer failure;
  failure.status = answer.status;
  failure.name = answer.name;
  failure.type = answer.type;
  failure.cnames = answer.cnames;
  failure.received = answer.received;
  return failure;
}

}  // namespace

CacheShard::Hit CacheShard::hit(const QuestionView& question, Time now) {
  const std::lock_guard lock(mutex_);
  auto found = cache_.hit(question, now);
  if (!found.answer) return {};
  ++counters_.hits;
  if (!found.refresh || flights_.contains(question)) return {std::move(found.answer), nullptr};
  ++counters_.refreshes;
  return {std::move(found.answer), open(question, now)};
}

AnswerPtr CacheShard::fresh(const QuestionView& question, Time now) {
  const std::lock_guard lock(mutex_);
  return cache_.fresh(question, now);
}

CacheShard::Joined CacheShard::join(const QuestionView& question, Time now, std::uint64_t recoveries, Wanted wanted,
                                    Resolver::Then* then) {
  const bool is_lookup = wanted == Wanted::yes;
  const std::lock_guard lock(mutex_);
  Joined joined{cache_.known(question, now, recoveries), nullptr};
  if (joined.known.fresh || joined.known.failure) {
    if (is_lookup) ++(joined.known.fresh ? counters_.hits : counters_.failures_held);
    return joined;
  }
  if (const auto open_one = flights_.find(question); open_one != flights_.end()) {
    joined.flight = open_one->second;
    if (is_lookup) ++counters_.merged;
  } else {
    joined.flight = open(question, now);
    joined.is_new = true;
    ++counters_.misses;
  }
  joined.flight->wanted = joined.flight->wanted || is_lookup;
  if (then && *then && !joined.known.stale && joined.flight->thens.size() < kMaxThens)
    joined.flight->thens.push_back(std::move(*then));
  return joined;
}

// With the mutex held.
FlightPtr CacheShard::open(const QuestionView& question, Time now) {
  auto flight = std::make_shared<Flight>();
  flight->question = {std::string(question.name), question.type};
  flight->began = now;
  flight->ttl = std::max(options_.max_ttl, options_.max_negative_ttl);
  flights_.emplace(flight->question, flight);
  return flight;
}

std::vector<Resolver::Then> CacheShard::land(Flight& flight, Answer answer) {
  const bool failure = is_temporary(answer.status);
  if (failure) answer = failed(answer);
  const std::lock_guard lock(mutex_);
  if (failure) {
    cache_.keep_failure(flight.question, {answer.status, answer.received, flight.recoveries});
    flight.answer = std::make_shared<const Answer>(std::move(answer));
  } else {
    flight.answer = cache_.keep(flight.question, std::move(answer), flight.wanted ? Wanted::yes : Wanted::no);
  }
  flights_.erase(flight.question);
  flight.landed.notify_all();
  return std::move(flight.thens);
}

AnswerPtr CacheShard::wait(Flight& flight, Deadline deadline, const Clock& clock) {
  const auto began = clock.steady_now();
  std::unique_lock lock(mutex_);
  while (!flight.answer) {
    const auto now = clock.steady_now();
    if (now >= deadline) break;
    const auto left = deadline - now;
    const bool last_wait = left <= kLongestWait;
    const auto status = flight.landed.wait_for(lock, last_wait ? left : Duration(kLongestWait));
    if (status == std::cv_status::timeout && last_wait) break;
  }
  counters_.waits.add(std::chrono::duration_cast<std::chrono::microseconds>(clock.steady_now() - began));
  return flight.answer;
}

void CacheShard::count_stale() {
  const std::lock_guard lock(mutex_);
  ++counters_.stale;
}

void CacheShard::add_to(CacheCounters& sum) const {
  const std::lock_guard lock(mutex_);
  sum.hits += counters_.hits;
  sum.misses += counters_.misses;
  sum.merged += counters_.merged;
  sum.failures_held += counters_.failures_held;
  sum.stale += counters_.stale;
  sum.refreshes += counters_.refreshes;
  sum.evictions += cache_.evictions();
  sum.entries += cache_.size();
  sum.bytes += cache_.bytes();
  sum.waits.add(counters_.waits);
}

std::vector<AnswerCache::Ranked> CacheShard::answers(Time now) const {
  const std::lock_guard lock(mutex_);
  return cache_.answers(now);
}

bool CacheShard::restore(const KeptAnswer& kept, Time now) {
  const std::lock_guard lock(mutex_);
  return cache_.restore(kept, now);
}

}  // namespace sesame::dns
