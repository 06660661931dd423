#include "dns/caching_resolver.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "dns/answer_cache.h"
#include "dns/name.h"

namespace sesame::dns {
namespace {

using Time = AnswerCache::Time;

// One wait at most; longer deadlines wait again. Keeps a deadline of "never" out of the clock's arithmetic.
constexpr std::chrono::hours kLongestWait{1};

// RFC 8767 Section 4: of stale data in an answer.
constexpr std::uint32_t kStaleTtl = 30;

AnswerPtr without_records(std::string_view name, Type type, Status status, Time at) {
  auto answer = std::make_shared<Answer>();
  answer->name = name;
  answer->type = type;
  answer->status = status;
  answer->received = at;
  return answer;
}

AnswerPtr stale_copy(const Answer& answer) {
  auto copy = std::make_shared<Answer>(answer);
  copy->stale = true;
  copy->ttl = kStaleTtl;
  return copy;
}

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

// Shared with the callbacks of questions still open, so that an answer that comes late finds it.
//
// Order of locks: the upstream is never called with the mutex held, as it may call back at once, nor is a Then.
struct CachingResolver::State final : Resolver, std::enable_shared_from_this<State> {
  // One question on its way. The mutex of the state guards `wanted` and `answer`, which is set once.
  struct Flight {
    Question question;
    Time began;
    bool wanted = false;      // somebody has looked it up
    std::vector<Then> thens;  // guarded too
    std::condition_variable landed;
    AnswerPtr answer;
    // The chain followed so far. Only the one callback at a time that continues the question touches these.
    std::vector<std::string> cnames;
    std::uint32_t ttl = 0;
    bool authenticated = true;
    std::uint64_t recoveries = 0;
  };
  using FlightPtr = std::shared_ptr<Flight>;

  struct Joined {
    AnswerCache::Known known;
    FlightPtr flight;  // null when what is known is enough
    bool is_new = false;
  };

  State(Upstream& servers, const CacheOptions& limits, const Clock& time)
      : upstream(servers), options(limits), clock(time), cache(limits) {}

  // Lives as long as it calls back: the resolver destroys it first.
  Upstream& upstream;
  const CacheOptions options;
  const Clock& clock;

  std::mutex mutex;
  AnswerCache cache;
  std::unordered_map<Question, FlightPtr, QuestionHash, SameQuestion> flights;
  CacheCounters counters;
  std::atomic<bool> ending = false;  // nobody is told any more

  AnswerPtr lookup(std::string_view asked, Type type, Deadline deadline) override {
    if (is_canonical(asked)) return look_up({asked, type}, deadline);
    if (const auto name = canonical(asked)) return look_up({*name, type}, deadline);
    return without_records(asked, type, Status::nxdomain, clock.steady_now());
  }

  void prefetch(std::string_view asked, Type type) override { prefetch_then(asked, type, nullptr); }

  void prefetch_then(std::string_view asked, Type type, Then then) override {
    if (is_canonical(asked))
      prefetch_canonical({asked, type}, std::move(then));
    else if (const auto name = canonical(asked))
      prefetch_canonical({*name, type}, std::move(then));
  }

  AnswerPtr look_up(const QuestionView& question, Deadline deadline) {
    if (auto answer = hit(question)) return answer;
    const auto joined = join(question, AnswerCache::Wanted::yes, nullptr);
    if (joined.known.fresh) return joined.known.fresh;
    if (!joined.flight) return held(question, joined.known);
    if (joined.is_new) send(joined.flight);
    auto answer = wait(*joined.flight, joined.known.stale ? std::min(deadline, patience(joined)) : deadline);
    if (joined.known.stale && (!answer || is_temporary(answer->status))) return stale(*joined.known.stale);
    return answer ? answer : without_records(question.name, question.type, Status::timeout, clock.steady_now());
  }

  void prefetch_canonical(const QuestionView& question, Then then) {
    const auto joined = join(question, AnswerCache::Wanted::no, &then);
    if (joined.is_new) send(joined.flight);
    if (const auto& known = joined.known.fresh ? joined.known.fresh : joined.known.stale; known) tell(then, *known);
  }

