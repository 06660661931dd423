#include "milter/status_connections.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace sesame::milter {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWithoutDescriptors{200};  // until the next try
constexpr milliseconds kLongest{1000};            // wait
constexpr std::string_view kTooLarge =
    "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void StatusConnections::turn() {
  const auto begin = Time::now();
  std::vector<pollfd> files{{wake_, POLLIN, 0}};
  // A negative descriptor is passed over.
  files.push_back({begin < accept_after_ ? -1 : listener_, POLLIN, 0});
  std::vector<std::uint64_t> ids;
  for (const auto& [id, connection] : connections_) {
    const bool waits = connection.doing == Connection::Doing::waiting;
    const bool reads = connection.doing == Connection::Doing::reading;
    files.push_back({waits ? -1 : connection.socket.get(), static_cast<short>(reads ? POLLIN : POLLOUT), 0});
    ids.push_back(id);
  }
  const auto most = patience();
  const timespec timeout{most.count() / 1000, most.count() % 1000 * 1'000'000};
  ::ppoll(files.data(), files.size(), &timeout, nullptr);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = connections_.find(ids[i]);
    if (go_on(found->first, found->second, files[i + 2].revents) == Fate::over) connections_.erase(found);
  }
  if (files[1].revents != 0) accept_all();
}

void StatusConnections::answer(std::uint64_t id, StatusServer::Answer answer) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& connection = found->second;
  if (begin_to_write(connection, std::move(answer)) == Fate::over || send(id, connection) == Fate::over)
    connections_.erase(found);
}

// Until the first of them has taken too long.
milliseconds StatusConnections::patience() const {
  const auto now = Time::now();
  auto first = now + kLongest;
  if (accept_after_ > now) first = std::min(first, accept_after_);
  for (const auto& [id, connection] : connections_)
    if (connection.doing != Connection::Doing::waiting) first = std::min(first, connection.until);
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(first - now));
}

void StatusConnections::accept_all() {
  // As many as the kernel holds ready; the others have their turn, too.
  for (std::size_t i = 0; i < limits_.connections; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) accept_after_ = Time::now() + kWithoutDescriptors;
      return;
    }
    if (!make_room()) {
      ::close(fd);
      continue;
    }
    auto& connection = connections_.try_emplace(++last_id_, fd).first->second;
    connection.since = Time::now();
    connection.until = connection.since + limits_.reading;
  }
}

// Of those that are not waiting for us.
bool StatusConnections::make_room() {
  if (connections_.size() < limits_.connections) return true;
  auto oldest = connections_.end();
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->second.doing == Connection::Doing::waiting) continue;
    if (oldest == connections_.end() || each->second.since < oldest->second.since) oldest = each;
  }
  if (oldest == connections_.end()) return false;
  connections_.erase(oldest);
  return true;
}

StatusConnections::Fate StatusConnections::go_on(std::uint64_t id, Connection& connection, short events) {
  if (connection.doing == Connection::Doing::waiting) return Fate::lives;
  if (events != 0) {
    if (connection.doing == Connection::Doing::writing) return send(id, connection);
    return receive(connection) == Fate::over ? Fate::over : look_for_request(id, connection);
  }
  return Time::now() >= connection.until ? Fate::over : Fate::lives;
}

StatusConnections::Fate StatusConnections::receive(Connection& connection) {
  std::array<char, 4096> buffer;
  const auto got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Fate::lives : Fate::over;
  if (got == 0) return Fate::over;
  if (connection.in.empty()) connection.until = Time::now() + limits_.reading;
  connection.in.append(buffer.data(), static_cast<std::size_t>(got));
  return Fate::lives;
}

StatusConnections::Fate StatusConnections::look_for_request(std::uint64_t id, Connection& connection) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = connection.in.find(kEnd);
  if (end == std::string::npos && connection.in.size() <= limits_.head) return Fate::lives;
  if (end == std::string::npos || end > limits_.head) {
    const auto fate = begin_to_write(connection, {std::string(kTooLarge), StatusServer::Answer::Then::close});
    return fate == Fate::over ? fate : send(id, connection);
  }
  auto head = connection.in.substr(0, end + kEnd.size());
  connection.in.erase(0, head.size());
  connection.doing = Connection::Doing::waiting;
  ++connection.requests;
  ask_(id, std::move(head));
  return Fate::lives;
}

StatusConnections::Fate StatusConnections::begin_to_write(Connection& connection, StatusServer::Answer answer) {
  if (answer.octets.empty()) return Fate::over;
  connection.doing = Connection::Doing::writing;
  connection.out = std::move(answer.octets);
  connection.written = 0;
  connection.then = connection.requests < limits_.requests ? answer.then : StatusServer::Answer::Then::close;
  connection.since = Time::now();
  connection.until = connection.since + limits_.writing;
  return Fate::lives;
}

StatusConnections::Fate StatusConnections::send(std::uint64_t id, Connection& connection) {
  const auto left = std::string_view(connection.out).substr(connection.written);
  const auto sent = ::send(connection.socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return Fate::over;
  if (sent > 0) connection.written += static_cast<std::size_t>(sent);
  if (connection.written < connection.out.size()) return Time::now() >= connection.until ? Fate::over : Fate::lives;
  if (connection.then == StatusServer::Answer::Then::close) {
    // What the client has sent and nobody reads would make its system forget what it has received.
    ::shutdown(connection.socket.get(), SHUT_WR);
    std::array<char, 4096> rest;
    for (int i = 0; i < 16 && ::recv(connection.socket.get(), rest.data(), rest.size(), 0) > 0; ++i) {
    }
    return Fate::over;
  }
  connection.out = {};
  connection.doing = Connection::Doing::reading;
  connection.since = Time::now();
  connection.until = connection.since + (connection.in.empty() ? limits_.idle : limits_.reading);
  // A client may ask for more before it is answered.
  return look_for_request(id, connection);
}

}  // namespace sesame::milter
