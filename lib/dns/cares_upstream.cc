#include "dns/cares_upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "dns/channel_pool.h"
#include "dns/health.h"
#include "dns/random.h"
#include "dns/server.h"
#include "dns/wire.h"
#include "util/guarded.h"
#include "util/text.h"

namespace sesame::dns {
namespace {

struct Question {
  std::string name;
  Type type;
  std::function<void(Answer)> done;
  Instant came = std::chrono::steady_clock::now();

  void finish(Answer answer) const {
    answer.received = std::chrono::steady_clock::now();
    done(std::move(answer));
  }
  Answer unanswered(Status status) const { return bare_answer(name, type, status); }
  void fail(Status status) const { finish(unanswered(status)); }
};

// A failure that another server, or the same one a moment later, may not have.
bool worth_another_try(Status status) {
  return is_temporary(status) && status != Status::cname_limit;
}

// One that a server has for whatever it is asked.
bool turns_away(Status status) {
  return status == Status::refused || status == Status::notimp || status == Status::formerr;
}

// One set of c-ares channels for each server, and the failing over between them here: given several servers,
// c-ares 1.18 either takes a SERVFAIL from the first as the answer, or fails over and in the end no longer knows what
// went wrong.
class CaresUpstream final : public Upstream {
 public:
  CaresUpstream(const CaresOptions& options, const std::vector<Server>& servers);
  ~CaresUpstream() override;

  // Before the first question. An error leaves nothing running.
  Result<void> start();

  void ask(const std::string& name, Type type, std::function<void(Answer)> done) override;
  std::vector<ServerCounters> servers() const override;
  std::uint64_t recoveries() const override { return recoveries_; }

 private:
  // A question and all its tries. A try stays open when the next one begins: a server that answers late has answered.
  struct Flight;
  using FlightPtr = std::shared_ptr<Flight>;
  using Timers = std::multimap<Instant, FlightPtr>;
  struct Flight {
    Question question;
    std::string sent_name;  // in the case that an answer must repeat
    std::uint16_t id;       // of all tries: were there several, one would be guessed the sooner
    Instant patient_until;
    std::vector<int> asked;   // how often each server was
    Instant overdue_at = {};  // then the next try begins
    bool hedged = false;
    int open = 0;                                // tries that may still be answered
    std::set<std::size_t> servfails = {};        // servers that said so
    Status failure = Status::timeout;            // the last thing any server said
    bool counted = true;                         // among those in flight
    std::optional<Timers::iterator> timer = {};  // until it is settled
  };
  struct Try {
    FlightPtr flight;
    std::size_t lane;
    Transport transport;
    Edns edns;
    Instant sent;
  };

  // The event thread.
  void run();
  void wait_and_process();
  int wait_ms();
  Instant waiting_ends();
  void give_up_all();

  // Questions.
  void send_waiting();
  std::optional<Question> next_waiting();
  void give_up_waiting();
  void begin(Question question);
  bool try_next(const FlightPtr& flight);
  bool hedge(const FlightPtr& flight, Instant now);
  void schedule(const FlightPtr& flight, Instant when);
  void run_timers();
  void overdue(const FlightPtr& flight, Instant now);
  void failed(const FlightPtr& flight);
  void settle(const FlightPtr& flight, Answer answer);
  void uncount(Flight& flight);

  // Tries.
  void send_to(std::size_t lane, const FlightPtr& flight, Transport transport);
  void ended(const Try& attempt, Ending ending, std::span<const std::uint8_t> packet);
  bool ask_otherwise(const Try& attempt, std::span<const std::uint8_t> packet);
  std::vector<std::uint8_t> query(const Flight& flight, Edns edns) const;

