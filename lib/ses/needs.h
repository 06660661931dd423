// Which records SES needs to find in DNS for an identity, so that whoever watches them need not know how they come
// about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dns/resolver.h"
#include "ses/identity.h"
#include "util/clock.h"

namespace sesame::ses {

struct Needs {
  struct Key {
    std::string name;    // s._domainkey.d, canonical
    std::string target;  // of its CNAME, canonical; "" for BYODKIM, whose key stands at the name itself
    bool operator==(const Key&) const = default;
  };
  std::vector<Key> keys;  // all of them; none of an address that signs with the keys of its domain
  // SES did not tell the zone of the targets, nor that it misses the records: that of this region, which holds the
  // keys, stands in for it; "" = it is known.
  std::string zone_by_region;
  std::string mail_from;  // the custom MAIL FROM domain, canonical; "" = none
  std::string feedback;   // its MX: "10 feedback-smtp.us-east-1.amazonses.com"
};

// `account` holds the identity, and its parent if it is a replica.
Needs needs_of(const Account& account, const Identity& identity);

// Where the CNAMEs of Easy DKIM should lead.
struct KeyZone {
  std::string zone;
  std::string guessed_for;  // as Needs::zone_by_region
};

// What the resolver shows of all keys of one domain together.
struct KeySight {
  // Where they should lead, as some do: the zone expected or, where that is a guess, the one that they name, if it is
  // Amazon's, no other region's, and holds the keys of these tokens. "" = none leads to such.
  std::string zone;
  bool undecided = false;            // of one or more nothing is known
  std::vector<std::string> proxied;  // names that are no plain CNAME
  bool none_holds_key = false;       // all are as they should be, and no selector holds a key
};
KeySight look_at_keys(dns::Resolver& resolver, Deadline deadline, std::string_view domain,
                      const std::vector<std::string>& tokens, const KeyZone& expected);
// May a CNAME to `target` be right, where the zone expected is a guess? Whether keys stand there is not asked.
bool may_lead_to(std::string_view target, std::string_view token, const KeyZone& expected);

}  // namespace sesame::ses
