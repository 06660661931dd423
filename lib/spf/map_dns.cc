#include "spf/map_dns.h"

namespace sesame::spf {

std::optional<Result> map_dns(dns::Status status) {
  if (status == dns::Status::ok) return std::nullopt;
  // RFC 7208 Section 4.3 and 4.5: no such name, or no record there. Section 5: for a mechanism, no match.
  if (dns::is_absent(status)) return Result::none;
  // RFC 7208 Section 4.4 and 5: any RCODE but 0 and 3, or no answer.
  return Result::temperror;
}

}  // namespace sesame::spf
