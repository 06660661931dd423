// The sockets of the upstream: c-ares channels to each server, and what watches them. One thread uses it; only wake()
// is for others too.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "dns/channel.h"
#include "util/clock.h"

namespace sesame::dns {

class ChannelPool {
 public:
  // `listening` is how long c-ares listens for an answer.
  ChannelPool(std::vector<Server> servers, std::chrono::milliseconds listening);
  ~ChannelPool();
  ChannelPool(const ChannelPool&) = delete;
  ChannelPool& operator=(const ChannelPool&) = delete;

  Result<void> start();

  // For the next try. Each has a port of its own (RFC 5452 Section 9.2) while there is room. Null when none can be had.
  Channel* channel(std::size_t server, Transport transport);

  // Lets tries end: for so many milliseconds at most, -1 for ever, and no longer than to a wake-up.
  void wait(int milliseconds);
  void wake();
  // Ends tries that were listened for long enough, and channels that have had their share. Not from within a try's end.
  void sweep(Deadline now);
  Deadline next_sweep() const;
  // Ends all tries. Not from within a try's end.
  void clear();

 private:
  struct Lane {
    Server server;
    std::vector<std::unique_ptr<Channel>> channels;
  };

  void watch(Channel& channel, int fd, std::uint32_t events);

  const std::chrono::milliseconds listening_;
  const int wake_;
  const int epoll_;
  std::unordered_map<int, Channel*> sockets_;
  std::vector<Lane> lanes_;
  Deadline swept_{};
};

}  // namespace sesame::dns
