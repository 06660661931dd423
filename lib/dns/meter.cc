#include "dns/meter.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::dns {

AnswerPtr Meter::lookup(std::string_view name, Type type, Deadline deadline) {
  const std::pair key(lower(name), type);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = answers_.find(key); known != answers_.end()) return known->second;
  }
  const auto start = clock_.steady_now();
  auto answer = resolver_.lookup(name, type, std::min(deadline, deadline_));
  const auto waited = clock_.steady_now() - start;
  const std::lock_guard lock(mutex_);
  answers_.emplace(key, answer);
  ++cost_.lookups;
  if (answer->status == Status::timeout || answer->received >= began_) ++cost_.queries;
  waited_ += waited;
  const auto question = std::string(to_string(type)) + " " + printable(name);
  if (is_temporary(answer->status) && cost_.failed.empty()) cost_.failed = question + ": " + to_string(answer->status);
  if (answer->stale && cost_.stale++ == 0) cost_.stale_name = question;
  return answer;
}

Meter::Cost Meter::cost() const {
  const std::lock_guard lock(mutex_);
  Cost cost = cost_;
  cost.waited = std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
  return cost;
}

}  // namespace sesame::dns
