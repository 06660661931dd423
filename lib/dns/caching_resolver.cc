#include "dns/caching_resolver.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "dns/name.h"
#include "util/lru_cache.h"

namespace sesame::dns {
namespace {

// One wait at most; longer deadlines wait again. Keeps a deadline of "never" out of the clock's arithmetic.
constexpr std::chrono::hours kLongestWait{1};

struct Key {
  std::string name;
  Type type;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    return std::hash<std::string>()(key.name) * 31 + static_cast<std::size_t>(key.type);
  }
};

std::size_t heap_bytes(const std::vector<std::string>& texts) {
  std::size_t sum = texts.capacity() * sizeof(std::string);
  for (const auto& text : texts) sum += text.capacity();
  return sum;
}

// What an answer and the key that leads to it (kept in the list and in the index) take.
std::size_t size_of(const Key& key, const Answer& answer) {
  std::size_t sum = sizeof(Answer) + answer.name.capacity() + 2 * key.name.capacity() + heap_bytes(answer.cnames) +
                    heap_bytes(answer.texts) + heap_bytes(answer.names) +
                    answer.addresses.capacity() * sizeof(IpAddress) + answer.exchanges.capacity() * sizeof(Mx);
  for (const auto& mx : answer.exchanges) sum += mx.host.capacity();
  return sum;
}

AnswerPtr without_asking(std::string_view name, Type type, Status status, const Clock& clock) {
  auto answer = std::make_shared<Answer>();
  answer->name = name;
  answer->type = type;
  answer->status = status;
  answer->received = clock.steady_now();
  return answer;
}

}  // namespace

// Shared with the callbacks of questions still open, so that an answer that comes late finds it.
struct CachingResolver::State : std::enable_shared_from_this<State> {
  // One question on its way. `answer` is guarded by the mutex of the state and set once.
  struct Flight {
    Key key;
    std::condition_variable landed;
    AnswerPtr answer;
    // The chain followed so far. Only the one callback at a time that continues the question touches these.
    std::vector<std::string> cnames;
    std::uint32_t ttl = 0;
  };
  using FlightPtr = std::shared_ptr<Flight>;

  State(Upstream& servers, const CacheOptions& limits, const Clock& time)
      : upstream(servers), options(limits), clock(time), cache(limits.max_bytes) {}

  // Lives as long as it calls back: the resolver destroys it first.
  Upstream& upstream;
  const CacheOptions options;
  const Clock& clock;

  std::mutex mutex;
  LruCache<Key, AnswerPtr, KeyHash> cache;
  std::unordered_map<Key, FlightPtr, KeyHash> flights;
  CacheCounters counters;

  // With the mutex held. Null when nothing is known or it is too old.
  AnswerPtr cached(const Key& key) {
    const auto* found = cache.find(key);
    if (!found) return nullptr;
    if (clock.steady_now() < (*found)->received + std::chrono::seconds((*found)->ttl)) return *found;
    cache.erase(key);
    return nullptr;
  }

  struct Joined {
    AnswerPtr known;   // or:
    FlightPtr flight;  // on its way
    bool is_new = false;
  };

  // The caller asks for a new flight; the mutex is no longer held then, as the upstream may answer at once.
  Joined join(const Key& key) {
    const std::lock_guard lock(mutex);
    if (auto answer = cached(key)) return {std::move(answer), nullptr};
    auto& flight = flights[key];
    if (flight) return {nullptr, flight};
    ++counters.misses;
    flight = std::make_shared<Flight>();
    flight->key = key;
    flight->ttl = std::max(options.max_ttl, options.max_negative_ttl);
    return {nullptr, flight, true};
  }

  void ask(const FlightPtr& flight, const std::string& name) {
    upstream.ask(name, flight->key.type,
                 [self = shared_from_this(), flight](Answer answer) { self->arrived(flight, std::move(answer)); });
  }