  // Servers.
  void look_after_servers();
  void probe(std::size_t lane);
  // With checking disabled SERVFAIL says nothing of forged data.
  bool heeds_validation() const { return health_.size() > 1 && options_.checking == Checking::enabled; }
  void note_validation(std::size_t lane, const Answer& answer);
  void count_answer(std::size_t lane, Instant sent);
  void heard(std::size_t lane, Instant sent);
  bool all_silent() const;
  template <class Change>
  void count(std::size_t lane, Change&& change) {
    counters_.with([&](std::vector<ServerCounters>& counters) { change(counters[lane]); });
  }

  std::chrono::milliseconds timeout() const { return std::max(options_.timeout, std::chrono::milliseconds(1)); }
  // A question waits so long for its turn: the tries that were before it have ended by then, and its asker has not much
  // more time.
  std::chrono::milliseconds longest_wait() const { return timeout() + options_.patience; }
  bool is_full() const { return unanswered_ >= options_.max_unanswered; }

  const CaresOptions options_;

  std::mutex mutex_;
  std::deque<Question> waiting_;  // in the order they came; guarded by mutex_
  bool ending_ = false;           // guarded by mutex_
  mutable Guarded<std::vector<ServerCounters>> counters_;
  std::atomic<std::uint64_t> recoveries_ = 0;

  // Only the thread touches these once it runs.
  ChannelPool channels_;
  std::vector<Health> health_;  // of each server, a lane
  std::vector<Edns> edns_;
  HedgeBudget hedges_;
  bool dead_ = false;           // all servers are silent: nothing is asked but whether they live
  std::size_t in_flight_ = 0;   // questions not settled, but for those that are slow
  std::size_t unanswered_ = 0;  // tries c-ares still listens for, also of questions settled
  Timers timers_;               // one for each question not settled

  std::thread thread_;
};

CaresUpstream::CaresUpstream(const CaresOptions& options, const std::vector<Server>& servers)
    : options_(options),
      channels_(servers, std::max(timeout(), options.patience)),
      health_(servers.size(), Health(timeout())),
      edns_(servers.size(), Edns::yes) {
  counters_.with([&](std::vector<ServerCounters>& counters) {
    for (const auto& server : servers) {
      const auto address = server.address.to_string();
      counters.emplace_back().server =
          fmt::format("{}:{}", server.address.is_v4() ? address : "[" + address + "]", server.port);
    }
  });
}

CaresUpstream::~CaresUpstream() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  channels_.wake();
  if (thread_.joinable()) thread_.join();
  // No question enters once we are ending, so what waits now is all there is.
  for (const auto& question : waiting_) question.fail(Status::timeout);
}

Result<void> CaresUpstream::start() {
  if (auto started = channels_.start(); !started) return started;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return failure(fmt::format("DNS: cannot start the event thread: {}", error.what()));
  }
  return {};
}

void CaresUpstream::ask(const std::string& name, Type type, std::function<void(Answer)> done) {
  std::optional<Question> turned_away = Question{name, type, std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    if (!ending_) {
      waiting_.push_back(*std::exchange(turned_away, std::nullopt));
      if (waiting_.size() > options_.max_waiting) {
        turned_away = std::move(waiting_.front());
        waiting_.pop_front();
      }
      channels_.wake();
    }
  }
  if (turned_away) turned_away->fail(Status::timeout);
}

std::vector<ServerCounters> CaresUpstream::servers() const {
  return counters_.with([](const std::vector<ServerCounters>& counters) { return counters; });
}

void CaresUpstream::run() {
  for (;;) {
    look_after_servers();
    send_waiting();
    {
      const std::lock_guard lock(mutex_);
      if (ending_) break;
    }
    wait_and_process();
  }
  give_up_all();
}

void CaresUpstream::give_up_all() {
  channels_.clear();
  while (!timers_.empty()) {
    const auto flight = timers_.begin()->second;
    settle(flight, flight->question.unanswered(flight->failure));
  }
}

// When the oldest of the questions that wait has waited for long enough.
Instant CaresUpstream::waiting_ends() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() ? Instant::max() : waiting_.front().came + longest_wait();
}

