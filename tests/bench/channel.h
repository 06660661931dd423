// One connection to a filter: what is to be sent, and the packets that came.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace sesame::bench {

using Clock = std::chrono::steady_clock;

struct Packet {
  char command = 0;
  std::string_view data;  // until the next call
};

// Never waits, but for the connection itself.
class Channel {
 public:
  // "unix:PATH", "local:PATH", a path, or "inet:PORT@ADDRESS". Throws std::runtime_error when nobody listens.
  explicit Channel(const std::string& socket);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int fd() const { return fd_; }
  // What is put must live until it is sent.
  void put(std::string_view packets);
  // Sends as much as the socket takes.
  void flush();
  // Reads what came. False when the filter has closed the connection.
  bool receive();
  std::optional<Packet> next();

  std::uint64_t sent() const { return sent_; }
  // When the last octet went out.
  Clock::time_point drained_at() const { return drained_at_; }

 private:
  int fd_ = -1;
  std::deque<std::string_view> out_;
  std::string in_;
  std::size_t read_ = 0;  // of in_
  std::uint64_t sent_ = 0;
  Clock::time_point drained_at_;
};

}  // namespace sesame::bench
