// What follows from answers of DNS, kept together with the answers it was made of. It holds for as long as a resolver
// gives those same answers, so it ends with their time to live, and whatever they do to hold or to end. Inside this
// folder only.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/resolver.h"
#include "util/clock.h"
#include "util/sharded_cache.h"

namespace sesame::ses {

// A resolver that notes what it was asked and gives the same answer to the same question. For one thread.
class Transcript final : public dns::Resolver {
 public:
  explicit Transcript(dns::Resolver& resolver) : resolver_(resolver) {}

  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override;
  void prefetch(std::string_view name, dns::Type type) override { resolver_.prefetch(name, type); }

  // Asks the questions of these answers in their order; true when the resolver gives the very same objects. Ends at the
  // first that is another, since it decides what is asked after it, and notes what it got till then.
  bool repeats(const std::vector<dns::AnswerPtr>& before, Deadline deadline);
  // May the answers be given again? Not those that are made for whoever asks: failures, and what is stale.
  bool is_repeatable() const;
  std::size_t bytes() const;
  std::vector<dns::AnswerPtr> take() && { return std::move(answers_); }

 private:
  dns::Resolver& resolver_;
  std::vector<dns::AnswerPtr> answers_;  // in the order in which they were first asked for
};

// Memo of a function of a text and of what DNS answers; of nothing else, but that it may give up at the deadline. It
// asks the questions that the function would ask, in the same order and each once, so that whoever counts them, keeps
// them alive or refreshes them sees no difference. Bounded in bytes. Thread-safe. A hit allocates nothing.
template <class Value>
class AnswerMemo {
 public:
  using Pointer = std::shared_ptr<const Value>;
  using HeapBytes = std::size_t (*)(const Value& value);

  // `heap_bytes` tells what a value holds outside of itself.
  AnswerMemo(std::size_t max_bytes, HeapBytes heap_bytes) : heap_bytes_(heap_bytes), entries_(max_bytes) {}

  // `make(resolver)` is the function at `text`.
  template <class Make>
  Pointer get(std::string_view text, dns::Resolver& resolver, Deadline deadline, Make make) {
    const HashedText key(text);
    Transcript transcript(resolver);
    if (const auto kept = entries_.find(key); kept && transcript.repeats(kept->answers, deadline))
      return Pointer(kept, &kept->value);
    const auto made = std::make_shared<Kept>(Kept{make(transcript), {}});
    // What ran out of time did not see all it asks for.
    if (transcript.is_repeatable() && system_clock().steady_now() < deadline) {
      const auto heap_bytes = transcript.bytes() + heap_bytes_(made->value);
      made->answers = std::move(transcript).take();
      entries_.put(key, made, heap_bytes);
    }
    return Pointer(made, &made->value);
  }

  std::size_t bytes() const { return entries_.bytes(); }

 private:
  struct Kept {
    Value value;
    std::vector<dns::AnswerPtr> answers;
  };

  const HeapBytes heap_bytes_;
  ShardedCache<Kept> entries_;
};

}  // namespace sesame::ses
