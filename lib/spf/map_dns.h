// What a DNS answer means for SPF.
#pragma once

#include <optional>

#include "dns/record.h"
#include "spf/spf.h"

namespace sesame::spf {

// Nothing when there are records; none when there are certainly none, which a record look-up reports and a mechanism
// counts as a void look-up; temperror when nobody knows.
std::optional<Result> map_dns(dns::Status status);

}  // namespace sesame::spf
