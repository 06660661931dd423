// What the watch tells people, and how it reaches them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/clock.h"
#include "util/result.h"
#include "watch/state.h"

namespace sesame::watch {

struct Notice {
  // change: records of one identity are in another state. reminder: a deadline comes near. silence: nothing answers any
  // more, so that nothing is known, and it is told once; restored: something does again. digest: so many identities
  // changed at once that they are told together. unreachable: no name server answers us directly any more, though the
  // resolver does; reachable: some do again.
  enum class Kind { change, reminder, silence, restored, digest, unreachable, reachable } kind = Kind::change;
  std::int64_t time = 0;                  // unix seconds
  std::string account, identity, region;  // "" of what concerns no single identity
  std::vector<Change> changes;            // of a change: of one identity; of a digest: all of them
  std::optional<Deadline> deadline;       // that comes next
  std::size_t identities = 1;             // of a digest
  // One line of at most 120 octets: "example.com: ns2.example.com (192.0.2.53) answered SERVFAIL for TXT: DKIM is
  // degraded".
  std::string title;
  std::string text;  // the whole of it, lines of at most 78 octets, for people
};
const char* to_string(Notice::Kind kind);
std::optional<Notice::Kind> parse_kind(std::string_view word);
// One JSON object on one line, as the webhook and the hook get it; contrib/doc describes its members.
std::string to_json(const Notice& notice);

// One way to reach people.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual std::string name() const = 0;  // "hook", "mail", "webhook"
  virtual Result<void> deliver(const Notice& notice) = 0;
};

struct AlertOptions {
  std::vector<std::string> hook{};   // program and arguments: gets the JSON on its standard input; empty = none
  std::string mail_to{};             // "" = none
  std::string mail_from{};           // "" = as sendmail fills it in
  std::string sendmail{};            // path of the program
  std::string webhook{};             // URL that the JSON is posted to; "" = none
  std::chrono::seconds timeout{30};  // of one delivery
  std::vector<std::chrono::seconds> reminders{std::chrono::hours(48), std::chrono::hours(12)};  // before a deadline
  bool operator==(const AlertOptions&) const = default;
};
// An error names the setting. A delivery under way ends soon after `stop` becomes true; it outlives the channels.
Result<std::vector<std::unique_ptr<Channel>>> make_channels(const AlertOptions& options, const std::atomic<bool>& stop);

}  // namespace sesame::watch
