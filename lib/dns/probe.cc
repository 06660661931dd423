#include "dns/probe.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "dns/probe_socket.h"
#include "dns/random.h"
#include "dns/wire.h"

namespace sesame::dns {
namespace {

using Instant = std::chrono::steady_clock::time_point;
using Bytes = std::vector<std::uint8_t>;

constexpr int kEvents = 64;
constexpr std::uint64_t kWake = 0;  // what epoll gives back for a wake-up; flights are numbered from 1
constexpr std::size_t kMaxDatagram = 4096;
constexpr int kMaxStrangers = 32;  // datagrams that answer nothing, read in one go

std::string seconds_text(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
}

class EventProber final : public Prober {
 public:
  explicit EventProber(const ProberOptions& options)
      : options_(options),
        pace_(std::chrono::duration_cast<Instant::duration>(
            std::chrono::duration<double>(1 / std::max(options.max_rate, 0.001)))),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~EventProber() override;

  // Before the first question. An error leaves nothing running.
  Result<void> start();
  void ask(const ProbeQuestion& question, std::function<void(ProbeReply)> done) override;

 private:
  struct Asked {
    ProbeQuestion question;
    std::function<void(ProbeReply)> done;
  };
  using Timers = std::multimap<Instant, std::uint64_t>;
  struct Flight {
    Asked asked;
    std::uint16_t id;
    int tries_left;
    Edns edns = Edns::yes;
    Fd socket = {};
    Bytes query = {};
    // Of a connection: the query behind its length, and how much of it was sent; what has come so far.
    Bytes out = {};
    std::size_t sent = 0;
    Bytes in = {};
    enum class Way { opening, open } way = Way::opening;
    std::string trouble = {};  // of a try that is over, while there are more
    Instant began = {};
    Timers::iterator timer = {};
  };
  // Questions to one address that wait their turn, and when it comes. Kept for one turn after the last.
  struct Lane {
    std::deque<Asked> waiting;
    Instant turn;
  };

  void wake();
  void run();
  bool take_asked();
  void begin_due();
  void use_turn(const IpAddress& address, Instant now);
  void begin(Asked asked);
  bool open(Flight& flight, std::uint64_t number, ProbeReply& failure);
  void make_query_of(Flight& flight) const;
  void listen_for(const Flight& flight, std::uint64_t number, std::uint32_t events, int operation) const;
  void wait_and_process();
  int wait_ms() const;
  void run_timers();
  void overdue(std::uint64_t number);
  void happened(std::uint64_t number, std::uint32_t events);
  void read_datagrams(Flight& flight, std::uint64_t number);
  void send_datagram(Flight& flight, std::uint64_t number);
  void write_stream(Flight& flight, std::uint64_t number);
  void read_stream(Flight& flight, std::uint64_t number);
  void broken(Flight& flight, std::uint64_t number, int error);
  void take(Flight& flight, std::uint64_t number, std::span<const std::uint8_t> packet);
  void fail(std::uint64_t number, std::string trouble);
  void finish(std::uint64_t number, ProbeReply reply);
  static ProbeReply unanswered(const ProbeQuestion& question, std::string trouble);
  void give_up_all();

  const ProberOptions options_;
  const Instant::duration pace_;  // between two questions to one address
  const Fd wake_;
  const Fd epoll_;

  std::mutex mutex_;
  std::vector<Asked> incoming_;  // guarded by mutex_
  bool ending_ = false;          // guarded by mutex_

  // Only the thread touches these once it runs.
  std::map<IpAddress, Lane> lanes_;
  std::set<std::pair<Instant, IpAddress>> turns_;  // one for each lane
  std::map<std::uint64_t, Flight> flights_;
  std::uint64_t last_number_ = kWake;
  Timers timers_;  // one for each flight

