#include "spf/map_dns.h"

namespace sesame::spf {

std::optional<Result> map_dns(const dns::Answer& answer) {
  if (answer.status == dns::Status::ok) return std::nullopt;
  // RFC 7208 Section 4.3 and 4.5: no such name, or no record there. Section 5: for a mechanism, no match.
  if (dns::proves_absence(answer)) return Result::none;
  // RFC 7208 Section 4.4 and 5: any RCODE but 0 and 3, or no answer; RFC 8767 Section 4: nor a newer one.
  return Result::temperror;
}

}  // namespace sesame::spf
