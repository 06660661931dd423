// Whose word about a forwarded message is taken.
#pragma once

#include <span>
#include <string>

#include "arc/arc.h"

namespace sesame::policy {

// The sealer, one of `trusted` (d= of ARC-Seal), that saw DMARC pass for the author domain: the chain holds, and every
// set from there to the newest was sealed by one of `trusted`, as each of them may have changed the message. "" when
// there is none. RFC 8617 Section 7.2.1 and RFC 9989 Section 5.4.
std::string trusted_forwarder(const arc::Outcome& chain, const std::string& author_domain,
                              std::span<const std::string> trusted);

}  // namespace sesame::policy
