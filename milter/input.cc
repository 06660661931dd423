#include "milter/input.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "milter/connects.h"

namespace sesame::milter {
namespace {

// Octets that came and were not handed out yet.
struct Ahead {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::array<char, 16384> octets;
  Packets packets;  // of what was handed out

  bool empty() const { return begin == end; }
  std::size_t take(void* to, std::size_t most) {
    const auto size = std::min(most, end - begin);
    std::memcpy(to, octets.data() + begin, size);
    begin += size;
    return size;
  }
};

constexpr std::size_t kMaxConnections = 65536;

// By descriptor. Atomic, because others open and close descriptors meanwhile; what it points to is its connection's.
std::array<std::atomic<Ahead*>, kMaxConnections> connections;

thread_local int wait_at_least_ms = 0;
thread_local int last_read = -1;

Ahead* ahead_of(int descriptor) {
  if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= kMaxConnections) return nullptr;
  return connections[static_cast<std::size_t>(descriptor)].load(std::memory_order_acquire);
}

// What is wanted goes where it is wanted, what came with it is kept: one call, and no second copy of a body.
ssize_t fill(int descriptor, Ahead& ahead, void* to, std::size_t size) {
  ahead.begin = ahead.end = 0;
  const std::array<iovec, 2> parts{{{to, size}, {ahead.octets.data(), ahead.octets.size()}}};
  const auto got = ::readv(descriptor, parts.data(), parts.size());
  if (got <= 0) return got;
  const auto wanted = std::min(static_cast<std::size_t>(got), size);
  ahead.end = static_cast<std::size_t>(got) - wanted;
  return static_cast<ssize_t>(wanted);
}

}  // namespace

void read_ahead(int connection) noexcept {
  if (connection < 0 || static_cast<std::size_t>(connection) >= kMaxConnections) return;
  // Not touched before it is written: an idle connection takes no more than it has received.
  connections[static_cast<std::size_t>(connection)].store(new (std::nothrow) Ahead, std::memory_order_release);
}

std::optional<std::string> connect_seen() {
  auto* ahead = ahead_of(last_read);
  return ahead ? ahead->packets.take_connect() : std::nullopt;
}

void wait_for_input(std::chrono::milliseconds at_least) noexcept {
  wait_at_least_ms = static_cast<int>(at_least.count());
}

}  // namespace sesame::milter

extern "C" {

// The C library's header calls the array one that is only written to, which is not so.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
int poll(pollfd* descriptors, nfds_t count, int timeout_ms) {
  using namespace sesame::milter;
  if (count == 1 && (descriptors->events & POLLIN) != 0) {
    const auto* ahead = ahead_of(descriptors->fd);
    if (ahead && !ahead->empty()) {
      descriptors->revents = POLLIN;
      return 1;
    }
    if (ahead && timeout_ms >= 0) timeout_ms = std::max(timeout_ms, wait_at_least_ms);
  }
  const timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
  return ::ppoll(descriptors, count, timeout_ms < 0 ? nullptr : &timeout, nullptr);
}

ssize_t read(int descriptor, void* to, std::size_t size) {
  using namespace sesame::milter;
  if (auto* ahead = ahead_of(descriptor)) {
    if (size == 0) return 0;
    const auto got = ahead->empty() ? fill(descriptor, *ahead, to, size) : static_cast<ssize_t>(ahead->take(to, size));
    last_read = descriptor;
    if (got > 0) ahead->packets.follow({static_cast<const char*>(to), static_cast<std::size_t>(got)});
    return got;
  }
  const iovec part{to, size};
  return ::readv(descriptor, &part, 1);
}

// What a library compiled with _FORTIFY_SOURCE calls instead: all must go the same way.
int __poll_chk(pollfd* descriptors, nfds_t count, int timeout_ms, std::size_t room) {
  if (room / sizeof *descriptors < count) std::abort();
  return poll(descriptors, count, timeout_ms);
}

ssize_t __read_chk(int descriptor, void* to, std::size_t size, std::size_t room) {
  if (room < size) std::abort();
  return read(descriptor, to, size);
}

// The number is free for others as soon as it is closed.
int close(int descriptor) {
  using namespace sesame::milter;
  if (ahead_of(descriptor))
    delete connections[static_cast<std::size_t>(descriptor)].exchange(nullptr, std::memory_order_acq_rel);
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

// Only libmilter's listener accepts connections here.
int accept(int listener, sockaddr* address, socklen_t* size) {
  const int connection = ::accept4(listener, address, size, 0);
  if (connection >= 0) sesame::milter::read_ahead(connection);
  return connection;
}

}  // extern "C"
