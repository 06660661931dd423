// From a signature and the digest it signs to a result: the key's part, RFC 6376 Sections 6.1.2 and 6.1.3.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dkim/signature.h"
#include "dns/resolver.h"

namespace sesame::dkim {

struct KeyLimits {
  unsigned min_rsa_bits = 1024;
  unsigned max_rsa_bits = 8192;
};

struct KeyVerdict {
  Result result = Result::permerror;
  std::string reason;    // safe to print; empty for pass
  bool testing = false;  // the key used has t=y
};

// Asks for the key and verifies with it.
KeyVerdict check_key(dns::Resolver& resolver, const Signature& signature, std::span<const std::uint8_t> digest,
                     const KeyLimits& limits, Deadline deadline);

}  // namespace sesame::dkim