  // An answer, perhaps of only a part of the chain.
  void arrived(const FlightPtr& flight, Answer answer) {
    const bool goes_on = answer.status == Status::nodata && !answer.cnames.empty();
    if (!append_chain(*flight, answer.cnames)) answer.status = Status::cname_limit;
    flight->ttl = std::min(flight->ttl, answer.ttl);
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
      if (flight.cnames.size() == options.max_cnames || link == flight.key.name ||
          std::ranges::find(flight.cnames, link) != flight.cnames.end())
        return false;
      flight.cnames.push_back(link);
    }
    return true;
  }

  void land(const FlightPtr& flight, Answer last) {
    last.name = flight->key.name;
    last.type = flight->key.type;
    last.cnames = std::move(flight->cnames);
    last.received = clock.steady_now();
    last.ttl = std::min(flight->ttl, is_absent(last.status) ? options.max_negative_ttl : options.max_ttl);
    if (is_temporary(last.status)) last = without_records(std::move(last));
    AnswerPtr answer = std::make_shared<const Answer>(std::move(last));
    const std::lock_guard lock(mutex);
    if (!is_temporary(answer->status) && answer->ttl > 0) cache.put(flight->key, answer, size_of(flight->key, *answer));
    flight->answer = std::move(answer);
    flights.erase(flight->key);
    flight->landed.notify_all();
  }

  static Answer without_records(Answer answer) {
    answer.texts.clear();
    answer.addresses.clear();
    answer.exchanges.clear();
    answer.names.clear();
    answer.ttl = 0;
    return answer;
  }

  // The answer, or null when the deadline is first.
  AnswerPtr wait(Flight& flight, Deadline deadline) {
    std::unique_lock lock(mutex);
    while (!flight.answer) {
      const auto now = clock.steady_now();
      if (now >= deadline) return nullptr;
      const auto left = deadline - now;
      const bool last_wait = left <= kLongestWait;
      const auto status = flight.landed.wait_for(lock, last_wait ? left : Duration(kLongestWait));
      if (status == std::cv_status::timeout && last_wait) break;
    }
    return flight.answer;
  }

  void count(std::uint64_t CacheCounters::*counter) {
    const std::lock_guard lock(mutex);
    ++(counters.*counter);
  }
};

CachingResolver::CachingResolver(std::unique_ptr<Upstream> upstream, const CacheOptions& options, const Clock& clock)
    : state_(std::make_shared<State>(*upstream, options, clock)), upstream_(std::move(upstream)) {}

// Member by member, the last first: the upstream ends its questions while the state is still there for them.
CachingResolver::~CachingResolver() = default;

AnswerPtr CachingResolver::lookup(std::string_view asked, Type type, Deadline deadline) {
  auto name = canonical(asked);
  if (!name) return without_asking(asked, type, Status::nxdomain, state_->clock);
  const Key key{std::move(*name), type};
  const auto joined = state_->join(key);
  if (joined.known) {
    state_->count(&CacheCounters::hits);
    return joined.known;
  }
  if (joined.is_new)
    state_->ask(joined.flight, key.name);
  else
    state_->count(&CacheCounters::merged);
  if (auto answer = state_->wait(*joined.flight, deadline)) return answer;
  return without_asking(key.name, type, Status::timeout, state_->clock);
}

void CachingResolver::prefetch(std::string_view asked, Type type) {
  auto name = canonical(asked);
  if (!name) return;
  const Key key{std::move(*name), type};
  const auto joined = state_->join(key);
  if (joined.is_new) state_->ask(joined.flight, key.name);
}

CacheCounters CachingResolver::counters() const {
  const std::lock_guard lock(state_->mutex);
  CacheCounters counters = state_->counters;
  counters.evictions = state_->cache.evictions();
  counters.entries = state_->cache.size();
  counters.bytes = state_->cache.bytes();
  return counters;
}

}  // namespace sesame::dns
