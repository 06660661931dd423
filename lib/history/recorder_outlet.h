// Where rows go once they are rendered: into the store, or into the spool, and in memory while neither can be had.
// Inside this folder only; tests use it, too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/recorder.h"
#include "history/store.h"
#include "util/clock.h"

namespace sesame::history {

// How stores are come by; tests have others.
struct Openers {
  std::function<Result<std::unique_ptr<Store>>()> store;
  std::function<Result<std::unique_ptr<Spool>>()> spool;
};
Openers openers_for(const Options& options, const std::shared_ptr<const sqlite::Patience>& patience);

// Something that fails again and again: when it is tried again, and what is told of it: when it begins, and when it is
// over.
class Attempts {
 public:
  struct Words {
    const char* begins;
    const char* over;
  };
  Attempts(const Clock& clock, const Say& say, Words words) : clock_(clock), say_(say), words_(words) {}

  bool due() const { return clock_.steady_now() >= next_; }
  void failed(const std::string& why);
  void worked();
  const std::string& trouble() const { return trouble_; }  // "" = none

 private:
  static constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{60};

  const Clock& clock_;
  const Say& say_;
  const Words words_;
  std::string trouble_;
  std::chrono::steady_clock::time_point next_{}, since_{};
  std::chrono::seconds pause_ = kFirstPause;
};

// For one thread.
class Outlet {
 public:
  enum class Haste { by_the_clock, now };  // `now`: what failed a moment ago is tried again at once

  // Tells through `say`, and keeps references to it and to `clock`.
  Outlet(Options options, Openers openers, const Clock& clock, const Say& say);

  void take(Row row);
  void lose(std::uint64_t rows, std::string why);
  // Brings on what waits, a part of it where there is much; forgets what is old.
  void work(Haste haste);

  bool has_more() const;  // work() would find something to do at once
  std::size_t waiting() const { return rows_.size(); }
  std::size_t octets() const { return octets_; }
  Standing standing() const;  // of what is here: `waiting` and `lag_us` are left out
  // Microseconds since 1970: of the oldest row that has not reached the store; 0 = none.
  std::int64_t oldest() const;
  // What waits for no store to come: counted as lost.
  void give_up();

 private:
  bool ready(Haste haste);
  bool spool_ready(Haste haste);
  void store_failed(const Error& error);
  void spool_failed(const Error& error);
  void write_waiting();
  void spool_waiting();
  void send_spooled();
  void note_oldest();
  void take_note_of_refused();
  void prune();
  void tell_losses();
  void drop_first(std::size_t rows);
  bool spools() const { return is_postgresql(options_.store) && !options_.spool.empty(); }

  const Options options_;
  const Openers openers_;
  const Clock& clock_;
  const Say& say_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Spool> spool_;
  Attempts storing_, spooling_, forgetting_;
  bool looked_ = false;  // for a spool of an earlier run

  std::vector<Row> rows_;  // oldest first
  std::size_t octets_ = 0;
  std::uint64_t kept_ = 0, lost_ = 0;
  std::uint64_t spooled_ = 0;
  std::int64_t oldest_spooled_ = 0;  // microseconds since 1970
  std::uint64_t written_ = 0;        // since prune() was called
  bool more_to_forget_ = false;
  std::chrono::steady_clock::time_point next_prune_{};
  std::uint64_t untold_ = 0;  // of the lost ones
  std::string why_lost_;
  std::chrono::steady_clock::time_point next_told_{};
};

}  // namespace sesame::history