  // Whoever is told only asks for more. It costs nobody an answer if that goes wrong.
  void tell(const Then& then, const Answer& answer) {
    if (!then || ending) return;
    try {
      then(*this, answer);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
  }

  // Null when nothing is known, or it is too old.
  AnswerPtr hit(const QuestionView& question) {
    const auto now = clock.steady_now();
    FlightPtr ahead;
    AnswerPtr answer;
    {
      const std::lock_guard lock(mutex);
      auto found = cache.hit(question, now);
      if (!found.answer) return nullptr;
      answer = std::move(found.answer);
      ++counters.hits;
      if (found.refresh && !flights.contains(question)) {
        ahead = open(question, now);
        ++counters.refreshes;
      }
    }
    if (ahead) send(ahead);
    return answer;
  }

  // The caller sends a new flight, and tells `then` where anything is known; else `then` goes with the flight.
  Joined join(const QuestionView& question, AnswerCache::Wanted wanted, Then* then) {
    const auto recoveries = upstream.recoveries();
    const auto now = clock.steady_now();
    const bool is_lookup = wanted == AnswerCache::Wanted::yes;
    const std::lock_guard lock(mutex);
    Joined joined{cache.known(question, now, recoveries), nullptr};
    if (joined.known.fresh || joined.known.failure) {
      if (is_lookup) ++(joined.known.fresh ? counters.hits : counters.failures_held);
      return joined;
    }
    if (const auto open_one = flights.find(question); open_one != flights.end()) {
      joined.flight = open_one->second;
      if (is_lookup) ++counters.merged;
    } else {
      joined.flight = open(question, now);
      joined.is_new = true;
      ++counters.misses;
    }
    joined.flight->wanted = joined.flight->wanted || is_lookup;
    if (then && *then && !joined.known.stale) joined.flight->thens.push_back(std::exchange(*then, nullptr));
    return joined;
  }

  // With the mutex held.
  FlightPtr open(const QuestionView& question, Time now) {
    auto flight = std::make_shared<Flight>();
    flight->question = {std::string(question.name), question.type};
    flight->began = now;
    flight->ttl = std::max(options.max_ttl, options.max_negative_ttl);
    flights.emplace(flight->question, flight);
    return flight;
  }

  // Until when to wait for something newer than a stale answer. RFC 8767 Section 5: the client response timer. It runs
  // from the question, so that of all who wait for servers that do not answer only the first wait long, and nobody does
  // where they did not answer the last time either.
  Deadline patience(const Joined& joined) const {
    return joined.known.silent ? joined.flight->began : joined.flight->began + options.stale_after;
  }

  AnswerPtr held(const QuestionView& question, const AnswerCache::Known& known) {
    if (known.stale) return stale(*known.stale);
    return without_records(question.name, question.type, known.failure->status, known.failure->at);
  }

  AnswerPtr stale(const Answer& answer) {
    {
      const std::lock_guard lock(mutex);
      ++counters.stale;
    }
    return stale_copy(answer);
  }

  void send(const FlightPtr& flight) {
    flight->recoveries = upstream.recoveries();
    ask(flight, flight->question.name);
  }

  void ask(const FlightPtr& flight, const std::string& name) {
    upstream.ask(name, flight->question.type,
                 [self = shared_from_this(), flight](Answer answer) { self->arrived(flight, std::move(answer)); });
  }

  // An answer, perhaps of only a part of the chain.
  void arrived(const FlightPtr& flight, Answer answer) {
    const bool goes_on = answer.status == Status::nodata && !answer.cnames.empty();
    if (!append_chain(*flight, answer.cnames)) answer.status = Status::cname_limit;
    flight->ttl = std::min(flight->ttl, answer.ttl);
    flight->authenticated = flight->authenticated && answer.authenticated;
    // A chain of exactly the longest length still gets its last name asked for.
    if (goes_on && answer.status == Status::nodata) {
      ask(flight, flight->cnames.back());
      return;
    }
    land(flight, std::move(answer));
  }

  // False when the chain meets itself or gets too long.
  bool append_chain(Flight& flight, const std::vector<std::string>& links) const {
    for (const auto& link : links) {
      if (flight.cnames.size() == options.max_cnames || link == flight.question.name ||
          std::ranges::find(flight.cnames, link) != flight.cnames.end())
        return false;
      flight.cnames.push_back(link);
    }
    return true;
  }

  void land(const FlightPtr& flight, Answer last) {
    last.name = flight->question.name;
    last.type = flight->question.type;
    last.cnames = std::move(flight->cnames);
    last.received = clock.steady_now();
    last.ttl = flight->ttl;
    last.authenticated = flight->authenticated;
    last.stale = false;
    const auto thens = landed(*flight, std::move(last));
    if (is_temporary(flight->answer->status)) return;
    for (const auto& then : thens) tell(then, *flight->answer);
  }

  // Who is to be told.
  std::vector<Then> landed(Flight& flight, Answer last) {
    const bool failure = is_temporary(last.status);
    if (failure) last = failed(last);
    const std::lock_guard lock(mutex);
    if (failure) {
      cache.keep_failure(flight.question, {last.status, last.received, flight.recoveries});
      flight.answer = std::make_shared<const Answer>(std::move(last));
    } else {
      flight.answer = cache.keep(flight.question, std::move(last),
                                 flight.wanted ? AnswerCache::Wanted::yes : AnswerCache::Wanted::no);
    }
    flights.erase(flight.question);
    flight.landed.notify_all();
    return std::move(flight.thens);
  }

  // The answer, or null when the deadline is first.
  AnswerPtr wait(Flight& flight, Deadline deadline) {
    const auto began = clock.steady_now();
    std::unique_lock lock(mutex);
    while (!flight.answer) {
      const auto now = clock.steady_now();
      if (now >= deadline) break;
      const auto left = deadline - now;
      const bool last_wait = left <= kLongestWait;
      const auto status = flight.landed.wait_for(lock, last_wait ? left : Duration(kLongestWait));
      if (status == std::cv_status::timeout && last_wait) break;
    }
    counters.waits.add(std::chrono::duration_cast<std::chrono::microseconds>(clock.steady_now() - began));
    return flight.answer;
  }
};

CachingResolver::CachingResolver(std::unique_ptr<Upstream> upstream, const CacheOptions& options, const Clock& clock)
    : state_(std::make_shared<State>(*upstream, options, clock)), upstream_(std::move(upstream)) {}

// Then member by member, the last first: the upstream ends its questions while the state is still there for them, and
// whoever is being told just now.
CachingResolver::~CachingResolver() {
  state_->ending = true;
}

AnswerPtr CachingResolver::lookup(std::string_view name, Type type, Deadline deadline) {
  return state_->lookup(name, type, deadline);
}

void CachingResolver::prefetch(std::string_view name, Type type) {
  state_->prefetch(name, type);
}

void CachingResolver::prefetch_then(std::string_view name, Type type, Then then) {
  state_->prefetch_then(name, type, std::move(then));
}

CacheCounters CachingResolver::counters() const {
  const std::lock_guard lock(state_->mutex);
  CacheCounters counters = state_->counters;
  counters.evictions = state_->cache.evictions();
  counters.entries = state_->cache.size();
  counters.bytes = state_->cache.bytes();
  return counters;
}

std::vector<KeptAnswer> CachingResolver::entries() const {
  const auto now = state_->clock.steady_now();
  const std::lock_guard lock(state_->mutex);
  return state_->cache.answers(now);
}

std::size_t CachingResolver::restore(const std::vector<KeptAnswer>& entries) {
  const auto now = state_->clock.steady_now();
  const std::lock_guard lock(state_->mutex);
  std::size_t taken = 0;
  for (const auto& kept : entries) taken += state_->cache.restore(kept, now) ? 1 : 0;
  return taken;
}

}  // namespace sesame::dns
