#include "dns/caching_resolver.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "dns/cache_shard.h"
#include "dns/name.h"

namespace sesame::dns {
namespace {

using Time = AnswerCache::Time;
using Wanted = AnswerCache::Wanted;

// RFC 8767 Section 4: of stale data in an answer.
constexpr std::uint32_t kStaleTtl = 30;

// A shard has room for every answer that makes sense (a fifth of it, see LruCache), so a small cache has only one.
constexpr std::size_t kMaxShards = 16;
constexpr std::size_t kLeastShard = 4u << 20;  // octets

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

}  // namespace

// Shared with the callbacks of questions still open, so that an answer that comes late finds it. The upstream is never
// called with a mutex held, as it may call back at once, nor is a Then.
struct CachingResolver::State final : Resolver, std::enable_shared_from_this<State> {
  State(Upstream& servers, const CacheOptions& limits, const Clock& time)
      : upstream(servers), options(limits), clock(time) {
    const auto count = std::clamp<std::size_t>(options.max_bytes / kLeastShard, 1, kMaxShards);
    while (shards.size() < count) shards.push_back(std::make_unique<CacheShard>(options, options.max_bytes / count));
  }

  // Lives as long as it calls back: the resolver destroys it first.
  Upstream& upstream;
  const CacheOptions options;
  const Clock& clock;
  // Each has its own names. Whoever fills one by choosing names, if that could be done, fills a part of the cache.
  std::vector<std::unique_ptr<CacheShard>> shards;
  std::atomic<bool> ending = false;  // nobody is told any more

  CacheShard& shard_of(const QuestionView& question) const {
    return *shards[(question.name_hash >> 32) * shards.size() >> 32];
  }

  // Only canonical names are kept. What is found as it is needs no look at its letters.
  AnswerPtr lookup(std::string_view asked, Type type, Deadline deadline) override {
    const auto now = clock.steady_now();
    const QuestionView as_is(asked, type);
    if (auto answer = hit(as_is, now)) return answer;
    NameRoom room;
    const auto name = canonical(asked, room);
    if (!name) return without_records(asked, type, Status::nxdomain, now);
    if (*name == asked) return fetch(as_is, now, deadline);
    const QuestionView question(*name, type);
    auto answer = hit(question, now);
    return answer ? answer : fetch(question, now, deadline);
  }

  void prefetch(std::string_view asked, Type type) override { prefetch_then(asked, type, nullptr); }

  void prefetch_then(std::string_view asked, Type type, Then then) override {
    const auto now = clock.steady_now();
    const QuestionView as_is(asked, type);
    if (const auto fresh = shard_of(as_is).fresh(as_is, now)) return tell(then, *fresh);
    NameRoom room;
    const auto name = canonical(asked, room);
    if (!name) return;
    const QuestionView question(*name, type);
    const auto joined = shard_of(question).join(question, now, upstream.recoveries(), Wanted::no, &then);
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
  AnswerPtr hit(const QuestionView& question, Time now) {
    auto [answer, ahead] = shard_of(question).hit(question, now);
    if (ahead) send(ahead);
    return std::move(answer);
  }

  AnswerPtr fetch(const QuestionView& question, Time now, Deadline deadline) {
    auto& shard = shard_of(question);
    const auto joined = shard.join(question, now, upstream.recoveries(), Wanted::yes, nullptr);
    const auto& known = joined.known;
    if (known.fresh) return known.fresh;
    if (!joined.flight && known.stale) return stale(shard, *known.stale);
    if (!joined.flight) return without_records(question.name, question.type, known.failure->status, known.failure->at);
    if (joined.is_new) send(joined.flight);
    auto answer = shard.wait(*joined.flight, known.stale ? std::min(deadline, patience(joined)) : deadline, clock);
    if (known.stale && (!answer || is_temporary(answer->status))) return stale(shard, *known.stale);
    return answer ? answer : without_records(question.name, question.type, Status::timeout, clock.steady_now());
  }

  // Until when to wait for something newer than a stale answer. RFC 8767 Section 5: the client response timer. It runs
  // from the question, so that of all who wait for servers that do not answer only the first wait long, and nobody does
  // where they did not answer the last time either.
  Deadline patience(const CacheShard::Joined& joined) const {
    return joined.known.silent ? joined.flight->began : joined.flight->began + options.stale_after;
  }

  static AnswerPtr stale(CacheShard& shard, const Answer& answer) {
    shard.count_stale();
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
    land(*flight, std::move(answer));
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

  void land(Flight& flight, Answer last) {
    last.name = flight.question.name;
    last.type = flight.question.type;
    last.cnames = std::move(flight.cnames);
    last.received = clock.steady_now();
    last.ttl = flight.ttl;
    last.authenticated = flight.authenticated;
    last.stale = false;
    const auto thens = shard_of(flight.question).land(flight, std::move(last));
    if (is_temporary(flight.answer->status)) return;
    for (const auto& then : thens) tell(then, *flight.answer);
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
  CacheCounters sum;
  for (const auto& shard : state_->shards) shard->add_to(sum);
  return sum;
}

std::vector<KeptAnswer> CachingResolver::entries() const {
  const auto now = state_->clock.steady_now();
  std::vector<AnswerCache::Ranked> all;
  for (const auto& shard : state_->shards) std::ranges::move(shard->answers(now), std::back_inserter(all));
  std::ranges::stable_sort(all, {}, [](const auto& each) { return std::pair(each.kept.in_use, each.used); });
  std::vector<KeptAnswer> entries;
  entries.reserve(all.size());
  for (auto& each : all) entries.push_back(std::move(each.kept));
  return entries;
}

// Each at a time of its own, so that their order outlives the next restart as well.
std::size_t CachingResolver::restore(const std::vector<KeptAnswer>& entries) {
  std::size_t taken = 0;
  for (const auto& kept : entries) {
    auto& shard = state_->shard_of({kept.answer->name, kept.answer->type});
    if (shard.restore(kept, state_->clock.steady_now())) ++taken;
  }
  return taken;
}

}  // namespace sesame::dns
