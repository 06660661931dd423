#include "ses/answer_memo.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::ses {

dns::AnswerPtr Transcript::lookup(std::string_view name, dns::Type type, Deadline deadline) {
  const auto known = std::ranges::find_if(
      answers_, [&](const dns::AnswerPtr& each) { return each->type == type && iequals(each->name, name); });
  if (known != answers_.end()) return *known;
  return answers_.emplace_back(resolver_.lookup(name, type, deadline));
}

bool Transcript::repeats(const std::vector<dns::AnswerPtr>& before, Deadline deadline) {
  for (auto known = before.begin(); known != before.end(); ++known) {
    auto answer = resolver_.lookup((*known)->name, (*known)->type, deadline);
    if (answer == *known) continue;
    answers_.assign(before.begin(), known);
    answers_.push_back(std::move(answer));
    return false;
  }
  return true;
}

bool Transcript::is_repeatable() const {
  return std::ranges::none_of(
      answers_, [](const dns::AnswerPtr& each) { return dns::is_temporary(each->status) || each->stale; });
}

std::size_t Transcript::bytes() const {
  std::size_t sum = 0;
  for (const auto& answer : answers_) {
    sum += sizeof(dns::AnswerPtr) + sizeof(dns::Answer) + answer->name.capacity();
    for (const auto* texts : {&answer->cnames, &answer->texts, &answer->names})
      for (const auto& text : *texts) sum += sizeof(text) + text.capacity();
    sum += answer->addresses.size() * sizeof(IpAddress);
    for (const auto& exchange : answer->exchanges) sum += sizeof(exchange) + exchange.host.capacity();
  }
  return sum;
}

}  // namespace sesame::ses
