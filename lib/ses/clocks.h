// SES's own clocks: what it has done, or may have done, about records that were gone. Pure.
//
// What is documented: SES looks again from time to time, at moments nobody knows. When it misses a record it stops
// signing at once; five days later, unless the record is there again, it revokes the set-up, which must then be
// repeated. 72 hours is the longest time for which it is said to look for records.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
//
// What is assumed here: of a record that no name server has had for 72 hours without a break SES has found out, and
// not before; where it was restored, SES needs 72 hours at most to see that. A record that some server still has may
// never be missed.
#pragma once

#include <cstdint>
#include <optional>

#include "ses/history.h"
#include "ses/identity.h"
#include "util/tri.h"

namespace sesame::ses {

inline constexpr std::int64_t kHour = 3600;
inline constexpr std::int64_t kNoticed = 72 * kHour;
inline constexpr std::int64_t kRevoked = 5 * 24 * kHour;

// Unix seconds. earliest: if SES looked when the fault began. latest: if it takes as long as it ever does; of a record
// that some servers always had, only if SES comes upon the fault at all.
struct Span {
  std::int64_t earliest = 0, latest = 0;
  bool operator==(const Span&) const = default;
};
Span signing_stops(const Outage& outage);
Span revocation(const Outage& outage);
Span mail_from_fallback(const Outage& outage);

// What SES does with the records of an outage, by its clocks alone.
struct Clocks {
  enum class Phase {
    as_usual,          // it has not noticed, or everything is well again
    may_have_stopped,  // or, once they are restored, may not have begun again
    has_stopped,
    may_be_revoked,
    revoked,  // also after the records are back
  } phase = Phase::as_usual;
  Tri goes_on = Tri::yes;  // signs with the identity's domain, or uses the custom MAIL FROM domain
  Span stops, ends;        // when it stops; when the set-up is at an end. Both of the outage, whatever the phase
};
const char* to_string(Clocks::Phase phase);

// When SES was last known to be content with the identity's DKIM records, unix seconds: its clocks start there. A state
// that the configuration gives has no time. What the API said long ago was so then, however old it has become since.
std::optional<std::int64_t> last_content(const Identity& identity);
// The same of the MX of its MAIL FROM domain.
std::optional<std::int64_t> last_content_with_mail_from(const Identity& identity);

Clocks dkim_clocks(const Outage& outage, std::optional<std::int64_t> content, std::int64_t now);
// There is no revocation: a search for the MX that ends in vain, after another 72 hours, must be started anew.
Clocks mail_from_clocks(const Outage& outage, std::optional<std::int64_t> content, std::int64_t now);

}  // namespace sesame::ses
