// What becomes of a record over time, and what follows for SES.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ses/diagnose.h"
#include "ses/history.h"
#include "watch/look.h"

namespace sesame::watch {

// healthy: every server has it. degraded: some server does not, or does not say; or only the resolver does not.
// missing: no server that answers has it. recovering: every server has it again, but not at three looks in a row yet. A
// fault meanwhile leads back, and belongs to the one before. A DMARC record that was never there is healthy: a policy
// may stand further up the tree.
enum class State { healthy, degraded, missing, recovering };
const char* to_string(State state);
std::optional<State> parse_state(std::string_view word);

// A record of an identity, as far as watched. Times in unix seconds.
struct RecordKey {
  std::string account, identity, region;
  Part part = Part::dkim;
  std::string name;
  auto operator<=>(const RecordKey&) const = default;
};

struct PastAbsence {
  std::int64_t since = 0, until = 0;
};

struct RecordState {
  RecordKey key;
  State state = State::healthy;
  std::int64_t since = 0;    // of the state
  std::int64_t checked = 0;  // the last look that could tell
  std::string code;          // of the finding that tells of it; "" = none
  std::string reason;        // one sentence, with the server's name; "" when healthy
  int good_looks = 0;        // in a row
  // Of the fault there is, or of the last there was: kept also while healthy, since SES may still act on it.
  std::optional<std::int64_t> first_bad;
  std::optional<std::int64_t> last_bad;
  // Since when no server has had it, without a break, and until when, if it is there again: the last time so. One for
  // which SES has revoked the set-up goes on where it is missing again.
  std::optional<std::int64_t> missing_since;
  std::optional<std::int64_t> missing_until;
  std::vector<ses::ServerFault> faults;  // of that fault, by server, name, type and transport
  // The longest absence before that one for which SES may have revoked the set-up.
  std::optional<PastAbsence> earlier = {};
};

// What the last look that could tell showed of an identity's zones.
struct Sight {
  std::string account, identity, region;
  std::string domain;
  std::int64_t time = 0;    // of that look; 0 = there was none
  std::int64_t looked = 0;  // of the last look at all
  std::vector<std::string> zones;
  std::optional<ses::DelegationMismatch> delegation;
  std::string bogus_zone;
};

// What SES does by its own clocks about a fault, as far as it can be known from outside. Unix seconds.
struct Deadline {
  enum class Kind { signing_stops, revocation, mail_from_fallback } kind = Kind::revocation;
  std::int64_t earliest = 0;  // if SES looked when the fault began
  // If it takes as long as it ever does; absent where SES may never come upon the fault: of a record that some server
  // has, or that nobody has seen missing lately.
  std::optional<std::int64_t> latest;
};
const char* to_string(Deadline::Kind kind);
// Of the records of one identity; nothing when no record SES needs is at fault at a name server: our resolver's trouble
// and what fails over TCP alone SES does not come upon.
// `now` as of outage_of().
std::vector<Deadline> deadlines_of(std::span<const RecordState> records, std::int64_t now);

// A record that is in another state than before.
struct Change {
  RecordState before, after;
};

// The states of all records. Thread-safe. What is told of an identity to a prediction is what the last looks showed.
class Ledger final : public ses::Observer {
 public:
  Ledger();
  ~Ledger() override;
  // Instead of what is here, as a memory kept it; sights of identities without states are left out. `now` tells how
  // long ago that was, until the next look does; 0 = just now.
  void restore(std::vector<RecordState> states, std::span<const Sight> sights = {}, std::int64_t now = 0);
  // SES was content with the identity at `time`, as somebody saw: what records lived through that were well by then has
  // no consequences any more. True when that changed anything; again it does nothing.
  bool confirm(const std::string& account, const std::string& identity, const std::string& region, std::int64_t time);
  // Delegation and bogus zone alone, where there is either.
  std::vector<Sight> sights() const;
  // A look in which nothing answered changes nothing.
  std::vector<Change> take(const Look& look);
  // Forgets identities and records that are no longer among `subjects`.
  void keep_only(std::span<const Subject> subjects);
  std::vector<RecordState> states() const;
  // How many records are in each state, the states without one too.
  std::map<State, std::size_t> counts() const;
  std::vector<RecordState> states_of(const std::string& account, const std::string& identity,
                                     const std::string& region) const;

  // present, past (both of DKIM records at name servers), delegation, bogus_zone and the outages. A record that nobody
  // could ask for during some hours is not told of as missing: it may have been mended.
  ses::History history_of(const ses::Identity& identity) const override;

 private:
  struct Book;
  std::unique_ptr<Book> book_;
};

}  // namespace sesame::watch
