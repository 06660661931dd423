#include "dns/probe_socket.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "dns/wire.h"

namespace sesame::dns {
namespace {

constexpr std::size_t kHeader = 12;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const Server& server) {
  SocketAddress result;
  const auto octets = server.address.octets();
  if (server.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(server.port);
    std::memcpy(&v4.sin_addr, octets.data(), octets.size());
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(server.port);
    std::memcpy(&v6.sin6_addr, octets.data(), octets.size());
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.length = sizeof v6;
  }
  return result;
}

}  // namespace

Connecting connect_to(const Server& server, Transport transport) {
  const int kind = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
  const auto to = socket_address(server);
  Connecting result{Fd(socket(to.storage.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))};
  if (result.socket.get() < 0 ||
      (connect(result.socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0 &&
       errno != EINPROGRESS))
    result.error = errno;
  return result;
}

bool belongs_to(std::span<const std::uint8_t> packet, std::span<const std::uint8_t> query) {
  if (packet.size() < kHeader || packet[0] != query[0] || packet[1] != query[1]) return false;
  return (packet[4] == 0 && packet[5] == 0) || repeats_question(packet, query);
}

std::string trouble_of(int error, Transport transport) {
  if (error == ECONNREFUSED) return transport == Transport::tcp ? "connection refused" : "port unreachable";
  if (error == ECONNRESET) return "connection reset";
  return errno_text(error);
}

}  // namespace sesame::dns
