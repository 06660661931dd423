// What a postmaster asks of the history.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/reader.h"
#include "policy/decide.h"

namespace sesame::history {

// Which messages. Times are unix seconds; `since` is included, `until` is not; an `until` of 0 is no end.
struct Scope {
  std::int64_t since = 0, until = 0;
  std::string direction;    // "outbound", "inbound"; "" = both
  std::string from_domain;  // with everything below it; "" = any
  std::string host;         // "" = any
};

// Messages counted. `aligned` ones by what carries them; `hit`: those that hold or reject would act upon.
struct Tally {
  std::uint64_t messages = 0;
  std::uint64_t both = 0, dkim = 0, spf = 0, none = 0, unknown = 0;              // by alignment
  std::uint64_t pass = 0, fail = 0, refused = 0, undecided = 0, no_policy = 0;   // by verdict
  std::uint64_t observed = 0, tagged = 0, held = 0, rejected = 0, deferred = 0;  // by action
  std::uint64_t hit = 0;
};

struct Reason {
  std::string code;  // of the finding that decides; "" where none does
  std::uint64_t messages = 0;
};

struct DomainTally {
  std::string from_domain, direction;
  Tally tally;
  std::vector<Reason> reasons;  // most frequent first
};

// Whole hours count: an hour that `since` or `until` cuts is counted with the first, not with the second. From the sums
// that are kept by the hour: at once, however many messages there are. Most messages first.
Result<std::vector<DomainTally>> tallies(Reader& reader, const Scope& scope, std::size_t most);
Result<Tally> total(Reader& reader, const Scope& scope);

struct Slot {
  std::int64_t begin = 0;  // unix seconds
  Tally tally;
};
// One for each step (seconds, a multiple of 3600) from `since` to `until`, those without messages as well; at most
// 1000.
Result<std::vector<Slot>> series(Reader& reader, const Scope& scope, std::int64_t step);

// Single messages.
struct Filter {
  Scope scope;
  std::string verdict, action, code;  // "" = any
  std::string search;                 // found in queue id, message id, sender, From domain or why; "" = any
  std::size_t most = 100;
  std::optional<std::int64_t> before_time;  // microseconds: the page that follows the row with this time ...
  std::string before_origin;                // ... and this origin and sequence
  std::int64_t before_sequence = 0;
};
// Newest first, without stories.
Result<std::vector<Row>> find(Reader& reader, const Filter& filter);
// How far each start of a daemon has come in the store: its last sequence. Rows arrive in the order of their sequence,
// and late ones have old times, so this and no time tells what is new.
using Marks = std::map<std::string, std::int64_t>;
Result<Marks> marks(Reader& reader);
// Rows that have arrived since, oldest first, without stories; `most` for each start of a daemon, the next ones at the
// next call. Moves the marks on. For tail -f.
Result<std::vector<Row>> arrived(Reader& reader, Marks& marks, const Filter& filter);
// With their stories: all messages that had this queue id, newest first; an MTA uses short ones again.
Result<std::vector<Row>> messages_of(Reader& reader, const std::string& queue_id);

// Of the messages that are kept, in microseconds; 0 where there are none.
struct Period {
  std::int64_t oldest = 0, newest = 0;
};
Result<Period> period(Reader& reader);

// Most of something: sender domains, codes, clients, ...
enum class By { from_domain, code, client, mail_from, host, action, verdict };
struct Count {
  std::string value;
  std::uint64_t messages = 0, bad = 0;  // bad: fail or refused
};
Result<std::vector<Count>> top(Reader& reader, const Scope& scope, By by, std::size_t most);

// What a policy would have done with the messages of the past, in whole hours.
struct Simulated {
  std::uint64_t messages = 0, outbound = 0, inbound = 0;
  struct Line {
    std::string from_domain, direction, before, after;  // actions
    std::string code;
    std::uint64_t messages = 0;
    std::string queue_id;  // of the newest of them; "" beyond the first 200 lines
    std::string why;       // likewise
  };
  std::vector<Line> changed;  // only where the action is another one; most messages first
};
Result<Simulated> simulate(Reader& reader, const Scope& scope, const policy::Rules& rules);

}  // namespace sesame::history
