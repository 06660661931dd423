#include "bench/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "bench/protocol.h"

namespace sesame::bench {
namespace {

constexpr std::size_t kMaxPieces = 64;
constexpr std::size_t kReadSize = 65536;

int connected(int family, const sockaddr* address, socklen_t length, const std::string& socket) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, address, length) == 0) return fd;
  const std::string why = std::strerror(errno);
  if (fd >= 0) ::close(fd);
  throw std::runtime_error("connect to " + socket + ": " + why);
}

int connect_inet(const std::string& socket) {
  const auto at = socket.find('@');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(socket.c_str() + 5)));
  if (at == std::string::npos || ::inet_pton(AF_INET, socket.substr(at + 1).c_str(), &address.sin_addr) != 1)
    throw std::runtime_error("expected inet:PORT@ADDRESS: " + socket);
  const int fd = connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address, socket);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int connect_unix(const std::string& socket) {
  const auto path = socket.substr(socket.starts_with('/') ? 0 : socket.find(':') + 1);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + path);
  path.copy(address.sun_path, path.size());
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, socket);
}

}  // namespace

Channel::Channel(const std::string& socket)
    : fd_(socket.starts_with("inet:") ? connect_inet(socket) : connect_unix(socket)) {
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Channel::~Channel() {
  ::close(fd_);
}

void Channel::put(std::string_view packets) {
  if (packets.empty()) return;
  // A script lies in one piece, so most steps make the last piece longer.
  if (!out_.empty() && out_.back().data() + out_.back().size() == packets.data())
    out_.back() = {out_.back().data(), out_.back().size() + packets.size()};
  else
    out_.push_back(packets);
}

void Channel::flush() {
  while (!out_.empty()) {
    std::array<iovec, kMaxPieces> pieces;
    const auto count = std::min(out_.size(), kMaxPieces);
    for (std::size_t i = 0; i < count; ++i) pieces[i] = {const_cast<char*>(out_[i].data()), out_[i].size()};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const auto done = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (done < 0) return;  // a connection that ended is told of by receive()
    sent_ += static_cast<std::uint64_t>(done);
    for (auto left = static_cast<std::size_t>(done); left > 0;) {
      const auto part = std::min(left, out_.front().size());
      out_.front().remove_prefix(part);
      left -= part;
      if (out_.front().empty()) out_.pop_front();
    }
    if (out_.empty()) drained_at_ = Clock::now();
  }
}

bool Channel::receive() {
  in_.erase(0, std::exchange(read_, 0));
  for (;;) {
    const auto had = in_.size();
    in_.resize(had + kReadSize);
    const auto got = ::recv(fd_, in_.data() + had, kReadSize, 0);
    in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (static_cast<std::size_t>(got) < kReadSize) return true;
  }
}

std::optional<Packet> Channel::next() {
  const auto left = std::string_view(in_).substr(read_);
  if (left.size() < 5) return std::nullopt;
  const std::size_t size = to_number(left);
  if (left.size() < 4 + size) return std::nullopt;
  read_ += 4 + size;
  return Packet{left[4], left.substr(5, size - 1)};
}

}  // namespace sesame::bench
