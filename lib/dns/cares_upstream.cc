#include "dns/cares_upstream.h"

// c-ares 1.34 prefers functions that 1.18 does not have.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "dns/server.h"
#include "dns/wire.h"

namespace sesame::dns {
namespace {

using Instant = std::chrono::steady_clock::time_point;

constexpr int kEvents = 64;
// What epoll gives back: the lane's index above its socket, or this for a wake-up.
constexpr std::uint64_t kWake = ~std::uint64_t{0};

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// RFC 5452 Section 9.2: an off-path attacker must not be able to guess the ID, and c-ares 1.18 takes ours as it is.
std::uint16_t random_id() {
  std::uint16_t id = 0;
  // So few octets are never cut short, and never fail once the machine has started.
  [[maybe_unused]] const auto got = getrandom(&id, sizeof id, 0);
  return id;
}

Status status_of(int ares_status) {
  switch (ares_status) {
    case ARES_ESERVFAIL:
      return Status::servfail;
    case ARES_EREFUSED:
      return Status::refused;
    case ARES_ENOTIMP:
      return Status::notimp;
    case ARES_EFORMERR:
      return Status::formerr;
    case ARES_EBADRESP:
      return Status::malformed;
    default:
      return Status::timeout;  // nobody there, or nobody answered in time
  }
}

tl::unexpected<Error> cares_failure(int ares_status) {
  return failure(fmt::format("DNS: c-ares cannot start: {}", ares_strerror(ares_status)));
}

struct Question {
  std::string name;
  Type type;
  std::function<void(Answer)> done;

  void finish(Answer answer) const {
    answer.received = std::chrono::steady_clock::now();
    done(std::move(answer));
  }
  Answer unanswered(Status status) const {
    Answer answer;
    answer.name = name;
    answer.type = type;
    answer.status = status;
    return answer;
  }
  void fail(Status status) const { finish(unanswered(status)); }
};

// A failure that another server, or the same one a moment later, may not have.
bool worth_another_try(Status status) {
  return is_temporary(status) && status != Status::cname_limit;
}

// One c-ares channel for each server, and the failing over between them here: given several servers, c-ares 1.18 either
// takes a SERVFAIL from the first as the answer, or fails over and in the end no longer knows what went wrong.
class CaresUpstream final : public Upstream {
 public:
  explicit CaresUpstream(const CaresOptions& options)
      : options_(options), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~CaresUpstream() override;

  // Before the first question. An error leaves nothing running.
  Result<void> start(const std::vector<Server>& servers);

  void ask(const std::string& name, Type type, std::function<void(Answer)> done) override;

 private:
  struct Lane {
    CaresUpstream& upstream;
    std::size_t index;
    ares_channel channel = nullptr;
    Edns edns = Edns::yes;
  };
  // A question and all its tries. A try stays open when the next one begins: a server that answers late has answered.
  struct Flight;
  using FlightPtr = std::shared_ptr<Flight>;
  using Timers = std::multimap<Instant, FlightPtr>;
  struct Flight {
    Question question;
    std::uint16_t id;  // of all tries: were there several, one would be guessed the sooner
    Instant patient_until;
    std::size_t lane;  // of the latest try
    int tries_left;
    int open = 0;                                // tries that may still be answered
    Status failure = Status::timeout;            // the last thing any server said
    bool counted = true;                         // among those in flight
    std::optional<Timers::iterator> timer = {};  // until it is settled
  };
  // What c-ares is given to come back with.
  struct Try {
    CaresUpstream& upstream;
    FlightPtr flight;
    std::size_t lane;
    Edns edns;
  };

