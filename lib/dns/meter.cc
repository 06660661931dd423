#include "dns/meter.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::dns {
namespace {

// What most messages need, so that nothing has to grow.
constexpr std::size_t kUsualQuestions = 24, kUsualName = 32;

}  // namespace

AnswerPtr Meter::lookup(std::string_view name, Type type, Deadline deadline) {
  if (auto answer = known(name, type)) return answer;
  const auto start = clock_.steady_now();
  auto answer = resolver_.lookup(name, type, std::min(deadline, deadline_));
  const bool is_new = answer->status == Status::timeout || answer->received >= began_;
  if (is_new) ++cost_.queries;
  // Nobody waited for what was there before, unless it was for something better.
  if (is_new || answer->stale) waited_ += clock_.steady_now() - start;
  keep(name, type, answer);
  count(name, type, *answer);
  return answer;
}

AnswerPtr Meter::known(std::string_view name, Type type) const {
  for (const auto& each : known_)
    if (each.type == type && iequals(std::string_view(names_).substr(each.at, each.size), name)) return each.answer;
  return nullptr;
}

void Meter::keep(std::string_view name, Type type, const AnswerPtr& answer) {
  if (known_.empty()) {
    known_.reserve(kUsualQuestions);
    names_.reserve(kUsualQuestions * kUsualName);
  }
  known_.push_back({names_.size(), name.size(), type, answer});
  names_.append(name);
}

void Meter::count(std::string_view name, Type type, const Answer& answer) {
  const auto question = [&] { return std::string(to_string(type)) + " " + printable(name); };
  ++cost_.lookups;
  if (is_temporary(answer.status) && cost_.failed.empty()) cost_.failed = question() + ": " + to_string(answer.status);
  if (answer.stale && cost_.stale++ == 0) cost_.stale_name = question();
}

Meter::Cost Meter::cost() const {
  Cost cost = cost_;
  cost.waited = std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
  return cost;
}

std::vector<AnswerPtr> Meter::answers() const {
  std::vector<AnswerPtr> answers;
  answers.reserve(known_.size());
  for (const auto& each : known_) answers.push_back(each.answer);
  return answers;
}

}  // namespace sesame::dns
