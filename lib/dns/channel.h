// One c-ares channel to one server, over one transport. channel.cc is the only file that includes ares.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "dns/probe.h"
#include "dns/server.h"
#include "util/result.h"

struct ares_channeldata;

namespace sesame::dns {

// How a try ended: with a packet that has its identifier and, but for the case, its question; with one that has neither
// sense nor meaning; not within the time that is listened; because the network says that nobody is there; with the
// channel.
enum class Ending { answer, nonsense, silence, unreachable, closed };
using Ended = std::function<void(Ending, std::span<const std::uint8_t> packet)>;

class Channel {
 public:
  // Told which sockets to watch, with neither of the two when one is closed.
  using Watch = std::function<void(Channel&, int fd, std::uint32_t epoll_events)>;

  // c-ares has its socket open only while tries are: idle in between, it gets a new port (RFC 5452 Section 9.2).
  static Result<std::unique_ptr<Channel>> open(const Server& server, Transport transport,
                                               std::chrono::milliseconds listening, Watch watch);
  // Ends its tries. Not to be called from within one that ends.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // `ended` is called once, maybe at once.
  void send(std::span<const std::uint8_t> query, Ended ended);
  void process(int fd, std::uint32_t epoll_events);
  void end_overdue();  // tries that have been listened for long enough

  Transport transport() const { return transport_; }
  std::size_t tries() const { return tries_; }      // that were ever sent
  std::size_t waiting() const { return waiting_; }  // of these, that have not ended

 private:
  struct Try;
  Channel(Transport transport, Watch watch) : transport_(transport), watch_(std::move(watch)) {}
  static void socket_changed(void* channel, int fd, int readable, int writable);
  static void finished(void* attempt, int status, int timeouts, unsigned char* data, int length);

  const Transport transport_;
  const Watch watch_;
  ares_channeldata* handle_ = nullptr;
  std::size_t tries_ = 0, waiting_ = 0;
};

// Those of resolv.conf, as c-ares reads it.
Result<std::vector<Server>> system_servers();

}  // namespace sesame::dns
