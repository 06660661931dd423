// What everything that needs DNS is given.
#pragma once

#include <functional>
#include <string_view>

#include "dns/record.h"
#include "util/clock.h"

namespace sesame::dns {

// Implementations are thread-safe and never throw.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // Waits for the answer, at most until the deadline; CNAMEs are followed unless CNAME itself is asked for. The name
  // may be in any case and end in a dot; one that cannot exist in DNS (empty label, label over 63 octets, over 253
  // octets) is answered nxdomain without asking anybody.
  virtual AnswerPtr lookup(std::string_view name, Type type, Deadline deadline) = 0;

  // Starts the question so that a later lookup() finds the answer there or on its way. Returns at once.
  virtual void prefetch(std::string_view name, Type type) = 0;

  // What an answer makes possible: to ask for the names in it. It may be past its time to live, and not marked so:
  // nothing may rest on it but what to ask next.
  using Then = std::function<void(Resolver& resolver, const Answer& answer)>;
  // prefetch(), and `then` once there are records or an absence; not for a failure. At once where that is known
  // already, else on whatever thread brings it, never after the resolver has ended. It must not wait, and must need
  // nothing of a message, which may be gone by then. A resolver that cannot tell when an answer comes does not call it;
  // look-ups find their answers all the same.
  virtual void prefetch_then(std::string_view name, Type type, [[maybe_unused]] Then then) { prefetch(name, type); }
};

}  // namespace sesame::dns
