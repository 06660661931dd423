#include "dns/health.h"

#include <algorithm>
#include <tuple>

namespace sesame::dns {
namespace {

constexpr int kProbes = 2;
// Having turned us away so often in a row, a server is asked after the others.
constexpr int kMostTurnedAway = 3;
// Slower than the fastest by less than the double and this, a server keeps its place.
constexpr std::chrono::milliseconds kSlack{20};

}  // namespace

void Health::sent(Instant now) {
  if (!waiting_since_) waiting_since_ = now;
  last_sent_ = now;
}

void Health::answered(Instant now, Duration took) {
  took = std::min(took, timeout_);
  // RFC 6298 Section 2: alpha is 1/8 and beta 1/4.
  if (!speed(now)) {
    smoothed_ = took;
    variation_ = took / 2;
  } else {
    variation_ += (std::max(smoothed_, took) - std::min(smoothed_, took) - variation_) / 4;
    smoothed_ += (took - smoothed_) / 8;
  }
  last_answer_ = now;
  waiting_since_.reset();
  probes_ = 0;
  refused_ = false;
  state_ = State::good;
}

void Health::suspect(Instant now) {
  if (state_ != State::good) return;
  state_ = State::suspect;
  next_probe_ = now;
}

void Health::unreachable(Instant now) {
  refused_ = true;
  suspect(now);
}

void Health::turned_away(Instant now) {
  ++turned_away_;
  last_turned_away_ = now;
}

void Health::useful(Instant now) {
  turned_away_ = 0;
  last_useful_ = now;
}

bool Health::is_shunned(Instant now) const {
  return turned_away_ >= kMostTurnedAway && now <= *last_turned_away_ + kMemory &&
         (!last_useful_ || now > *last_useful_ + kMemory);
}

bool Health::probe_due(Instant now) {
  if (state_ == State::good && waiting_since_ && now >= *waiting_since_ + timeout_) suspect(now);
  if (state_ == State::good || now < next_probe_) return false;
  if (state_ == State::suspect && probes_ == kProbes) state_ = State::silent;
  ++probes_;
  const auto wait = std::max(timeout_ / kProbes, Duration(kLeastProbe));
  next_probe_ = now + (state_ == State::suspect ? wait : Duration(kProbeInterval));
  return true;
}

bool Health::check_due(Instant now) {
  if (validates_ || (last_check_ && now < *last_check_ + kMemory)) return false;
  last_check_ = now;
  return true;
}

std::optional<Instant> Health::next_event() const {
  if (state_ != State::good) return next_probe_;
  if (waiting_since_) return *waiting_since_ + timeout_;
  return std::nullopt;
}

Duration Health::patience() const {
  const Duration usual = last_answer_ ? smoothed_ + 4 * variation_ : timeout_ / 4;
  return std::min(std::max(usual, Duration(kLeastPatience)), timeout_);
}

std::optional<Duration> Health::speed(Instant now) const {
  if (!last_answer_ || now > *last_answer_ + kMemory) return std::nullopt;
  return smoothed_;
}

bool Health::is_reliable(Instant now) const {
  const bool lags = waiting_since_ && now > *waiting_since_ + patience();
  return state_ == State::good && !lags && !is_shunned(now);
}

bool Health::is_unknown(Instant now) const {
  return !speed(now) && (!last_sent_ || now > *last_sent_ + kMemory);
}

std::vector<std::size_t> preferred(const std::vector<Health>& servers, Instant now) {
  Duration fastest = Duration::max() / 4;
  for (const auto& server : servers)
    if (server.is_reliable(now)) fastest = std::min(fastest, server.speed(now).value_or(fastest));
  // Least first: whether it is unreliable, known, and too slow.
  const auto place = [&](std::size_t index) {
    const auto& server = servers[index];
    const bool reliable = server.is_reliable(now);
    const auto speed = server.speed(now).value_or(Duration::zero());
    const bool slow = speed > 2 * fastest + kSlack;
    return std::tuple(!reliable, reliable && !server.is_unknown(now), slow, slow ? speed : Duration::zero());
  };
  const bool validated = std::ranges::any_of(servers, [&](const Health& server) {
    return server.validates() && !server.is_down() && !server.is_shunned(now);
  });
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (servers[i].state() != Health::State::silent && (servers[i].validates() || !validated)) order.push_back(i);
  std::ranges::stable_sort(order, {}, place);
  return order;
}

bool may_overrule(const std::vector<Health>& servers, std::size_t server, const std::set<std::size_t>& servfails) {
  return servers[server].validates() ||
         std::ranges::none_of(servfails, [&](std::size_t each) { return servers[each].validates(); });
}

void HedgeBudget::question() {
  saved_ = std::min(saved_ + 1, kMost);
}

bool HedgeBudget::take() {
  if (saved_ < kPerHedge) return false;
  saved_ -= kPerHedge;
  return true;
}

}  // namespace sesame::dns
