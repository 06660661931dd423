// Which records SES needs to find in DNS for an identity, so that whoever watches them need not know how they come
// about.
#pragma once

#include <string>
#include <vector>

#include "ses/identity.h"

namespace sesame::ses {

struct Needs {
  struct Key {
    std::string name;    // s._domainkey.d, canonical
    std::string target;  // of its CNAME, canonical; "" for BYODKIM, whose key stands at the name itself
    bool operator==(const Key&) const = default;
  };
  std::vector<Key> keys;        // all of them; none of an address that signs with the keys of its domain
  bool zone_by_region = false;  // SES did not tell the zone of the targets: the region's stands in for it
  std::string mail_from;        // the custom MAIL FROM domain, canonical; "" = none
  std::string feedback;         // its MX: "10 feedback-smtp.us-east-1.amazonses.com"
};

// `account` holds the identity, and its parent if it is a replica.
Needs needs_of(const Account& account, const Identity& identity);

}  // namespace sesame::ses
