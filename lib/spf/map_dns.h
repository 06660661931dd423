// What a DNS answer means for SPF.
#pragma once

#include <optional>

#include "dns/record.h"
#include "spf/spf.h"

namespace sesame::spf {

// Nothing when there are records; none when there are certainly none, which a record look-up reports and a mechanism
// counts as a void look-up; temperror when nobody knows, as when all there is is that there once were none (RFC 8767).
std::optional<Result> map_dns(const dns::Answer& answer);

}  // namespace sesame::spf
