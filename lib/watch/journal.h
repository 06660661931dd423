// What becomes of a look: states, what is kept of it, and what is told.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "util/guarded.h"
#include "watch/notifier.h"
#include "watch/schedule.h"
#include "watch/watcher.h"

namespace sesame::watch {

// Thread-safe.
class Journal {
 public:
  // A memory that does not work is told once, tried again, and told again when it works; the rest goes on without. As
  // long as another watch keeps the memory, this one leaves it to that one to keep it and to alert.
  Journal(const Options& options, const Clock& clock, Say say);
  ~Journal();  // stops

  std::shared_ptr<const Ledger> ledger() const { return ledger_; }
  // What another knew, which holds where it is newer than what the memory has.
  void restore(Past past);
  Past past() const;
  void keep_only(std::span<const Subject> subjects);
  // Of who is not, or no longer, watched nothing is taken, and after stop() of nobody.
  void take(const Look& look);
  // To be called about every second, by one thread: silences, acknowledgements and confirmations that somebody left in
  // the memory are taken over, and what is too old is forgotten.
  void tick();
  // The thread that tells; an error when there can be none.
  Result<void> start();
  // From now on nobody is waited for: neither who has the memory locked nor a channel. stop() begins with it.
  void hurry();
  void stop();
  // What that thread does every second, for who did not start it.
  void step();

 private:
  class Keeping;

  using Writing = std::function<Result<void>(Memory&)>;

  // Among the newest ones.
  void remember(const std::vector<Notice>& notices);
  void say(Loudness loudness, const std::string& line);
  // Writes what waits for it, in order. Not under `looks_`: whoever has the memory locked holds up nothing else.
  void write();
  void read_memory();
  void read_silences();
  // After the start: the memory can be opened only now.
  void catch_up();

  const Options options_;
  const Clock& clock_;
  const Say say_;
  const std::shared_ptr<Ledger> ledger_ = std::make_shared<Ledger>();
  std::unique_ptr<Keeping> keeping_;
  std::unique_ptr<Notifier> notifier_;
  std::mutex looks_;   // one look after the other: what came first is told and kept first
  std::mutex writes_;  // one writes at a time
  Guarded<std::deque<Writing>> waiting_;
  std::vector<Subject> subjects_;
  std::set<Turn> watched_;  // the same
  bool stopped_ = false;
  mutable Guarded<std::deque<Notice>> told_;                         // the newest
  std::int64_t next_open_ = 0, next_silences_ = 0, next_prune_ = 0;  // unix seconds
};

}  // namespace sesame::watch
