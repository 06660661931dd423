// What is known of the servers by how they answer, and what follows from it: which are asked, which of them first, how
// long it is waited for alone, whose answer counts, and when one counts as dead. Sees no sockets and no clock; the
// event thread alone uses it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "util/clock.h"

namespace sesame::dns {

using Instant = std::chrono::steady_clock::time_point;

// One server. That a question stays without an answer says nothing of it, since whoever owns the name can do that: it
// becomes suspect when for `timeout` after a question nothing at all came, and silent only when two probes, questions
// of our own that any resolver can answer, stay without an answer as well.
class Health {
 public:
  enum class State { good, suspect, silent };
  // The two probes together have as long as a question, and never less than twice this.
  static constexpr std::chrono::milliseconds kLeastProbe{500};
  // A silent server is asked so often whether it lives.
  static constexpr std::chrono::seconds kProbeInterval{1};
  // A speed measured longer ago is forgotten. So often a server that is not known to validate is asked whether it does.
  static constexpr std::chrono::seconds kMemory{60};
  static constexpr std::chrono::milliseconds kLeastPatience{100};

  explicit Health(Duration timeout) : timeout_(timeout) {}

  void sent(Instant now);
  // Anything came from it, after this time.
  void answered(Instant now, Duration took);
  // The network says that nobody is there.
  void unreachable(Instant now);
  // It will not serve, whatever the name. SERVFAIL is not that: whoever owns a name, or forges it, can bring that
  // about.
  void turned_away(Instant now);
  void useful(Instant now);
  // It marked an answer as validated. It is taken to validate from then on, even if it marks no other.
  void validated() { validates_ = true; }

  // True when a probe is to be sent now; then it counts as sent. Moves the state on.
  bool probe_due(Instant now);
  // True when a probe is to be sent only to see whether it validates; then it counts as sent.
  bool check_due(Instant now);
  // When to ask that again.
  std::optional<Instant> next_event() const;

  State state() const { return state_; }
  // Silent, or nobody was there the last time.
  bool is_down() const { return state_ == State::silent || refused_; }
  bool validates() const { return validates_; }
  // It turned us away three times in a row, and was of no use for a minute.
  bool is_shunned(Instant now) const;
  // How long an answer is waited for before another server is asked too: RFC 6298 Section 2.3, and never over
  // `timeout`.
  Duration patience() const;
  // The smoothed time answers take, RFC 6298 Section 2.3. Nothing while it is not known.
  std::optional<Duration> speed(Instant now) const;
  // Good, not overdue with everything it was asked, and not shunned.
  bool is_reliable(Instant now) const;
  // Neither was it asked lately nor is its speed known.
  bool is_unknown(Instant now) const;

 private:
  void suspect(Instant now);

  Duration timeout_;
  State state_ = State::good;
  bool refused_ = false;
  bool validates_ = false;
  std::optional<Instant> waiting_since_;  // the first question after the last answer
  std::optional<Instant> last_sent_, last_answer_, last_turned_away_, last_useful_, last_check_;
  Duration smoothed_{}, variation_{};
  int turned_away_ = 0;  // in a row
  int probes_ = 0;       // since it became suspect
  Instant next_probe_{};
};

// Those that may be asked, best first; silent ones are not among them. While one that validates is neither down nor
// shunned, only such are: else what one of them would not pass, or is slow to judge, another would pass. Reliable
// servers come in the order given unless they are far slower than the fastest; one that is unknown is first, so that
// its speed is measured.
std::vector<std::size_t> preferred(const std::vector<Health>& servers, Instant now);

// Whether an answer of this server counts where these said SERVFAIL: a validating server may say so of forged data, and
// one that does not validate cannot know better.
bool may_overrule(const std::vector<Health>& servers, std::size_t server, const std::set<std::size_t>& servfails);

// How many questions may go to a second server because the first is slow: a tenth of all, and a few at once.
class HedgeBudget {
 public:
  void question();
  bool take();

 private:
  static constexpr int kPerHedge = 10;
  static constexpr int kMost = 5 * kPerHedge;
  int saved_ = kMost;
};

}  // namespace sesame::dns
