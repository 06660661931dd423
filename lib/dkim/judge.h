// What DKIM and ARC ask of a signature once its text is understood: RFC 6376 Sections 6.1.1 to 6.1.3.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dkim/body_hash.h"
#include "dkim/signature.h"
#include "dns/resolver.h"

namespace sesame::dkim {

// Our own clock.
struct Now {
  std::int64_t seconds = 0;  // unix time
  std::int64_t skew = 0;     // tolerated, likewise
};

// Against t= and x=.
MaybeProblem judge_time(const Signature& signature, const Now& now);

// Against bh= and l=; `body` is finished.
MaybeProblem judge_body(const Signature& signature, const BodyHash& body);

struct KeyVerdict {
  Result result = Result::permerror;
  std::string reason;    // safe to print; empty for pass
  bool testing = false;  // the key used has t=y
};

// Asks for the key and verifies with it.
KeyVerdict check_key(dns::Resolver& resolver, const Signature& signature, std::span<const std::uint8_t> digest,
                     const KeyLimits& limits, Deadline deadline);

}  // namespace sesame::dkim
