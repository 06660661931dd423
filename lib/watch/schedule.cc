#include "watch/schedule.h"

#include <algorithm>
#include <iterator>

namespace sesame::watch {

Schedule::Schedule(const Options& options) : options_(options), random_(options.seed) {}

void Schedule::replace(std::vector<Candidate> candidates, Time now) {
  std::map<Turn, Slot> old;
  old.swap(slots_);
  waiting_.clear();
  std::vector<Candidate> soon, in_time;
  for (auto& each : candidates) {
    const auto known = old.find(each.who);
    if (known == old.end()) {
      (each.haste == Candidate::Haste::soon ? soon : in_time).push_back(std::move(each));
      continue;
    }
    if (!known->second.under_way) waiting_.emplace(known->second.due, each.who);
    slots_.insert(old.extract(known));
  }
  const auto spread = [&](std::vector<Candidate>& some, Duration most) {
    if (some.empty()) return;
    // Whoever restarts again and again must not begin with the same ones each time.
    std::ranges::stable_sort(some, {}, &Candidate::checked);
    const auto gap = std::min(most, options_.interval / static_cast<std::int64_t>(some.size()));
    for (std::size_t i = 0; i < some.size(); ++i) insert(some[i], now + static_cast<std::int64_t>(i) * gap);
  };
  spread(soon, options_.first_gap);
  spread(in_time, Duration::max());
}

void Schedule::insert(const Candidate& candidate, Time due) {
  const Slot slot{due, std::max<std::size_t>(candidate.questions, 1), false};
  if (slots_.emplace(candidate.who, slot).second) waiting_.emplace(due, candidate.who);
}

std::optional<Turn> Schedule::next(Time now) {
  if (waiting_.empty() || now < wake()) return std::nullopt;
  auto who = std::move(waiting_.extract(waiting_.begin()).value().second);
  auto& slot = slots_.at(who);
  slot.under_way = true;
  slot.due = now + next_interval();
  // Time in which nobody asked is not saved up: there are no bursts.
  free_at_ = std::max(free_at_, now) + time_for(slot.questions);
  return who;
}

void Schedule::done(const Turn& who, std::size_t questions) {
  const auto found = slots_.find(who);
  // Forgotten meanwhile.
  if (found == slots_.end() || !found->second.under_way) return;
  auto& slot = found->second;
  slot.under_way = false;
  // What was guessed is put right.
  free_at_ += time_for(questions) - time_for(slot.questions);
  slot.questions = questions;
  waiting_.emplace(slot.due, who);
}

Schedule::Time Schedule::wake() const {
  return waiting_.empty() ? Time::max() : std::max(waiting_.begin()->first, free_at_);
}

Duration Schedule::time_for(std::size_t questions) const {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(questions) / options_.max_rate));
}

Duration Schedule::next_interval() {
  std::uniform_real_distribution<double> tenth(0.9, 1.1);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.interval) * tenth(random_));
}

}  // namespace sesame::watch
