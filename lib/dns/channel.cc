#include "dns/channel.h"

// c-ares 1.34 prefers functions that 1.18 does not have.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "dns/wire.h"

namespace sesame::dns {
namespace {

tl::unexpected<Error> cares_failure(int ares_status) {
  return failure(fmt::format("DNS: c-ares cannot start: {}", ares_strerror(ares_status)));
}

int library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

}  // namespace

// What c-ares is given to come back with.
struct Channel::Try {
  Channel& channel;
  Ended ended;
};

Result<std::unique_ptr<Channel>> Channel::open(const Server& server, Transport transport,
                                               std::chrono::milliseconds listening, Watch watch) {
  if (library() != ARES_SUCCESS) return cares_failure(library());
  std::unique_ptr<Channel> channel(new Channel(transport, std::move(watch)));
  ares_options settings{};
  // What is truncated, refused or wrong is for us to see. EDNS tells c-ares only not to cut off what is longer than 512
  // octets; the question is ours already.
  settings.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC | ARES_FLAG_EDNS;
  settings.ednspsz = kUdpSize;
  if (transport == Transport::tcp) settings.flags |= ARES_FLAG_USEVC;
  // When the next try begins is ours to say.
  settings.timeout = static_cast<int>(std::clamp<std::int64_t>(listening.count(), 1, 3'600'000));
  settings.tries = 1;
  settings.sock_state_cb = &Channel::socket_changed;
  settings.sock_state_cb_data = channel.get();
  // Neither is used, and given them c-ares looks for less in files.
  std::array<char, 2> lookups = {'b', 0};
  settings.lookups = lookups.data();
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
             ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
#ifdef ARES_OPT_MAXTIMEOUTMS
  settings.maxtimeout = settings.timeout;
  mask |= ARES_OPT_MAXTIMEOUTMS;
#endif
#ifdef ARES_OPT_QUERY_CACHE
  settings.qcache_max_ttl = 0;  // the cache is ours
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  int status = ares_init_options(&channel->handle_, &settings, mask);
  if (status != ARES_SUCCESS) return cares_failure(status);
  ares_addr_port_node node{};
  const auto octets = server.address.octets();
  node.family = server.address.is_v4() ? AF_INET : AF_INET6;
  node.udp_port = node.tcp_port = server.port;
  std::memcpy(&node.addr, octets.data(), octets.size());
  status = ares_set_servers_ports(channel->handle_, &node);
  if (status != ARES_SUCCESS) return cares_failure(status);
  return channel;
}

Channel::~Channel() {
  if (handle_) ares_destroy(handle_);
}

void Channel::send(std::span<const std::uint8_t> query, Ended ended) {
  auto attempt = std::make_unique<Try>(Try{*this, std::move(ended)});
  ++tries_;
  ++waiting_;
  ares_send(handle_, query.data(), static_cast<int>(query.size()), &Channel::finished, attempt.release());
}

void Channel::process(int fd, std::uint32_t epoll_events) {
  // An error is told by reading.
  ares_process_fd(handle_, (epoll_events & ~std::uint32_t{EPOLLOUT}) != 0 ? fd : ARES_SOCKET_BAD,
                  (epoll_events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
}

void Channel::end_overdue() {
  ares_process_fd(handle_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void Channel::socket_changed(void* context, int fd, int readable, int writable) {
  auto& channel = *static_cast<Channel*>(context);
  channel.watch_(channel, fd, (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u));
}

void Channel::finished(void* context, int status, int, unsigned char* data, int length) {
  const std::unique_ptr<const Try> attempt(static_cast<const Try*>(context));
  --attempt->channel.waiting_;
  const auto ending = [&] {
    switch (status) {
      case ARES_SUCCESS:
        return data && length > 0 ? Ending::answer : Ending::nonsense;
      case ARES_EDESTRUCTION:
      case ARES_ECANCELLED:
        return Ending::closed;
      case ARES_ETIMEOUT:
        return Ending::silence;
      case ARES_ECONNREFUSED:
        return Ending::unreachable;
      default:
        return Ending::nonsense;
    }
  }();
  const auto size = ending == Ending::answer ? static_cast<std::size_t>(length) : 0;
  attempt->ended(ending, {data, size});
}

Result<std::vector<Server>> system_servers() {
  if (library() != ARES_SUCCESS) return cares_failure(library());
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

}  // namespace sesame::dns