  std::thread thread_;
};

EventProber::~EventProber() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

Result<void> EventProber::start() {
  if (wake_.get() < 0 || epoll_.get() < 0)
    return failure(fmt::format("DNS: no descriptor for the event loop: {}", errno_text(errno)));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWake;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    return failure(fmt::format("DNS: cannot watch the event loop's own descriptor: {}", errno_text(errno)));
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return failure(fmt::format("DNS: cannot start the event thread: {}", error.what()));
  }
  return {};
}

void EventProber::ask(const ProbeQuestion& question, std::function<void(ProbeReply)> done) {
  {
    const std::lock_guard lock(mutex_);
    incoming_.push_back({question, std::move(done)});
  }
  wake();
}

void EventProber::wake() {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void EventProber::run() {
  while (take_asked()) {
    begin_due();
    wait_and_process();
    run_timers();
  }
  give_up_all();
}

// False when the prober is being destroyed.
bool EventProber::take_asked() {
  std::vector<Asked> asked;
  bool ending = false;
  {
    const std::lock_guard lock(mutex_);
    asked.swap(incoming_);
    ending = ending_;
  }
  const auto now = std::chrono::steady_clock::now();
  for (auto& each : asked) {
    const auto [lane, added] = lanes_.try_emplace(each.question.server.address, Lane{{}, now});
    if (added) turns_.emplace(now, lane->first);
    lane->second.waiting.push_back(std::move(each));
  }
  return !ending;
}

void EventProber::begin_due() {
  const auto now = std::chrono::steady_clock::now();
  while (!turns_.empty() && turns_.begin()->first <= now && flights_.size() < options_.max_open) {
    const auto address = turns_.begin()->second;
    const auto lane = lanes_.find(address);
    if (lane->second.waiting.empty()) {
      turns_.erase(turns_.begin());
      lanes_.erase(lane);
      continue;
    }
    auto next = std::move(lane->second.waiting.front());
    lane->second.waiting.pop_front();
    use_turn(address, now);
    begin(std::move(next));
  }
}

void EventProber::use_turn(const IpAddress& address, Instant now) {
  auto& lane = lanes_.try_emplace(address, Lane{{}, now}).first->second;
  turns_.erase({lane.turn, address});
  lane.turn = std::max(lane.turn, now) + pace_;
  turns_.emplace(lane.turn, address);
}

void EventProber::make_query_of(Flight& flight) const {
  const auto& question = flight.asked.question;
  flight.query = make_query(question.name, question.type, flight.id,
                            {.edns = flight.edns, .checking = Checking::enabled, .recursion = Recursion::not_desired});
  // RFC 7766 Section 8: the length goes out in one piece with the message.
  flight.out = {static_cast<std::uint8_t>(flight.query.size() >> 8), static_cast<std::uint8_t>(flight.query.size())};
  flight.out.insert(flight.out.end(), flight.query.begin(), flight.query.end());
  flight.sent = 0;
}

void EventProber::begin(Asked asked) {
  const auto number = ++last_number_;
  const bool datagram = asked.question.transport == Transport::udp;
  const int more = datagram ? std::max(options_.tries, 1) - 1 : 0;
  auto& flight =
      flights_.emplace(number, Flight{std::move(asked), random_octets<std::uint16_t>(), more}).first->second;
  flight.began = std::chrono::steady_clock::now();
  flight.timer = timers_.emplace(flight.began + options_.timeout, number);
  make_query_of(flight);
  ProbeReply failure;
  if (!open(flight, number, failure))
    finish(number, std::move(failure));
  else if (datagram)
    send_datagram(flight, number);
}

// False with why not.
bool EventProber::open(Flight& flight, std::uint64_t number, ProbeReply& failure) {
  const auto& question = flight.asked.question;
  const auto transport = question.transport;
  auto [socket, error] = connect_to(question.server, transport);
  if (error != 0) {
    failure = unanswered(question, trouble_of(error, transport));
    failure.not_asked = error != ECONNREFUSED && error != ECONNRESET;
    return false;
  }
  flight.socket = std::move(socket);
  listen_for(flight, number, transport == Transport::udp ? EPOLLIN : EPOLLOUT, EPOLL_CTL_ADD);
  return true;
}

void EventProber::listen_for(const Flight& flight, std::uint64_t number, std::uint32_t events, int operation) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  // Without it the question ends by its timer.
  epoll_ctl(epoll_.get(), operation, flight.socket.get(), &event);
}

void EventProber::wait_and_process() {
  std::array<epoll_event, kEvents> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEvents, wait_ms());
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWake) {
      std::uint64_t seen = 0;
      [[maybe_unused]] const auto got = read(wake_.get(), &seen, sizeof seen);
    } else {
      happened(event.data.u64, event.events);
    }
  }
}

