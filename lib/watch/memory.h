// What the watch saw, in an SQLite file. The daemon writes it; commands read it meanwhile, and leave acknowledgements
// and silences in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sqlite/patience.h"
#include "util/result.h"
#include "watch/look.h"
#include "watch/notice.h"
#include "watch/state.h"

namespace sesame::watch {

// The same answer to the same question by the same server, from `first` to `last`, `count` times in a row: nothing that
// was observed is lost, and months of sameness take one row.
struct Run {
  RecordKey key;
  Observation observation;  // the newest of them; `time` is that of the newest
  std::int64_t first = 0;
  std::size_t count = 1;
  std::chrono::microseconds slowest{};
};

// A time in which name servers could not be asked from here: what they did not answer then is not among their runs.
struct Blindness {
  std::string account, identity, region;
  enum class Kind { nothing_answers, servers_unreachable } kind = Kind::nothing_answers;  // as in Look
  std::int64_t first = 0, last = 0;
  std::size_t count = 0;  // of looks
};
const char* to_string(Blindness::Kind kind);

// What somebody said of an identity. Silenced: no alerts until `until`. Acknowledged: no reminders of a change already
// told. Confirmed: SES showed it as verified when that was said.
struct Silence {
  std::string account, identity, region;
  enum class Kind { acknowledged, silenced, confirmed } kind = Kind::acknowledged;
  std::int64_t made = 0;   // unix seconds
  std::int64_t until = 0;  // of a silence; an acknowledgement lasts until the identity is healthy again
};

const char* to_string(Silence::Kind kind);

// One watch at a time writes what it sees to the memory at `path`, and alerts: who holds a lock on this file.
std::string lock_path(const std::string& path);

// Ended runs of one identity that a day's prune leaves: of a server that answers otherwise at each look.
inline constexpr std::size_t kMaxEndedRuns = 20'000;

// Thread-safe. Throws nothing: a disk that is full, a file that is locked, damaged or may not be written give errors.
class Memory {
 public:
  enum class Access { read_write, read_only };
  // An error names the file. Read-only: no file is an error; read-write: it is made, with mode 0640.
  static Result<std::unique_ptr<Memory>> open(const std::string& path, Access access,
                                              std::shared_ptr<const sqlite::Patience> patience =
                                                  std::make_shared<sqlite::Patience>());
  ~Memory();

  // One look and what came of it, in one transaction; `states` are all of the look's subject. When they are all
  // healthy, what was acknowledged before is over.
  Result<void> record(const Look& look, std::span<const RecordState> states, std::span<const Change> changes);
  Result<void> record(const Notice& notice);
  Result<void> record(const Silence& silence);
  // Forgets what ended before `before`, and the oldest runs beyond kMaxEndedRuns; states and what is still going on
  // stay.
  Result<void> prune(std::int64_t before);
  // Of identities that are no longer watched.
  Result<void> forget_states(std::span<const RecordKey> keys);

  // Does the path lead to another file by now, or to none?
  bool has_moved() const;

  // In the order of their keys; what was confirmed is struck out of them.
  Result<std::vector<RecordState>> states() const;
  // Those that are not over. A silence may have run out: ask its `until`.
  Result<std::vector<Silence>> silences() const;
  // Of the identity with this name, or of all whose domain this is; of all there are for "". In the order of time.
  Result<std::vector<Run>> runs(const std::string& domain, std::int64_t since) const;
  struct Event {
    std::int64_t time = 0;
    RecordKey key;
    State from = State::healthy, to = State::healthy;
    std::string code, reason;
  };
  Result<std::vector<Event>> events(const std::string& domain, std::int64_t since) const;
  // Also those that concern no single identity; domain "": of all identities.
  Result<std::vector<Notice>> notices(const std::string& domain, std::int64_t since) const;
  // All that were made, with those that are over.
  Result<std::vector<Silence>> silences(const std::string& domain, std::int64_t since) const;
  Result<std::vector<Blindness>> blindnesses(const std::string& domain, std::int64_t since) const;
  Result<std::vector<Sight>> sights(const std::string& domain) const;
  // When the watch last looked at anything, unix seconds; 0 = never.
  Result<std::int64_t> last_look() const;

 private:
  struct Database;
  explicit Memory(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace sesame::watch