  Result<void> add_lane(const Server& server);
  void close_lanes();
  void wake();
  void run();
  void send_waiting();
  void send(const FlightPtr& flight);
  void send_to(std::size_t lane, const FlightPtr& flight);
  void schedule(const FlightPtr& flight, Instant when);
  void run_timers();
  void overdue(const FlightPtr& flight, Instant now);
  void failed(const FlightPtr& flight, std::size_t lane, Status status);
  void settle(const FlightPtr& flight, Answer answer);
  std::size_t after(std::size_t lane) const { return (lane + 1) % lanes_.size(); }
  void distrust(std::size_t lane);
  std::chrono::milliseconds timeout() const { return std::max(options_.timeout, std::chrono::milliseconds(1)); }
  void wait_and_process();
  int wait_ms() const;
  static void socket_changed(void* lane, ares_socket_t fd, int readable, int writable);
  static void answered(void* attempt, int status, int timeouts, unsigned char* data, int length);

  const CaresOptions options_;
  const Fd wake_;
  const Fd epoll_;

  std::mutex mutex_;
  std::deque<Question> waiting_;  // guarded by mutex_
  bool ending_ = false;           // guarded by mutex_

  // Only the thread touches these once it runs.
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::size_t first_lane_ = 0;  // where questions start: moves on from a server that is silent
  std::size_t in_flight_ = 0;   // questions not settled, but for those that only wait for a late answer
  std::size_t unanswered_ = 0;  // tries c-ares still listens for, also of questions settled
  Timers timers_;               // one for each question not settled

  std::thread thread_;
};

CaresUpstream::~CaresUpstream() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
  // No question enters once we are ending, so what waits now is all there is.
  for (const auto& question : waiting_) question.fail(Status::timeout);
}

Result<void> CaresUpstream::start(const std::vector<Server>& servers) {
  if (wake_.get() < 0 || epoll_.get() < 0)
    return failure(fmt::format("DNS: no descriptor for the event loop: {}", errno_text(errno)));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWake;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    return failure(fmt::format("DNS: cannot watch the event loop's own descriptor: {}", errno_text(errno)));
  for (const auto& server : servers) {
    if (auto added = add_lane(server); !added) {
      close_lanes();
      return added;
    }
  }
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    close_lanes();
    return failure(fmt::format("DNS: cannot start the event thread: {}", error.what()));
  }
  return {};
}

Result<void> CaresUpstream::add_lane(const Server& server) {
  auto lane = std::make_unique<Lane>(Lane{*this, lanes_.size()});
  ares_options settings{};
  // EDNS tells c-ares only that answers over 512 octets are no sign of truncation; the question is ours already.
  settings.flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP;
  settings.ednspsz = kUdpSize;
  // How long c-ares listens. When the next try begins is ours to say.
  const auto listening = std::max(timeout(), options_.patience);
  settings.timeout = static_cast<int>(std::min<std::int64_t>(listening.count(), 3'600'000));
  settings.tries = 1;
  settings.sock_state_cb = &CaresUpstream::socket_changed;
  settings.sock_state_cb_data = lane.get();
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_UDP_MAX_QUERIES
  settings.udp_max_queries = 64;  // then a new source port, RFC 5452 Section 9.2
  mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
  settings.qcache_max_ttl = 0;  // the cache is ours
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  int status = ares_init_options(&lane->channel, &settings, mask);
  if (status != ARES_SUCCESS) return cares_failure(status);
  ares_addr_port_node node{};
  const auto octets = server.address.octets();
  node.family = server.address.is_v4() ? AF_INET : AF_INET6;
  node.udp_port = node.tcp_port = server.port;
  std::memcpy(&node.addr, octets.data(), octets.size());
  status = ares_set_servers_ports(lane->channel, &node);
  lanes_.push_back(std::move(lane));
  if (status != ARES_SUCCESS) return cares_failure(status);
  return {};
}

void CaresUpstream::close_lanes() {
  for (const auto& lane : lanes_) ares_destroy(lane->channel);
  while (!timers_.empty()) {
    const auto flight = timers_.begin()->second;
    settle(flight, flight->question.unanswered(Status::timeout));
  }
  lanes_.clear();
}

