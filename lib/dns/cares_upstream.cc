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
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "dns/wire.h"
#include "util/text.h"

namespace sesame::dns {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr int kEvents = 64;

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

struct Server {
  IpAddress address;
  std::uint16_t port = kDnsPort;
};

Result<Server> parse_server(std::string_view text) {
  const auto wrong = [&] {
    return failure(
        fmt::format("DNS server \"{}\": expected an IP address with or without a port, such as 192.0.2.1, "
                    "192.0.2.1:5353 or [2001:db8::1]:53",
                    printable(text)));
  };
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  const auto address = IpAddress::parse(host);
  if (!address || (text.starts_with('[') && address->is_v4())) return wrong();
  if (port.empty()) return Server{*address};
  const auto number = parse_number(port.substr(1));
  if (port.front() != ':' || !number || *number == 0 || *number > 65535) return wrong();
  return Server{*address, static_cast<std::uint16_t>(*number)};
}

Result<std::vector<Server>> parse_servers(const std::vector<std::string>& texts) {
  std::vector<Server> servers;
  for (const auto& text : texts) {
    const auto server = parse_server(text);
    if (!server) return tl::unexpected(server.error());
    servers.push_back(*server);
  }
  return servers;
}

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
      return Status::timeout;  // nobody there, nobody answered in time, or we are ending
  }
}

struct Question {
  std::string name;
  Type type;
  std::function<void(Answer)> done;

  void finish(Answer answer) const {
    answer.received = std::chrono::steady_clock::now();
    done(std::move(answer));
  }
  void fail(Status status) const {
    Answer answer;
    answer.name = name;
    answer.type = type;
    answer.status = status;
    finish(std::move(answer));
  }
};

class CaresUpstream final : public Upstream {
 public:
  explicit CaresUpstream(const CaresOptions& options)
      : options_(options), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~CaresUpstream() override;

  // Before the first question. An error leaves nothing running.
  Result<void> start(const std::vector<Server>& servers);

  void ask(const std::string& name, Type type, std::function<void(Answer)> done) override;

 private:
  // What c-ares is given to come back with.
  struct Flight {
    CaresUpstream& upstream;
    Question question;
  };

  Result<void> open_channel(const std::vector<Server>& servers);
  void wake();
  void run();
  void send_waiting();
  void wait_and_process();
  static void socket_changed(void* self, ares_socket_t fd, int readable, int writable);
  static void answered(void* flight, int status, int timeouts, unsigned char* data, int length);

  const CaresOptions options_;
  const Fd wake_;
  const Fd epoll_;

  std::mutex mutex_;
  std::deque<Question> waiting_;  // guarded by mutex_
  bool ending_ = false;           // guarded by mutex_

  // Only the thread touches these once it runs.
  ares_channel channel_ = nullptr;
  std::size_t in_flight_ = 0;

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
    return failure(fmt::format("DNS: no descriptor for the event loop: {}", std::strerror(errno)));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    return failure(fmt::format("DNS: cannot watch the event loop's own descriptor: {}", std::strerror(errno)));
  if (auto opened = open_channel(servers); !opened) return opened;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    ares_destroy(channel_);
    return failure(fmt::format("DNS: cannot start the event thread: {}", error.what()));
  }
  return {};
}

Result<void> CaresUpstream::open_channel(const std::vector<Server>& servers) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  ares_options settings{};
  // EDNS tells c-ares only that answers over 512 octets are no sign of truncation; the question is ours already. With
  // NOCHECKRESP off, SERVFAIL, REFUSED and NOTIMP make it try the next server and come back as its own status.
  settings.flags = ARES_FLAG_EDNS;
  settings.ednspsz = kUdpSize;
  settings.timeout = static_cast<int>(std::clamp<std::int64_t>(options_.timeout.count(), 1, 3'600'000));
  settings.tries = std::max(options_.tries, 1);
  settings.sock_state_cb = &CaresUpstream::socket_changed;
  settings.sock_state_cb_data = this;
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_UDP_MAX_QUERIES
  settings.udp_max_queries = 64;  // then a new source port, RFC 5452 Section 9.2
  mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
  settings.qcache_max_ttl = 0;  // the cache is ours
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  int status = library == ARES_SUCCESS ? ares_init_options(&channel_, &settings, mask) : library;
  if (status == ARES_SUCCESS && !servers.empty()) {
    std::vector<ares_addr_port_node> nodes(servers.size());
    for (std::size_t i = 0; i < servers.size(); ++i) {
      auto& node = nodes[i];
      const auto octets = servers[i].address.octets();
      node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
      node.family = servers[i].address.is_v4() ? AF_INET : AF_INET6;
      node.udp_port = node.tcp_port = servers[i].port;
      std::memcpy(&node.addr, octets.data(), octets.size());
    }
    status = ares_set_servers_ports(channel_, nodes.data());
  }
  if (status == ARES_SUCCESS) return {};
  if (channel_) ares_destroy(channel_);
  channel_ = nullptr;
  return failure(fmt::format("DNS: c-ares cannot start: {}", ares_strerror(status)));
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
  ares_destroy(channel_);  // calls answered() for each question on the wire
}

void CaresUpstream::send_waiting() {
  while (in_flight_ < options_.max_in_flight) {
    std::optional<Question> next;
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const auto query = make_query(next->name, next->type, random_id());
    auto flight = std::make_unique<Flight>(Flight{*this, std::move(*next)});
    ++in_flight_;
    ares_send(channel_, query.data(), static_cast<int>(query.size()), &CaresUpstream::answered, flight.release());
  }
}

void CaresUpstream::wait_and_process() {
  timeval left{};
  int wait_ms = -1;
  // Rounded up: waking before the time has come would spin.
  if (ares_timeout(channel_, nullptr, &left))
    wait_ms = static_cast<int>(std::min<std::int64_t>(left.tv_sec * 1000LL + left.tv_usec / 1000 + 1, 60'000));
  std::array<epoll_event, kEvents> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEvents, wait_ms);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    if (fd == wake_.get()) {
      std::uint64_t seen = 0;
      [[maybe_unused]] const auto got = read(fd, &seen, sizeof seen);
      continue;
    }
    // An error is told by reading.
    ares_process_fd(channel_, (event.events & ~EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD,
                    (event.events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what has timed out
}

void CaresUpstream::socket_changed(void* self, ares_socket_t fd, int readable, int writable) {
  const int epoll = static_cast<CaresUpstream*>(self)->epoll_.get();
  epoll_event event{};
  event.data.fd = fd;
  if (readable) event.events |= EPOLLIN;
  if (writable) event.events |= EPOLLOUT;
  if (event.events == 0)
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
  else if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void CaresUpstream::answered(void* context, int status, int, unsigned char* data, int length) {
  const std::unique_ptr<Flight> flight(static_cast<Flight*>(context));
  const auto& question = flight->question;
  --flight->upstream.in_flight_;
  if (status != ARES_SUCCESS || !data || length <= 0) {
    question.fail(status_of(status));
    return;
  }
  question.finish(parse_answer({data, static_cast<std::size_t>(length)}, question.name, question.type));
}

}  // namespace

Result<std::unique_ptr<Upstream>> make_cares_upstream(const CaresOptions& options) {
  const auto servers = parse_servers(options.servers);
  if (!servers) return tl::unexpected(servers.error());
  auto upstream = std::make_unique<CaresUpstream>(options);
  if (auto started = upstream->start(*servers); !started) return tl::unexpected(started.error());
  return upstream;
}

}  // namespace sesame::dns
