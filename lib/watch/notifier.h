// When people are told of what, and that it reaches them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "util/clock.h"
#include "util/result.h"
#include "watch/look.h"
#include "watch/memory.h"
#include "watch/notice.h"
#include "watch/state.h"
#include "watch/watcher.h"

namespace sesame::watch {

// What is to be told, and when. Pure: it is told the time, waits for nothing and does nothing. Not thread-safe.
//
// Of each identity it keeps what people were told last; what is to be told is how things stand now, where that is
// another state, so that no change is told twice and what came and went unheard is not told at all.
//  - All records of one identity are told together.
//  - A deadline is recalled once before each of `reminders`, once when it comes, and once when SES has surely acted.
//    Not of an acknowledged identity, until it is healthy again.
//  - A silenced identity is not told of. What still holds when the silence ends is told then, once.
//  - An identity that changes over and over is told of a few times in an hour at most.
//  - When many identities change at once a few are told one by one, and the others together every few minutes.
//  - That nothing answers any more, or that no name server can be reached directly, is told once however many
//    identities there are, and once when it is over.
class AlertPolicy {
 public:
  explicit AlertPolicy(std::vector<std::chrono::seconds> reminders);
  ~AlertPolicy();

  // What a memory kept: all states, and the notices told so far, of all identities, in the order of time. What came to
  // be in another state and was not told before the end of the last run is told. The silences come first.
  void restore(std::span<const RecordState> states, std::span<const Notice> notices);
  void set_silences(std::vector<Silence> silences);
  // One look, and all states of its subject thereafter: what changed is found by what was told.
  void take(const Look& look, std::span<const RecordState> states);
  // Forgets all identities that are not among these.
  void keep_only(std::span<const Subject> subjects);
  // What is to be told now. It counts as told. To be called every few seconds.
  std::vector<Notice> due(std::int64_t now);

 private:
  struct Book;
  std::unique_ptr<Book> book_;
};

// Carries out the policy: a thread that hands each notice to each channel. All functions are thread-safe and none
// waits for a channel.
//
// Each notice is one line in the log. A delivery that fails is tried again after a minute, 5 and 15 more; that a
// channel fails is logged once until it works again, and each notice that it never took. At most kMaxPending
// deliveries wait; beyond them the oldest is given up, and logged.
class Notifier {
 public:
  static constexpr std::size_t kMaxPending = 100;
  // Called on the notifier's thread once a notice has reached people, or never will: by way of at least one channel, or
  // of the log where there is none. Memory::record(notice) belongs here: what is not remembered is told again by the
  // next run.
  using Told = std::function<void(const Notice&)>;

  // With the channels of the options. An error names the setting.
  static Result<std::unique_ptr<Notifier>> make(const AlertOptions& options, const Clock& clock, Say say, Told told);
  // With these channels.
  Notifier(std::vector<std::unique_ptr<Channel>> channels, std::vector<std::chrono::seconds> reminders,
           const Clock& clock, Say say, Told told);
  ~Notifier();  // stops

  // As of AlertPolicy; set_silences() and restore() come before the first take().
  void restore(std::span<const RecordState> states, std::span<const Notice> notices);
  void set_silences(std::vector<Silence> silences);
  void take(const Look& look, std::span<const RecordState> states);
  void keep_only(std::span<const Subject> subjects);

  // An error when there can be no thread.
  Result<void> start();
  // Deliveries under way end, and none begins. stop() begins with it.
  void hurry();
  // Ends deliveries under way. What nobody was told yet is not remembered as told.
  void stop();
  // What the thread does every second: what is due is logged and tried. For who has no thread, as tests.
  void step();

 private:
  struct Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace sesame::watch