// Milliseconds until there is something to do; -1 for never.
int CaresUpstream::wait_ms() {
  auto next = waiting_ends();
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  for (const auto& health : health_) next = std::min(next, health.next_event().value_or(next));
  if (unanswered_ > 0) next = std::min(next, channels_.next_sweep());
  if (next == Instant::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void CaresUpstream::wait_and_process() {
  channels_.wait(wait_ms());
  channels_.sweep(std::chrono::steady_clock::now());
  look_after_servers();  // before the timers: a server that has become silent is not asked again
  run_timers();
}

std::optional<Question> CaresUpstream::next_waiting() {
  const std::lock_guard lock(mutex_);
  if (ending_ || waiting_.empty()) return std::nullopt;
  auto next = std::move(waiting_.back());
  waiting_.pop_back();
  return next;
}

void CaresUpstream::give_up_waiting() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Question> late;
  {
    const std::lock_guard lock(mutex_);
    for (; !waiting_.empty() && waiting_.front().came + longest_wait() <= now; waiting_.pop_front())
      late.push_back(std::move(waiting_.front()));
  }
  for (const auto& question : late) question.fail(Status::timeout);
}

void CaresUpstream::send_waiting() {
  give_up_waiting();
  while (dead_ || (in_flight_ < options_.max_in_flight && !is_full())) {
    auto next = next_waiting();
    if (!next) return;
    if (dead_)
      next->fail(Status::timeout);
    else
      begin(std::move(*next));
  }
}

void CaresUpstream::begin(Question question) {
  auto name = question.name;
  if (options_.name_case == CaresOptions::NameCase::random)
    name = with_case(std::move(name), random_octets<std::array<std::uint8_t, 32>>());
  const auto patient_until = std::chrono::steady_clock::now() + options_.patience;
  ++in_flight_;
  hedges_.question();
  const auto flight =
      std::make_shared<Flight>(Flight{std::move(question), std::move(name), random_octets<std::uint16_t>(),
                                      patient_until, std::vector<int>(health_.size(), 0)});
  if (!try_next(flight)) settle(flight, flight->question.unanswered(Status::timeout));
}

// The next try, at the best of the servers that were asked least. False when each has been asked often enough.
bool CaresUpstream::try_next(const FlightPtr& flight) {
  const auto now = std::chrono::steady_clock::now();
  const auto order = preferred(health_, now);
  const auto asked = [&](std::size_t lane) { return flight->asked[lane]; };
  const auto next = std::ranges::min_element(order, {}, asked);
  if (next == order.end() || asked(*next) >= std::max(options_.tries, 1)) return false;
  flight->overdue_at = now + timeout();
  schedule(flight, now + health_[*next].patience());
  ++flight->asked[*next];
  send_to(*next, flight, Transport::udp);
  return true;
}

// The same question to another good server while the first is slow.
bool CaresUpstream::hedge(const FlightPtr& flight, Instant now) {
  if (flight->hedged) return false;
  for (const auto lane : preferred(health_, now)) {
    if (flight->asked[lane] > 0 || health_[lane].state() != Health::State::good) continue;
    if (!hedges_.take()) return false;
    flight->hedged = true;
    ++flight->asked[lane];
    count(lane, [](ServerCounters& counters) { ++counters.hedges; });
    send_to(lane, flight, Transport::udp);
    return true;
  }
  return false;
}

void CaresUpstream::schedule(const FlightPtr& flight, Instant when) {
  const auto timer = timers_.emplace(when, flight);
  if (flight->timer) timers_.erase(*flight->timer);
  flight->timer = timer;
}

void CaresUpstream::run_timers() {
  const auto now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto flight = timers_.begin()->second;
    overdue(flight, now);
  }
}

