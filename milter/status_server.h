// The connections of those who ask for the status: what they send is read, answered by a few threads, and written back.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame::milter {

// One thread does all reading and writing, so that a client that is slow costs a descriptor and some memory, and keeps
// nobody waiting. No thread, descriptor or lock of the way of mail is used.
class StatusServer {
 public:
  struct Answer {
    std::string octets;
    enum class Then { keep, close } then = Then::close;
  };
  // Is given the head of a request, to the empty line and with it; by several threads at once.
  using Responder = std::function<Answer(std::string_view head)>;

  struct Limits {
    std::size_t connections = 64;  // at once; for one more, the one that has been idle or slow for longest is closed
    std::size_t head = 16'384;     // octets of a request
    int requests = 1000;           // on one connection
    std::chrono::milliseconds idle{30'000};     // between two of them
    std::chrono::milliseconds reading{10'000};  // a head, from its first octet
    std::chrono::milliseconds writing{30'000};  // an answer
    int threads = 4;
  };

  // `listener` is a socket that listens, from now on this object's.
  static Result<std::unique_ptr<StatusServer>> start(int listener, Responder responder, const Limits& limits);
  ~StatusServer();  // stop() without patience

  // No new connections, and no old ones: within milliseconds, but for an answer that is being made, which is waited
  // for so long and then left to its thread. What the responder uses must live as long.
  void stop(std::chrono::milliseconds at_most);

 private:
  struct Shared;
  explicit StatusServer(std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace sesame::milter
