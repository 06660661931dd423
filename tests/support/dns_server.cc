#include "support/dns_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <system_error>

#include "util/text.h"

namespace sesame::test {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

constexpr int kBindTries = 50;
constexpr std::size_t kMaxConnections = 256;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

sockaddr_in socket_address(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    errno = EINVAL;
    fail(host.c_str());
  }
  return address;
}

Socket bind_socket(int kind, const std::string& host, std::uint16_t port) {
  Socket result(socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (result.fd() < 0) fail("socket");
  const int on = 1;
  // Only TCP: a revived server meets its own connections in TIME_WAIT, while two UDP servers must never share a port.
  if (kind == SOCK_STREAM) setsockopt(result.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = socket_address(host, port);
  if (bind(result.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  if (kind == SOCK_STREAM && listen(result.fd(), 64) != 0) return {};
  return result;
}

std::uint16_t port_of(const Socket& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

struct Listeners {
  Socket udp;
  Socket tcp;
  std::uint16_t port = 0;
};

Listeners listen_both(const std::string& host, std::uint16_t port) {
  for (int i = 0; i < kBindTries; ++i) {
    Listeners result;
    result.udp = bind_socket(SOCK_DGRAM, host, port);
    if (result.udp.fd() >= 0) {
      result.port = port_of(result.udp);
      result.tcp = bind_socket(SOCK_STREAM, host, result.port);
      if (result.tcp.fd() >= 0) return result;
    }
    // A port given may still be in somebody's hands for a moment; a free one is simply drawn again.
    if (port != 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  fail("no port for both UDP and TCP");
}

}  // namespace

class DnsServer::Loop {
 public:
  Loop(DnsServer& server, Listeners listeners)
      : server_(server), listeners_(std::move(listeners)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_.fd() < 0) fail("eventfd");
    set_door();
    thread_ = std::thread([this] { run(); });
  }
  ~Loop() {
    wake(Errand::end);
    thread_.join();
  }

  // Opens or closes the door to TCP as the server's conduct wants it.
  void adopt_conduct() {
    wake(Errand::conduct);
    std::unique_lock lock(mutex_);
    adopted_.wait(lock, [this] { return errand_ == Errand::none; });
  }

 private:
  struct Connection {
    Socket socket;
    Bytes in;
    Bytes out;
  };
  struct Delayed {
    Clock::time_point due;
    Bytes packet;
    sockaddr_in to{};
    std::uint64_t connection = 0;  // 0: UDP
  };

  enum class Errand { none, conduct, end };

  void wake(Errand errand) {
    {
      const std::lock_guard lock(mutex_);
      errand_ = errand;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_.fd(), &one, sizeof one);
  }

  // False when the thread shall end.
  bool run_errand() {
    std::uint64_t seen = 0;
    [[maybe_unused]] const auto got = read(wake_.fd(), &seen, sizeof seen);
    const std::lock_guard lock(mutex_);
    if (errand_ == Errand::end) return false;
    set_door();
    errand_ = Errand::none;
    adopted_.notify_all();
    return true;
  }

  void set_door() {
    const bool wanted = server_.conduct().tcp != Conduct::Tcp::refuses;
    if (!wanted) {
      listeners_.tcp = Socket();
      connections_.clear();
    }
    for (int i = 0; wanted && listeners_.tcp.fd() < 0 && i < kBindTries; ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      listeners_.tcp = bind_socket(SOCK_STREAM, server_.options_.address, listeners_.port);
    }
  }

  void run() {
    for (;;) {
      std::vector<pollfd> fds = {
          {wake_.fd(), POLLIN, 0}, {listeners_.udp.fd(), POLLIN, 0}, {listeners_.tcp.fd(), POLLIN, 0}};
      std::vector<std::uint64_t> ids;
      for (const auto& [id, connection] : connections_) {
        const auto events = static_cast<short>(connection.out.empty() ? POLLIN : POLLIN | POLLOUT);
        fds.push_back({connection.socket.fd(), events, 0});
        ids.push_back(id);
      }
      if (poll(fds.data(), fds.size(), wait_ms()) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) {
        if (!run_errand()) return;
        continue;
      }
      if (fds[1].revents != 0) read_udp();
      for (std::size_t i = 0; i < ids.size(); ++i)
        if (fds[i + 3].revents != 0) serve(ids[i]);
      if (fds[2].revents != 0) accept_one();
      send_due();
    }
  }

  int wait_ms() const {
    if (delayed_.empty()) return -1;
    const auto first = std::ranges::min(delayed_, {}, &Delayed::due).due;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void read_udp() {
    for (int i = 0; i < 64; ++i) {
      Bytes request(4096);
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const auto got =
          recvfrom(listeners_.udp.fd(), request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0) return;
      request.resize(static_cast<std::size_t>(got));
      answer(request, Transport::udp, {.due = {}, .packet = {}, .to = from, .connection = 0});
    }
  }

  void answer(const Bytes& request, Transport transport, Delayed delivery) {
    auto reply = server_.reply(request, transport);
    if (reply.packet.empty()) return;
    delivery.packet = std::move(reply.packet);
    delivery.due = Clock::now() + std::chrono::milliseconds(reply.delay_ms);
    if (reply.delay_ms > 0)
      delayed_.push_back(std::move(delivery));
    else
      deliver(delivery);
  }

  void deliver(const Delayed& delivery) {
    if (delivery.connection == 0) {
      sendto(listeners_.udp.fd(), delivery.packet.data(), delivery.packet.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&delivery.to), sizeof delivery.to);
      return;
    }
    const auto found = connections_.find(delivery.connection);
    if (found == connections_.end()) return;
    auto& out = found->second.out;
    out.push_back(static_cast<std::uint8_t>(delivery.packet.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(delivery.packet.size()));
    out.insert(out.end(), delivery.packet.begin(), delivery.packet.end());
  }

  void send_due() {
    const auto now = Clock::now();
    const auto waiting = std::stable_partition(delayed_.begin(), delayed_.end(),
                                               [&](const Delayed& delivery) { return delivery.due <= now; });
    std::for_each(delayed_.begin(), waiting, [this](const Delayed& delivery) { deliver(delivery); });
    delayed_.erase(delayed_.begin(), waiting);
  }

  void accept_one() {
    Socket socket(accept4(listeners_.tcp.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const bool closes = server_.conduct().tcp == Conduct::Tcp::closes;
    if (socket.fd() < 0 || closes || connections_.size() >= kMaxConnections) return;
    connections_.emplace(++last_id_, Connection{std::move(socket), {}, {}});
  }

  // Reads what came, answers every whole request in it, and sends what the socket takes.
  void serve(std::uint64_t id) {
    auto& connection = connections_.at(id);
    std::uint8_t buffer[4096];
    const auto got = recv(connection.socket.fd(), buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      connections_.erase(id);
      return;
    }
    if (got > 0) connection.in.insert(connection.in.end(), buffer, buffer + got);
    while (connection.in.size() >= 2) {
      const std::ptrdiff_t end = 2 + (connection.in[0] << 8 | connection.in[1]);
      if (std::ssize(connection.in) < end) break;
      const Bytes request(connection.in.begin() + 2, connection.in.begin() + end);
      connection.in.erase(connection.in.begin(), connection.in.begin() + end);
      answer(request, Transport::tcp, {.due = {}, .packet = {}, .to = {}, .connection = id});
    }
    if (connection.out.empty()) return;
    const auto sent = send(connection.socket.fd(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent > 0) connection.out.erase(connection.out.begin(), connection.out.begin() + sent);
  }

  DnsServer& server_;
  Listeners listeners_;
  Socket wake_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t last_id_ = 0;
  std::vector<Delayed> delayed_;
  std::mutex mutex_;
  std::condition_variable adopted_;
  Errand errand_ = Errand::none;  // guarded by mutex_
  std::thread thread_;
};

DnsServer::DnsServer(Zone zone, DnsServerOptions options)
    : options_(std::move(options)), port_(options_.port), zone_(std::move(zone)) {
  start();
}

DnsServer::~DnsServer() {
  stop();
}

void DnsServer::start() {
  if (loop_) return;
  auto listeners = listen_both(options_.address, port_);
  port_ = listeners.port;
  loop_ = std::make_unique<Loop>(*this, std::move(listeners));
}

void DnsServer::stop() {
  loop_.reset();
}

void DnsServer::adopt_conduct() {
  if (loop_) loop_->adopt_conduct();
}

Conduct DnsServer::conduct() const {
  const std::lock_guard lock(mutex_);
  return zone_.conduct();
}

Reply DnsServer::reply(const std::vector<std::uint8_t>& request, Transport transport) {
  const auto question = parse_question(request);
  if (!question) return {};
  const auto line =
      question->type_name() + " " + printable(question->name, 300) + (transport == Transport::udp ? " udp" : " tcp");
  if (options_.on_query) options_.on_query(line);
  const std::lock_guard lock(mutex_);
  if (!options_.on_query && !options_.on_reply) queries_.push_back(line);
  if (question->edns_size && options_.edns == EdnsManner::refuse) return refuse_edns(*question);
  auto reply = make_reply(*question, zone_, transport, options_.ttls, asked_);
  if (options_.on_reply) options_.on_reply(*question, reply);
  return reply;
}

std::vector<std::string> DnsServer::queries() const {
  const std::lock_guard lock(mutex_);
  return queries_;
}

void DnsServer::forget_queries() {
  const std::lock_guard lock(mutex_);
  queries_.clear();
}

}  // namespace sesame::test