// Milliseconds until a timer or a turn; -1 for never.
int EventProber::wait_ms() const {
  std::optional<Instant> next;
  if (!timers_.empty()) next = timers_.begin()->first;
  if (!turns_.empty() && flights_.size() < options_.max_open)
    next = next ? std::min(*next, turns_.begin()->first) : turns_.begin()->first;
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void EventProber::run_timers() {
  const auto now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) overdue(timers_.begin()->second);
}

void EventProber::overdue(std::uint64_t number) {
  auto& flight = flights_.at(number);
  const auto transport = flight.asked.question.transport;
  if (flight.tries_left > 0) {
    --flight.tries_left;
    const auto now = std::chrono::steady_clock::now();
    timers_.erase(flight.timer);
    flight.timer = timers_.emplace(now + options_.timeout, number);
    use_turn(flight.asked.question.server.address, now);
    send_datagram(flight, number);
    return;
  }
  const auto patience = options_.timeout * (transport == Transport::udp ? std::max(options_.tries, 1) : 1);
  const bool unconnected = transport == Transport::tcp && flight.way == Flight::Way::opening;
  fail(number, !flight.trouble.empty()
                   ? flight.trouble
                   : fmt::format("no {} in {}", unconnected ? "connection" : "answer", seconds_text(patience)));
}

void EventProber::happened(std::uint64_t number, std::uint32_t events) {
  const auto found = flights_.find(number);
  if (found == flights_.end()) return;
  auto& flight = found->second;
  if (flight.asked.question.transport == Transport::udp)
    read_datagrams(flight, number);
  else if (flight.sent < flight.out.size())
    write_stream(flight, number);
  else if ((events & ~EPOLLOUT) != 0)
    read_stream(flight, number);
}

void EventProber::send_datagram(Flight& flight, std::uint64_t number) {
  const auto& query = flight.query;
  const auto sent = send(flight.socket.get(), query.data(), query.size(), MSG_NOSIGNAL);
  // A full buffer loses it, as the way may.
  if (sent >= 0 || errno == EAGAIN) return;
  if (errno == ECONNREFUSED) {  // told late, of the datagram before
    broken(flight, number, errno);
    return;
  }
  auto failure = unanswered(flight.asked.question, errno_text(errno));
  failure.not_asked = true;
  finish(number, std::move(failure));
}

void EventProber::read_datagrams(Flight& flight, std::uint64_t number) {
  std::array<std::uint8_t, kMaxDatagram> buffer;
  for (int i = 0; i < kMaxStrangers; ++i) {
    const auto got = recv(flight.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) {
      broken(flight, number, errno);
      return;
    }
    const std::span packet(buffer.data(), static_cast<std::size_t>(got));
    if (!belongs_to(packet, flight.query)) continue;
    take(flight, number, packet);
    return;
  }
}

// The way to the server failed. Over UDP the next try comes at its time: the server may be starting.
void EventProber::broken(Flight& flight, std::uint64_t number, int error) {
  flight.trouble = trouble_of(error, flight.asked.question.transport);
  if (flight.tries_left == 0) fail(number, flight.trouble);
}

void EventProber::write_stream(Flight& flight, std::uint64_t number) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(flight.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) {
    flight.way = Flight::Way::open;
    const auto sent =
        send(flight.socket.get(), flight.out.data() + flight.sent, flight.out.size() - flight.sent, MSG_NOSIGNAL);
    if (sent >= 0)
      flight.sent += static_cast<std::size_t>(sent);
    else if (errno != EAGAIN && errno != EINTR)
      error = errno;
  }
  if (error != 0)
    broken(flight, number, error);
  else if (flight.sent == flight.out.size())
    listen_for(flight, number, EPOLLIN, EPOLL_CTL_MOD);
}

