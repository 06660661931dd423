// One connection of an MTA: its state between the steps of the protocol. Knows nothing of libmilter.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"
#include "milter/apply.h"
#include "milter/log.h"
#include "milter/metrics.h"
#include "milter/recording.h"
#include "milter/runtime.h"
#include "milter/underway.h"

namespace sesame::milter {

// What all sessions share.
struct Service {
  Service(RuntimeStore& store, Log& lines) : runtime(store), log(lines), recording(lines) {}

  RuntimeStore& runtime;
  Log& log;
  Metrics metrics;
  Recording recording;
  Underway messages;  // between MAIL and the end of the message
  Underway connections;
  std::atomic<bool> draining = false;  // no new connections
  std::atomic<std::uint64_t> judged = 0;
  std::atomic<std::uint64_t> failures = 0;  // messages let through because a step ended badly
};

// What the option negotiation came to.
struct Peer {
  enum class LeadingSpace { kept, stripped } leading_space = LeadingSpace::kept;
};

// What the MTA tells of a client when it connects.
struct Client {
  std::optional<IpAddress> address;
  std::string name;         // verified, "unknown" or an address in brackets
  std::string resolved;     // {client_resolve}: OK, FAIL, FORGED, TEMP; "" when the MTA does not say
  std::string daemon_name;  // {daemon_name}
};

// The steps may come from different threads, one at a time.
class Session {
 public:
  Session(Service& service, Peer peer);

  // The runtime taken here serves the connection to its end, whatever is reloaded meanwhile.
  void connect(Client client);
  void helo(std::string_view name);
  // `arguments` are those of the command, the path first; drops what an earlier message left.
  Next mail(const std::vector<std::string_view>& arguments, std::string_view auth_user);
  // `next_hop` as the MTA writes it: "[relay.example.com]:587"; "" when it does not say.
  Next recipient(std::string_view path, std::string_view next_hop = "");
  // `value` with the line ends and the leading space as the MTA sent them.
  Next field(std::string_view name, std::string_view value);
  Next end_of_header();
  Next body(std::string_view chunk);
  Next end_of_message(std::string_view queue_id, MtaEdits& mta);
  // No message any more. Safe at any time.
  void abort();

  // Ends the message after a step that went wrong: it is logged and passes unjudged, as what we do not know loses no
  // mail. Never throws.
  Next give_up(const char* step, std::string_view why, std::string_view queue_id) noexcept;

  const Peer& peer() const { return peer_; }

 private:
  struct Message {
    Message(Underway& count, Snapshot runtime, policy::Direction direction, mail::Envelope envelope);
    Underway::Token token;
    const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    inspect::Inspection inspection;
    std::string value;  // of a field that is not as it was on the wire: made whole here
  };

  void tell(const policy::Report& report, const policy::Decision& decision);

  Service& service_;
  Underway::Token token_;
  Peer peer_;
  Snapshot runtime_;
  mail::Envelope facts_;              // of the connection; the start of every message's envelope
  std::unique_ptr<Message> message_;  // none between messages, and for mail that is not judged
};

// Runs a step of a session; an exception ends the message, never the daemon. `queue_id` tells it for the log.
template <class QueueId, class Step>
Next guarded(Session& session, const char* name, const QueueId& queue_id, Step&& step) noexcept {
  try {
    return step();
  } catch (const std::exception& error) {
    return session.give_up(name, error.what(), queue_id());
  } catch (...) {
    return session.give_up(name, "unknown exception", queue_id());
  }
}

}  // namespace sesame::milter