void CaresUpstream::ask(const std::string& name, Type type, std::function<void(Answer)> done) {
  Question question{name, type, std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    if (!ending_ && waiting_.size() < options_.max_waiting) {
      waiting_.push_back(std::move(question));
      wake();
      return;
    }
  }
  question.fail(Status::timeout);
}

void CaresUpstream::wake() {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void CaresUpstream::run() {
  for (;;) {
    send_waiting();
    {
      const std::lock_guard lock(mutex_);
      if (ending_) break;
    }
    wait_and_process();
  }
  close_lanes();
}

void CaresUpstream::send_waiting() {
  while (in_flight_ < options_.max_in_flight && unanswered_ < options_.max_unanswered) {
    std::optional<Question> next;
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const int tries = std::max(options_.tries, 1) * static_cast<int>(lanes_.size());
    const auto patient_until = std::chrono::steady_clock::now() + options_.patience;
    ++in_flight_;
    send(std::make_shared<Flight>(Flight{std::move(*next), random_id(), patient_until, first_lane_, tries}));
  }
}

// The next try.
void CaresUpstream::send(const FlightPtr& flight) {
  --flight->tries_left;
  schedule(flight, std::chrono::steady_clock::now() + timeout());
  send_to(flight->lane, flight);
}

void CaresUpstream::send_to(std::size_t index, const FlightPtr& flight) {
  const auto& lane = *lanes_[index];
  const auto query = make_query(flight->question.name, flight->question.type, flight->id, {lane.edns, options_.checking});
  auto attempt = std::make_unique<Try>(Try{*this, flight, index, lane.edns});
  ++flight->open;
  ++unanswered_;
  ares_send(lane.channel, query.data(), static_cast<int>(query.size()), &CaresUpstream::answered, attempt.release());
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

// The latest try has had its time.
void CaresUpstream::overdue(const FlightPtr& flight, Instant now) {
  if (flight->tries_left > 0) {
    distrust(flight->lane);
    flight->lane = after(flight->lane);
    send(flight);
    return;
  }
  if (now >= flight->patient_until) {
    settle(flight, flight->question.unanswered(flight->failure));
    return;
  }
  // From here on it costs memory alone: silent servers shall not keep other questions waiting.
  if (std::exchange(flight->counted, false)) --in_flight_;
  schedule(flight, flight->patient_until);
}

void CaresUpstream::failed(const FlightPtr& flight, std::size_t lane, Status status) {
  if (status == Status::timeout)
    distrust(lane);
  else
    flight->failure = status;
  if (flight->tries_left > 0) {
    flight->lane = after(flight->lane);
    send(flight);
  } else if (flight->open == 0) {
    settle(flight, flight->question.unanswered(flight->failure));
  }
}

// Tries still open come back to a question that is settled.
void CaresUpstream::settle(const FlightPtr& flight, Answer answer) {
  if (flight->counted) --in_flight_;
  const auto question = std::move(flight->question);
  timers_.erase(*std::exchange(flight->timer, std::nullopt));
  question.finish(std::move(answer));
}

void CaresUpstream::distrust(std::size_t lane) {
  if (first_lane_ == lane) first_lane_ = after(lane);
}

// Milliseconds until c-ares or a question has something to do; -1 for never.
int CaresUpstream::wait_ms() const {
  std::int64_t least = -1;
  for (const auto& lane : lanes_) {
    timeval left{};
    if (!ares_timeout(lane->channel, nullptr, &left)) continue;
    // Rounded up: waking before the time has come would spin.
    const std::int64_t milliseconds = left.tv_sec * 1000LL + left.tv_usec / 1000 + 1;
    if (least < 0 || milliseconds < least) least = milliseconds;
  }
  if (!timers_.empty()) {
    const auto left = timers_.begin()->first - std::chrono::steady_clock::now();
    const std::int64_t milliseconds =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0);
    if (least < 0 || milliseconds < least) least = milliseconds;
  }
  return static_cast<int>(std::min<std::int64_t>(least, 60'000));
}

void CaresUpstream::wait_and_process() {
  std::array<epoll_event, kEvents> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEvents, wait_ms());
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWake) {
      std::uint64_t seen = 0;
      [[maybe_unused]] const auto got = read(wake_.get(), &seen, sizeof seen);
      continue;
    }
    const auto fd = static_cast<ares_socket_t>(event.data.u64 & 0xffff'ffff);
    // An error is told by reading.
    ares_process_fd(lanes_[event.data.u64 >> 32]->channel, (event.events & ~EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD,
                    (event.events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
  }
  for (const auto& lane : lanes_) ares_process_fd(lane->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what timed out
  run_timers();
}

void CaresUpstream::socket_changed(void* context, ares_socket_t fd, int readable, int writable) {
  const auto& lane = *static_cast<Lane*>(context);
  const int epoll = lane.upstream.epoll_.get();
  epoll_event event{};
  event.data.u64 = static_cast<std::uint64_t>(lane.index) << 32 | static_cast<std::uint32_t>(fd);
  if (readable) event.events |= EPOLLIN;
  if (writable) event.events |= EPOLLOUT;
  if (event.events == 0)
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
  else if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void CaresUpstream::answered(void* context, int status, int, unsigned char* data, int length) {
  const std::unique_ptr<const Try> attempt(static_cast<const Try*>(context));
  auto& upstream = attempt->upstream;
  const auto& flight = attempt->flight;
  --upstream.unanswered_;
  --flight->open;
  // Silence is judged by the timers alone.
  if (!flight->timer || status == ARES_EDESTRUCTION || status == ARES_ETIMEOUT) return;
  const auto& question = flight->question;
  auto answer = question.unanswered(status_of(status));
  if (status == ARES_SUCCESS && data && length > 0) {
    const std::span packet(data, static_cast<std::size_t>(length));
    answer = parse_answer(packet, question.name, question.type);
    // c-ares 1.18 asks again without EDNS only the first time a server refuses it.
    if (attempt->edns == Edns::yes && refuses_edns(packet)) {
      upstream.lanes_[attempt->lane]->edns = Edns::no;
      upstream.send_to(attempt->lane, flight);
      return;
    }
  }
  if (worth_another_try(answer.status))
    upstream.failed(flight, attempt->lane, answer.status);
  else
    upstream.settle(flight, std::move(answer));
}

// Those of resolv.conf, as c-ares reads it.
Result<std::vector<Server>> system_servers() {
  ares_channel channel = nullptr;
  ares_options settings{};
  int status = ares_init_options(&channel, &settings, 0);
  if (status != ARES_SUCCESS) return cares_failure(status);
  ares_addr_port_node* nodes = nullptr;
  status = ares_get_servers_ports(channel, &nodes);
  std::vector<Server> servers;
  for (const auto* node = nodes; node; node = node->next) {
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &node->addr, node->family == AF_INET ? 4 : 16);
    const std::span all(octets);
    servers.push_back({node->family == AF_INET ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all),
                       node->udp_port != 0 ? static_cast<std::uint16_t>(node->udp_port) : kDnsPort});
  }
  if (nodes) ares_free_data(nodes);
  ares_destroy(channel);
  if (status != ARES_SUCCESS) return cares_failure(status);
  if (servers.empty()) return failure("DNS: no server is configured, and resolv.conf names none");
  return servers;
}

}  // namespace

Result<std::unique_ptr<Upstream>> make_cares_upstream(const CaresOptions& options) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) return cares_failure(library);
  const auto servers = options.servers.empty() ? system_servers() : parse_servers(options.servers);
  if (!servers) return tl::unexpected(servers.error());
  auto upstream = std::make_unique<CaresUpstream>(options);
  if (auto started = upstream->start(*servers); !started) return tl::unexpected(started.error());
  return upstream;
}

}  // namespace sesame::dns