// The latest try has had the time that an answer usually takes, or all its time.
void CaresUpstream::overdue(const FlightPtr& flight, Instant now) {
  // From here on it costs memory alone: names whose servers are silent shall not keep other questions waiting.
  uncount(*flight);
  if (now < flight->overdue_at) {
    schedule(flight, flight->overdue_at);
    if (!is_full()) hedge(flight, now);
  } else if (is_full() || !try_next(flight)) {  // the room is for those that were not asked yet
    if (now >= flight->patient_until)
      settle(flight, flight->question.unanswered(flight->failure));
    else
      schedule(flight, flight->patient_until);
  }
}

void CaresUpstream::uncount(Flight& flight) {
  if (std::exchange(flight.counted, false)) --in_flight_;
}

// A try has ended without an answer that could be used.
void CaresUpstream::failed(const FlightPtr& flight) {
  if (!try_next(flight) && flight->open == 0) settle(flight, flight->question.unanswered(flight->failure));
}

// Tries still open come back to a question that is settled.
void CaresUpstream::settle(const FlightPtr& flight, Answer answer) {
  uncount(*flight);
  const auto question = std::move(flight->question);
  if (const auto timer = std::exchange(flight->timer, std::nullopt)) timers_.erase(*timer);
  question.finish(std::move(answer));
}

std::vector<std::uint8_t> CaresUpstream::query(const Flight& flight, Edns edns) const {
  return make_query(flight.sent_name, flight.question.type, flight.id, {edns, options_.checking});
}

void CaresUpstream::send_to(std::size_t index, const FlightPtr& flight, Transport transport) {
  const Try attempt{flight, index, transport, edns_[index], std::chrono::steady_clock::now()};
  ++flight->open;
  ++unanswered_;
  count(index, [](ServerCounters& counters) { ++counters.queries; });
  health_[index].sent(attempt.sent);
  const auto done = [this, attempt](Ending ending, std::span<const std::uint8_t> packet) {
    ended(attempt, ending, packet);
  };
  if (auto* const through = channels_.channel(index, transport))
    through->send(query(*flight, attempt.edns), done);
  else
    done(Ending::nonsense, {});
}

void CaresUpstream::ended(const Try& attempt, Ending ending, std::span<const std::uint8_t> packet) {
  const auto& flight = attempt.flight;
  const auto lane = attempt.lane;
  --unanswered_;
  --flight->open;
  if (ending == Ending::answer) heard(lane, attempt.sent);
  // One that takes no connections may still answer over UDP.
  if (ending == Ending::unreachable && attempt.transport == Transport::udp)
    health_[lane].unreachable(std::chrono::steady_clock::now());
  if (ending == Ending::unreachable || ending == Ending::silence)
    count(lane, [](ServerCounters& counters) { ++counters.timeouts; });
  // When a question is given up, the timers alone say.
  if (!flight->timer || ending == Ending::closed || ending == Ending::silence) return;
  if (ending == Ending::unreachable) return failed(flight);
  if (ending == Ending::answer && ask_otherwise(attempt, packet)) return;
  auto answer = parse_answer(packet, flight->question.name, flight->question.type);
  note_validation(lane, answer);
  const auto now = std::chrono::steady_clock::now();
  if (worth_another_try(answer.status)) {
    count(lane, [](ServerCounters& counters) { ++counters.failures; });
    flight->failure = answer.status;
    if (answer.status == Status::servfail) flight->servfails.insert(lane);
    if (turns_away(answer.status)) health_[lane].turned_away(now);
    return failed(flight);
  }
  health_[lane].useful(now);
  if (may_overrule(health_, lane, flight->servfails)) return settle(flight, std::move(answer));
  flight->failure = Status::servfail;
  failed(flight);
}

