// Key records: RFC 6376 Section 3.6.1.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/public_key.h"

namespace sesame::dkim {

struct Key {
  // Usable keys are `ok`; `revoked` has an empty p=; `empty` is an empty TXT string, as idle SES selectors have
  // (no key, and not a revocation); `bad` cannot be parsed, see reason.
  enum class State { ok, revoked, empty, bad };
  State state = State::bad;
  std::string reason;                                   // safe to print
  std::string type = "rsa";                             // k=
  std::shared_ptr<const crypto::PublicKey> public_key;  // p=; set when the state is ok
  unsigned bits = 0;                                    // of an RSA modulus; 256 for ed25519; 0 when unknown
  std::vector<std::string> hashes;                      // h=, lower case; empty means all
  bool testing = false;                                 // t=y
  bool strict_identity = false;                         // t=s
  bool for_email = true;                                // s= has "*" or "email"
};

Key parse_key(std::string_view record);
// The same, or what it came to when the same text was read before: mail that keeps coming costs no reading of keys,
// which takes longer than verifying with them.
std::shared_ptr<const Key> remembered_key(std::string_view record);

// The name a key lives at: "s._domainkey.d".
std::string key_name(std::string_view selector, std::string_view domain);

}  // namespace sesame::dkim
