// What DNS shows of the selectors that SES signs an identity's mail with. Inside this folder only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ses/diagnose.h"
#include "ses/identity.h"
#include "ses/predict.h"
#include "util/tri.h"

namespace sesame::ses {

// One selector, as DNS has it.
struct Selector {
  enum class State {
    key,           // as it should be, and holds a key
    idle,          // as it should be, without a key: not in use
    missing,       // no record
    wrong_target,  // a CNAME to somewhere else
    proxied,       // an answer, but not by a CNAME of its own
    bad_key,       // not a key that SES can sign with
    undecided,     // DNS did not say
  } state = State::undecided;
  Tri key = Tri::unknown;  // whatever the state: a receiver finds a key for SES's signature here
  unsigned bits = 0;       // of that key
  std::string selector;
  std::string name;             // s._domainkey.d
  std::string expected;         // CNAME target; "" for BYODKIM
  std::string detail;           // what is wrong with the key, or the status
  std::string found;            // the wrong target
  std::string doubled;          // where it stands instead when the zone was entered twice; "" = not there
  bool txt_only_fails = false;  // the CNAME answers, TXT does not
  // A wrong target that is SELECTOR.<zone> of Amazon's: the zone, and the state if it is the right one.
  std::string hosted_in;
  State if_hosted = State::undecided;

  // Does its CNAME lead to the zone expected?
  bool is_as_expected() const { return state == State::key || state == State::idle || state == State::bad_key; }
};

// All selectors of one identity.
struct KeyRecords {
  std::vector<Selector> selectors;
  bool zone_by_region = false;  // SES did not tell the zone of the targets: they are held against that of the region

  std::size_t count(Selector::State state) const;
  std::vector<std::string> names(Selector::State state) const;
  // Something SES needs is gone or wrong: it may stop signing at any moment.
  bool contradicted() const;
  bool undecided() const { return count(Selector::State::undecided) > 0; }
  // All that SES needs is there.
  bool right() const { return !selectors.empty() && !contradicted() && !undecided(); }
  // Is a wrong target wrong only by a guess? Not where other CNAMEs lead to the zone expected.
  bool may_be_hosted_elsewhere(const Selector& selector) const;
  // If SES signs: will a receiver find the key? The selector in use is one whose TXT holds a key.
  Tri verifies() const;
};

// `zone` is where the CNAMEs of Easy DKIM should point; "" for BYODKIM.
KeyRecords look_up_keys(dns::Resolver& resolver, Deadline deadline, std::string_view domain,
                        const std::vector<std::string>& tokens, const std::string& zone);
// The same of the settings that `given` signs with. SES may give an identity any zone: where nobody told it, and SES
// does not say that it misses the records, the one that they name is right if it is Amazon's, no other region's, and
// holds the keys of these tokens.
// Never null.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DkimAttributes.html
std::shared_ptr<const KeyRecords> look_up_keys(const Surroundings& world, const Identity& given,
                                               const Identity& settings);

// What is wrong with the records, the cause before what comes of it.
void report_records(const KeyRecords& records, const Identity& identity, std::vector<Finding>& findings);

// The settings an identity signs with, tokens and zone filled in: a replica has those of its parent, and an address
// that lists none those of its exact domain.
Identity signing_settings(const Account& account, const Identity& identity);
// Has nobody told where the CNAMEs lead: neither the configuration nor SES, be it of the parent?
bool is_zone_by_region(const Account& account, const Identity& given);
// The one whose keys those are, before it is asked for its parent: the identity itself, or the exact domain of an
// address that lists none.
const Identity& key_owner(const Account& account, const Identity& identity);

}  // namespace sesame::ses
