// One message's share of the resolver: a common deadline for all its look-ups, one answer to each question however
// often it is asked (so that all verdicts about the message see the same DNS, and a name that does not answer is waited
// for once), and what it cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "dns/resolver.h"

namespace sesame::dns {

// Unlike other resolvers not thread-safe: it belongs to the thread that has the message.
class Meter final : public Resolver {
 public:
  Meter(Resolver& resolver, const Clock& clock) : resolver_(resolver), clock_(clock), began_(clock.steady_now()) {}

  // Look-ups wait for the earlier of their own deadline and this one.
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  Deadline deadline() const { return deadline_; }

  AnswerPtr lookup(std::string_view name, Type type, Deadline deadline) override;
  void prefetch(std::string_view name, Type type) override { resolver_.prefetch(name, type); }
  // `then` is given the resolver behind this one, which outlives the message.
  void prefetch_then(std::string_view name, Type type, Then then) override {
    resolver_.prefetch_then(name, type, std::move(then));
  }

  struct Cost {
    int lookups = 0;                     // questions asked, each counted once
    int queries = 0;                     // of those, not answered from what was known before the message began
    std::chrono::milliseconds waited{};  // time spent waiting for them
    std::string failed;                  // the first name that did not get an answer, with its status; "" if none
    int stale = 0;                       // answers past their time to live (RFC 8767), also those that prove nothing
    std::string stale_name;              // the first of them, with its type; "" if none
  };
  Cost cost() const;
  // To each question, in the order of asking.
  std::vector<AnswerPtr> answers() const;

 private:
  struct Known {
    std::size_t at, size;  // of its name in names_
    Type type;
    AnswerPtr answer;
  };

  AnswerPtr known(std::string_view name, Type type) const;
  void keep(std::string_view name, Type type, const AnswerPtr& answer);
  void count(std::string_view name, Type type, const Answer& answer);

  Resolver& resolver_;
  const Clock& clock_;
  const std::chrono::steady_clock::time_point began_;
  Deadline deadline_ = Deadline::max();
  // As a message asks a few dozen questions, walking through them is faster than a tree of them.
  std::vector<Known> known_;
  std::string names_;
  Cost cost_;
  Duration waited_{};
};

}  // namespace sesame::dns
