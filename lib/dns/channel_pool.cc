#include "dns/channel_pool.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "util/text.h"

namespace sesame::dns {
namespace {

constexpr int kEvents = 64;
// c-ares 1.34 begins to listen for a shorter time than it is told once it has seen so many answers.
constexpr std::size_t kTriesPerChannel = 3;
// Sockets at once, shared out evenly among the servers. But each has the least, however many servers there are, and one
// more where all it has are of the other transport.
constexpr std::size_t kMaxChannels = 128;
constexpr std::size_t kLeastChannels = 4;
// How exactly c-ares is held to the time that it listens. Only who waits for room waits for that.
constexpr std::chrono::milliseconds kSweep{100};

}  // namespace

ChannelPool::ChannelPool(std::vector<Server> servers, std::chrono::milliseconds listening)
    : listening_(listening), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (auto& server : servers) lanes_.push_back({std::move(server), {}});
}

ChannelPool::~ChannelPool() {
  clear();
  for (const int fd : {wake_, epoll_})
    if (fd >= 0) close(fd);
}

Result<void> ChannelPool::start() {
  if (wake_ < 0 || epoll_ < 0)
    return failure(fmt::format("DNS: no descriptor for the event loop: {}", errno_text(errno)));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0)
    return failure(fmt::format("DNS: cannot watch the event loop's own descriptor: {}", errno_text(errno)));
  return {};
}

Channel* ChannelPool::channel(std::size_t server, Transport transport) {
  auto& lane = lanes_[server];
  Channel* newest = nullptr;
  for (const auto& each : lane.channels) {
    if (each->transport() != transport) continue;
    if (each->waiting() == 0 && each->tries() < kTriesPerChannel) return each.get();
    newest = each.get();
  }
  // Without room the newest takes more, until older ones have come to their end.
  if (newest && lane.channels.size() >= std::max(kMaxChannels / lanes_.size(), kLeastChannels)) return newest;
  auto opened = Channel::open(lane.server, transport, listening_,
                              [this](Channel& channel, int fd, std::uint32_t events) { watch(channel, fd, events); });
  if (!opened) return newest;
  return lane.channels.emplace_back(std::move(*opened)).get();
}

void ChannelPool::wait(int milliseconds) {
  std::array<epoll_event, kEvents> events;
  const int count = epoll_wait(epoll_, events.data(), kEvents, milliseconds);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_) {
      std::uint64_t seen = 0;
      [[maybe_unused]] const auto got = read(wake_, &seen, sizeof seen);
      continue;
    }
    const auto found = sockets_.find(event.data.fd);
    if (found != sockets_.end()) found->second->process(event.data.fd, event.events);
  }
}

void ChannelPool::wake() {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
}

void ChannelPool::sweep(Deadline now) {
  const bool overdue = now >= next_sweep();
  if (overdue) swept_ = now;
  for (auto& lane : lanes_) {
    // What a try's end asks may add channels.
    for (std::size_t i = 0; overdue && i < lane.channels.size(); ++i) lane.channels[i]->end_overdue();
    std::erase_if(lane.channels, [](const std::unique_ptr<Channel>& channel) {
      return channel->waiting() == 0 && channel->tries() >= kTriesPerChannel;
    });
  }
}

Deadline ChannelPool::next_sweep() const {
  return swept_ + kSweep;
}

void ChannelPool::clear() {
  for (auto& lane : lanes_) lane.channels.clear();
}

void ChannelPool::watch(Channel& channel, int fd, std::uint32_t events) {
  epoll_event event{};
  event.data.fd = fd;
  event.events = events;
  if (events == 0) {
    sockets_.erase(fd);
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return;
  }
  sockets_[fd] = &channel;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace sesame::dns
