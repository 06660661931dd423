// The sockets that direct questions go out by. Inside this folder only.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "dns/probe.h"

namespace sesame::dns {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Connecting {
  Fd socket;
  int error = 0;  // errno; 0 = it is connected, or on its way
};
// To one server alone, without waiting. The source port is the kernel's choice, which is random: RFC 5452 Section 9.2.
Connecting connect_to(const Server& server, Transport transport);

// RFC 5452 Section 9.1: the source is the socket's business; these are the ID and the question. A server that refuses
// may leave the question out.
bool belongs_to(std::span<const std::uint8_t> packet, std::span<const std::uint8_t> query);

// "connection refused", for an errno.
std::string trouble_of(int error, Transport transport);

}  // namespace sesame::dns
