#include "dns/answer_cache.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sesame::dns {
namespace {

using Time = AnswerCache::Time;

// An answer that lives shorter is not worth a question ahead of its end. It also ends the series of ever shorter times
// to live that a caching server hands out when it is asked again and again for what it keeps itself.
constexpr std::uint32_t kLeastTtlToRefresh = 10;

Time end_of_life(const Answer& answer) {
  return answer.received + std::chrono::seconds(answer.ttl);
}

bool in_last_tenth(const Answer& answer, Time now) {
  return answer.ttl >= kLeastTtlToRefresh &&
         end_of_life(answer) - now <= Duration(std::chrono::seconds(answer.ttl)) / 10;
}

std::size_t heap_bytes(const std::vector<std::string>& texts) {
  std::size_t sum = texts.capacity() * sizeof(std::string);
  for (const auto& text : texts) sum += text.capacity();
  return sum;
}

// What an answer and the question that leads to it take.
std::size_t size_of(const Question& question, const Answer& answer) {
  std::size_t sum = sizeof(Answer) + answer.name.capacity() + question.name.capacity() + heap_bytes(answer.cnames) +
                    heap_bytes(answer.texts) + heap_bytes(answer.names) +
                    answer.addresses.capacity() * sizeof(IpAddress) + answer.exchanges.capacity() * sizeof(Mx);
  for (const auto& mx : answer.exchanges) sum += mx.host.capacity();
  return sum;
}

}  // namespace

bool AnswerCache::may_serve(const Answer& answer, Time now) const {
  return now < end_of_life(answer) + options_.max_stale;
}

AnswerCache::Hit AnswerCache::hit(const QuestionView& question, Time now) {
  const auto found = entries_.use(question);
  if (found.value) found.value->used = now;
  if (!found.value || !found.value->answer || now >= end_of_life(*found.value->answer)) return {};
  const auto& entry = *found.value;
  const bool failing = entry.failure && is_held(*entry.failure, now);
  return {entry.answer, found.in_use && !failing && in_last_tenth(*entry.answer, now)};
}

AnswerPtr AnswerCache::fresh(const QuestionView& question, Time now) {
  const auto* entry = entries_.peek(question);
  return entry && entry->answer && now < end_of_life(*entry->answer) ? entry->answer : nullptr;
}

AnswerCache::Known AnswerCache::known(const QuestionView& question, Time now, std::uint64_t recoveries) {
  const auto* entry = entries_.peek(question);
  if (!entry) return {};
  Known known;
  if (entry->answer && now < end_of_life(*entry->answer)) {
    known.fresh = entry->answer;
    return known;
  }
  // RFC 8767 Section 5: the maximum stale timer.
  if (entry->answer && may_serve(*entry->answer, now)) known.stale = entry->answer;
  // What failed before servers came back says nothing about them now.
  if (!entry->failure || entry->failure->recoveries != recoveries) return known;
  // RFC 9520 Section 3.2; RFC 8767 Section 5: the failure recheck timer.
  if (is_held(*entry->failure, now)) known.failure = entry->failure;
  known.silent = entry->failure->status == Status::timeout;
  return known;
}

// The floor is for records alone: an absence may end at any moment, and one without an SOA has no time of its own.
std::uint32_t AnswerCache::limited_ttl(const Answer& answer) const {
  // RFC 2308 Section 5
  if (is_absent(answer.status)) return std::min(answer.ttl, options_.max_negative_ttl);
  return std::min(std::max(answer.ttl, options_.min_ttl), options_.max_ttl);
}

AnswerPtr AnswerCache::keep(const Question& question, Answer answer, Wanted wanted) {
  answer.ttl = limited_ttl(answer);
  auto kept = std::make_shared<const Answer>(std::move(answer));
  if (kept->ttl == 0)
    entries_.erase(question);
  else
    entries_.put(question, {kept, std::nullopt, kept->received}, size_of(question, *kept),
                 wanted == Wanted::yes ? Entries::Use::once : Entries::Use::none);
  return kept;
}

void AnswerCache::keep_failure(const Question& question, const Failure& failure) {
  if (auto* entry = entries_.peek(question))
    entry->failure = failure;
  else
    entries_.put(question, {nullptr, failure, failure.at}, question.name.capacity(), Entries::Use::none);
}

std::vector<AnswerCache::Ranked> AnswerCache::answers(Time now) const {
  std::vector<Ranked> answers;
  answers.reserve(entries_.size());
  std::array<Time, 2> used{};
  entries_.for_each([&](const Question&, const Entry& entry, bool in_use) {
    auto& latest = used[in_use ? 1 : 0];
    latest = std::max(latest, entry.used);
    if (entry.answer && (now < end_of_life(*entry.answer) || may_serve(*entry.answer, now)))
      answers.push_back({{entry.answer, in_use}, latest});
  });
  return answers;
}

bool AnswerCache::restore(const KeptAnswer& kept, Time now) {
  const auto& answer = *kept.answer;
  const Question question{answer.name, answer.type};
  const auto* entry = entries_.peek(question);
  if ((entry && entry->answer) || is_temporary(answer.status) || answer.cnames.size() > options_.max_cnames)
    return false;
  auto limited = kept.answer;
  // Caps alone: a higher floor makes nothing young again.
  if (const auto ttl = limited_ttl(answer); ttl < answer.ttl) {
    auto copy = std::make_shared<Answer>(answer);
    copy->ttl = ttl;
    limited = std::move(copy);
  }
  if (limited->ttl == 0 || (now >= end_of_life(*limited) && !may_serve(*limited, now))) return false;
  entries_.put(question, {limited, entry ? entry->failure : std::nullopt, now}, size_of(question, *limited),
               Entries::Use::once);
  if (kept.in_use) entries_.use(question);
  return true;
}

}  // namespace sesame::dns