void EventProber::read_stream(Flight& flight, std::uint64_t number) {
  std::array<std::uint8_t, kMaxDatagram> buffer;
  const auto got = recv(flight.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) {
    broken(flight, number, errno);
    return;
  }
  if (got == 0) {
    fail(number, "connection closed without an answer");
    return;
  }
  flight.in.insert(flight.in.end(), buffer.begin(), buffer.begin() + got);
  if (flight.in.size() < 2) return;
  const std::size_t whole = 2u + (static_cast<std::size_t>(flight.in[0]) << 8 | flight.in[1]);
  if (flight.in.size() < whole) return;
  const Bytes packet(flight.in.begin() + 2, flight.in.begin() + static_cast<std::ptrdiff_t>(whole));
  flight.in.clear();
  if (belongs_to(packet, flight.query))
    take(flight, number, packet);
  else
    fail(number, "an answer to another question");
}

void EventProber::take(Flight& flight, std::uint64_t number, std::span<const std::uint8_t> packet) {
  const auto& question = flight.asked.question;
  if (flight.edns == Edns::yes && refuses_edns(packet)) {
    flight.edns = Edns::no;
    make_query_of(flight);
    if (question.transport == Transport::udp)
      send_datagram(flight, number);
    else
      listen_for(flight, number, EPOLLOUT, EPOLL_CTL_MOD);
    return;
  }
  auto parsed = parse_reply(packet, question.name, question.type);
  const auto now = std::chrono::steady_clock::now();
  ProbeReply reply;
  reply.answer = std::move(parsed.answer);
  reply.answer.received = now;
  reply.authoritative = parsed.authoritative;
  reply.truncated = parsed.truncated;
  reply.referred_to = std::move(parsed.referred_to);
  reply.referral = std::move(parsed.referral);
  reply.soa = std::move(parsed.soa);
  reply.latency = std::chrono::duration_cast<std::chrono::microseconds>(now - flight.began);
  finish(number, std::move(reply));
}

void EventProber::fail(std::uint64_t number, std::string trouble) {
  const auto& flight = flights_.at(number);
  auto reply = unanswered(flight.asked.question, std::move(trouble));
  reply.latency =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - flight.began);
  finish(number, std::move(reply));
}

void EventProber::finish(std::uint64_t number, ProbeReply reply) {
  const auto found = flights_.find(number);
  const auto done = std::move(found->second.asked.done);
  timers_.erase(found->second.timer);
  flights_.erase(found);
  done(std::move(reply));
}

ProbeReply EventProber::unanswered(const ProbeQuestion& question, std::string trouble) {
  ProbeReply reply;
  reply.answer.name = question.name;
  reply.answer.type = question.type;
  reply.answer.received = std::chrono::steady_clock::now();
  reply.trouble = std::move(trouble);
  return reply;
}

void EventProber::give_up_all() {
  const auto given_up = [](const ProbeQuestion& question) {
    auto reply = unanswered(question, "given up");
    reply.not_asked = true;
    return reply;
  };
  while (!flights_.empty()) finish(flights_.begin()->first, given_up(flights_.begin()->second.asked.question));
  // Whoever is told may ask again, in vain.
  do {
    auto lanes = std::exchange(lanes_, {});
    for (auto& [address, lane] : lanes)
      for (auto& each : lane.waiting) each.done(given_up(each.question));
    take_asked();
  } while (std::ranges::any_of(lanes_, [](const auto& lane) { return !lane.second.waiting.empty(); }));
}

}  // namespace

const char* to_string(Transport transport) {
  return transport == Transport::udp ? "UDP" : "TCP";
}

Result<std::unique_ptr<Prober>> make_prober(const ProberOptions& options) {
  auto prober = std::make_unique<EventProber>(options);
  if (auto started = prober->start(); !started) return tl::unexpected(started.error());
  return prober;
}

}  // namespace sesame::dns
