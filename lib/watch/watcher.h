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
};

// Where a watch says what it does: severity and one line.
enum class Loudness { info, warning, error };
using Say = std::function<void(Loudness, const std::string&)>;

class Watcher {
 public:
  // The memory's states are taken over. A memory that cannot be opened is told through `say`; the watch goes on
  // without.
  Watcher(Options options, const Clock& clock, Say say);
  ~Watcher();  // stops

  // What predictions draw on; outlives the watcher where it is shared.
  std::shared_ptr<const Ledger> ledger() const;
  // What to watch from now on, asked through these; identities already known keep their turn.
  void watch(std::vector<Subject> subjects, std::shared_ptr<dns::Resolver> resolver,
             std::shared_ptr<dns::Resolver> unchecked);
  void start();  // threads of its own
  void stop();   // ends them; looks under way are finished
  // One look at each now, on the caller's thread or a few; for `sesame watch --once`.
  std::vector<Look> look_once();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::watch
