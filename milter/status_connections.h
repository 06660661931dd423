// The sockets behind milter/status_server.h, for one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "milter/status_server.h"

namespace sesame::milter {

// An open file, closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  const int fd_;
};

class StatusConnections {
 public:
  // Takes a request over: its connection and its head. answer() is called for it once it is answered.
  using Ask = std::function<void(std::uint64_t connection, std::string head)>;

  // `wake` is readable when turn() should return before anything comes.
  StatusConnections(int listener, int wake, const StatusServer::Limits& limits, Ask ask)
      : listener_(listener), wake_(wake), limits_(limits), ask_(std::move(ask)) {}

  // Waits for whatever comes first and does it.
  void turn();
  void answer(std::uint64_t connection, StatusServer::Answer answer);

 private:
  using Time = std::chrono::steady_clock;
  struct Connection {
    explicit Connection(int fd) : socket(fd) {}
    Descriptor socket;
    enum class Doing { reading, waiting, writing } doing = Doing::reading;
    std::string in;  // what came and is not answered yet
    std::string out;
    std::size_t written = 0;
    StatusServer::Answer::Then then = StatusServer::Answer::Then::keep;
    int requests = 0;
    Time::time_point since{};  // of what it does
    Time::time_point until{};  // it must have done it, but for the waiting
  };
  // What became of it.
  enum class Fate { lives, over };

  std::chrono::milliseconds patience() const;
  void accept_all();
  bool make_room();
  Fate receive(Connection& connection);
  Fate look_for_request(std::uint64_t id, Connection& connection);
  Fate begin_to_write(Connection& connection, StatusServer::Answer answer);
  Fate send(std::uint64_t id, Connection& connection);
  Fate go_on(std::uint64_t id, Connection& connection, short events);

  const int listener_;
  const int wake_;
  const StatusServer::Limits limits_;
  const Ask ask_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Connection> connections_;
  Time::time_point accept_after_{};  // there were no descriptors left
};

}  // namespace sesame::milter