// Where the answer says that the question must be put to this server in another way. It is no further try.
bool CaresUpstream::ask_otherwise(const Try& attempt, std::span<const std::uint8_t> packet) {
  if (attempt.transport == Transport::tcp) return false;
  const bool mistaken = options_.name_case == CaresOptions::NameCase::random &&
                        !repeats_question(packet, query(*attempt.flight, attempt.edns));
  if (mistaken || is_truncated(packet)) {
    count(attempt.lane, [&](ServerCounters& counters) {
      ++counters.over_tcp;
      if (mistaken) ++counters.mismatches;
    });
    send_to(attempt.lane, attempt.flight, Transport::tcp);
    return true;
  }
  // c-ares 1.18 asks again without EDNS by itself, but only the first time on each channel.
  if (attempt.edns == Edns::no || !refuses_edns(packet)) return false;
  edns_[attempt.lane] = Edns::no;
  send_to(attempt.lane, attempt.flight, Transport::udp);
  return true;
}

bool CaresUpstream::all_silent() const {
  return std::ranges::all_of(health_, [](const Health& each) { return each.state() == Health::State::silent; });
}

void CaresUpstream::look_after_servers() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::size_t> due;
  for (std::size_t lane = 0; lane < health_.size(); ++lane) {
    if (!health_[lane].probe_due(now) && !(heeds_validation() && health_[lane].check_due(now))) continue;
    due.push_back(lane);
    if (health_[lane].state() == Health::State::silent)
      count(lane, [](ServerCounters& counters) { counters.health = ServerCounters::Health::silent; });
  }
  if (!due.empty() && !dead_ && all_silent()) {
    dead_ = true;
    give_up_all();
  }
  for (const auto lane : due) probe(lane);
}

// Any answer to it is a sign of life; a resolver has the root's name servers at hand. They are signed, so the answer of
// one that validates says so.
void CaresUpstream::probe(std::size_t lane) {
  const auto sent = std::chrono::steady_clock::now();
  const auto question = make_query("", Type::ns, random_octets<std::uint16_t>(), {edns_[lane], options_.checking});
  auto* const through = channels_.channel(lane, Transport::udp);
  if (!through) return;
  count(lane, [](ServerCounters& counters) { ++counters.queries; });
  ++unanswered_;
  through->send(question, [this, lane, sent](Ending ending, std::span<const std::uint8_t> packet) {
    --unanswered_;
    if (ending == Ending::answer) {
      // One that counts as good has nothing to prove, and questions that it leaves without an answer still do.
      if (health_[lane].state() == Health::State::good)
        count_answer(lane, sent);
      else
        heard(lane, sent);
      note_validation(lane, parse_answer(packet, "", Type::ns));
    }
    if (ending == Ending::unreachable || ending == Ending::silence)
      count(lane, [](ServerCounters& counters) { ++counters.timeouts; });
  });
}

void CaresUpstream::note_validation(std::size_t lane, const Answer& answer) {
  if (heeds_validation() && answer.authenticated) health_[lane].validated();
}

void CaresUpstream::count_answer(std::size_t lane, Instant sent) {
  const auto took = std::chrono::steady_clock::now() - sent;
  count(lane, [&](ServerCounters& counters) {
    ++counters.answers;
    counters.latencies.add(std::chrono::duration_cast<std::chrono::microseconds>(took));
    counters.health = ServerCounters::Health::good;
  });
}

void CaresUpstream::heard(std::size_t lane, Instant sent) {
  const auto now = std::chrono::steady_clock::now();
  count_answer(lane, sent);
  const bool all_down = std::ranges::all_of(health_, [](const Health& each) { return each.is_down(); });
  if (health_[lane].is_down()) edns_[lane] = Edns::yes;  // it may be another program now
  health_[lane].answered(now, now - sent);
  dead_ = false;
  if (all_down) ++recoveries_;
}

}  // namespace

Result<std::unique_ptr<Upstream>> make_cares_upstream(const CaresOptions& options) {
  const auto servers = options.servers.empty() ? system_servers() : parse_servers(options.servers);
  if (!servers) return tl::unexpected(servers.error());
  auto upstream = std::make_unique<CaresUpstream>(options, *servers);
  if (auto started = upstream->start(); !started) return tl::unexpected(started.error());
  return upstream;
}

}  // namespace sesame::dns
