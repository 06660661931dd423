// From what was found to what is done: pure, no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/repair.h"
#include "policy/report.h"

namespace sesame::policy {

inline constexpr std::string_view kResultsField = "Authentication-Results";
inline constexpr std::string_view kPredictionField = "Sesame-Prediction";

// The ladder. What stands higher includes what stands below: a held message is tagged, too.
enum class Level { observe, tag, hold, reject };
const char* to_string(Level level);

// What to do with outbound mail by verdict. unknown is never acted upon.
struct OutboundRule {
  Level fail = Level::observe;
  Level refused = Level::observe;
};

struct OutboundOverride {
  std::string domain;  // From domain, and everything below it
  OutboundRule rule;
};

// What to do with inbound mail for which DMARC fails under the policy the author domain publishes.
enum class Handling { observe, quarantine, reject };
const char* to_string(Handling handling);

struct Rules {
  std::string authserv_id;
  std::vector<std::string> own_ids;  // also removed from inbound mail when forged; authserv_id included
  OutboundRule outbound;
  RepairRules repair;
  std::vector<OutboundOverride> overrides;            // the most specific domain wins
  Handling on_policy_reject = Handling::observe;      // p=reject
  Handling on_policy_quarantine = Handling::observe;  // p=quarantine
  std::vector<std::string> trusted_sealers;           // ARC d= whose word is taken where DMARC fails
  bool tempfail_on_temperror = false;                 // DMARC temperror: 451 instead of accepting
  Handling on_bad_author = Handling::observe;         // From missing, repeated or unreadable
};

const OutboundRule& outbound_rule(const Rules& rules, std::string_view from_domain);

// One edit of the message.
struct Edit {
  enum class Kind { insert, remove } kind = Kind::insert;
  std::string name;
  std::string value;           // insert: without the leading space; folds are CRLF and white space
  std::size_t occurrence = 0;  // remove: the n-th field of this name, from 1, counted in the message as received
};

struct Decision {
  // accept: nothing to act upon. observe and above: the verdict called for action; that much was allowed.
  enum class Action { accept, observe, tag, hold, reject, tempfail } action = Action::accept;
  std::vector<Edit> edits;        // removals first, the last of a name first, none twice; then insertions at the top
  std::vector<Repair> repairs;    // those that are among the edits
  std::string trusted_forwarder;  // the ARC sealer for whose word the policy was not applied; "" if none
  std::string reason;             // hold: for the queue; reject, tempfail: the text of the reply (one line, printable)
  std::string code;               // "550" or "451"; "" otherwise
  std::string enhanced_code;      // "5.7.1"; "" otherwise
};
const char* to_string(Decision::Action action);

// What the action rests on: of a message as it is judged, or of one that was judged long ago.
struct Case {
  Direction direction = Direction::ignored;
  std::string from_domain;                          // "" where From is not usable
  ses::Verdict predicted = ses::Verdict::unknown;   // outbound
  dmarc::Result dmarc = dmarc::Result::none;        // inbound
  dmarc::Policy disposition = dmarc::Policy::none;  // inbound: what the domain owner asks for
  std::string trusted_forwarder = {};               // inbound: for whose word the policy is not applied; "" if none
};
Decision::Action choose(const Case& message, const Rules& rules);

Decision decide(const Report& report, const Rules& rules);

}  // namespace sesame::policy
