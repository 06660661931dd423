// The watch as a whole: looks at every identity in turn, keeps what it saw, and tells of what changed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ses/accounts.h"
#include "util/clock.h"
#include "util/result.h"
#include "watch/look.h"
#include "watch/memory.h"
#include "watch/notice.h"
#include "watch/state.h"

namespace sesame::watch {

struct Options {
  std::chrono::seconds interval{};  // between two looks at one identity, give or take a tenth; 0 = there is no watch
  int max_rate = 0;                 // questions a second to all servers together: many identities take longer
  std::chrono::seconds keep{};      // how long what ended is remembered
  std::string memory;               // path of the SQLite file; "" = nothing is kept
  AlertOptions alerts;
  bool operator==(const Options&) const = default;
};

// Where a watch says what it does: severity and one line.
enum class Loudness { info, warning, error };
using Say = std::function<void(Loudness, const std::string&)>;

// What one watcher hands to the next, so that a change of settings tells nobody anything twice; and to those of hosts
// that leave the looking to this one.
struct Past {
  std::vector<RecordState> states;
  std::vector<Notice> notices;     // the newest, in the order of time
  std::vector<Sight> sights = {};  // delegation and bogus zone alone
};

class Watcher {
 public:
  using LookAt = std::function<Look(const Subject&)>;

  // The memory's states are taken over, and of each record that of `past` where it is newer. A memory that cannot be
  // opened is told through `say`; the watch goes on without, and tries again. `clock` is there as long as any look may
  // take.
  Watcher(Options options, const Clock& clock, Say say, Past past = {});
  ~Watcher();  // stops

  // What predictions draw on; outlives the watcher where it is shared.
  std::shared_ptr<const Ledger> ledger() const;
  Past past() const;
  // What to watch from now on, asked through these; identities already known keep their turn. An error, when no socket
  // can be had to ask name servers, changes nothing.
  Result<void> watch(std::vector<Subject> subjects, std::shared_ptr<dns::Resolver> resolver,
                     std::shared_ptr<dns::Resolver> unchecked);
  // The same by any other way of looking, which several threads use at once.
  void watch(std::vector<Subject> subjects, LookAt look_at);
  std::size_t size() const;  // identities watched
  // Threads of its own; with an error, as when there can be no more of them, nothing has begun.
  Result<void> start();
  // Ends them, within two seconds or three: looks that take longer are abandoned, and nothing comes of them, and nobody
  // who has the memory locked is waited for. Once ended it begins no more.
  void stop();
  // One look at each now, by a few threads, with all that comes of it; in the order of the subjects. For `sesame watch
  // --once`, instead of start().
  std::vector<Look> look_once();
  // What is due is told now, by this thread. For who did not start() the others.
  void tell();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::watch
