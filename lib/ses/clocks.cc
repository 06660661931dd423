#include "ses/clocks.h"

#include <algorithm>

namespace sesame::ses {
namespace {

using Phase = Clocks::Phase;

// `grace` lies between the moment SES stops and the end of the set-up.
Clocks read(Outage outage, std::int64_t grace, std::optional<std::int64_t> content, std::int64_t now) {
  Clocks clocks;
  if (content && *content <= now) {
    if (outage.restored && *content >= *outage.restored) return clocks;
    outage.first_bad = std::max(outage.first_bad, *content);
    if (outage.missing_since) outage.missing_since = std::max(*outage.missing_since, *content);
  }
  const auto set = [&](Phase phase, Tri goes_on) {
    clocks.phase = phase;
    clocks.goes_on = goes_on;
    return clocks;
  };
  clocks.stops = signing_stops(outage);
  clocks.ends = {clocks.stops.earliest + grace, clocks.stops.latest + grace};
  const bool missing = outage.missing_since.has_value();
  if (outage.restored) {
    const auto end = *outage.restored;
    // What some server always had SES has seen meanwhile, or sees now.
    if (!missing) return clocks;
    if (end >= clocks.ends.latest) return set(Phase::revoked, Tri::no);
    if (end >= *outage.missing_since + grace) return set(Phase::may_be_revoked, Tri::unknown);
    return now < end + kNoticed ? set(Phase::may_have_stopped, Tri::unknown) : clocks;
  }
  if (missing && now >= clocks.ends.latest) return set(Phase::revoked, Tri::no);
  const auto stopped = missing && now >= clocks.stops.latest ? Tri::no : Tri::unknown;
  if (now >= clocks.ends.earliest) return set(Phase::may_be_revoked, stopped);
  return set(stopped == Tri::no ? Phase::has_stopped : Phase::may_have_stopped, stopped);
}

}  // namespace

const char* to_string(Clocks::Phase phase) {
  switch (phase) {
    case Phase::as_usual:
      return "as usual";
    case Phase::may_have_stopped:
      return "may have stopped";
    case Phase::has_stopped:
      return "has stopped";
    case Phase::may_be_revoked:
      return "may be revoked";
    case Phase::revoked:
      break;
  }
  return "revoked";
}

Span signing_stops(const Outage& outage) {
  return {outage.first_bad, outage.missing_since.value_or(outage.first_bad) + kNoticed};
}

Span revocation(const Outage& outage) {
  const auto stops = signing_stops(outage);
  return {stops.earliest + kRevoked, stops.latest + kRevoked};
}

Span mail_from_fallback(const Outage& outage) {
  return signing_stops(outage);
}

std::optional<std::int64_t> last_content(const Identity& identity) {
  auto content = identity.verification.last_success;
  if (identity.as_of && identity.dkim.status == Status::success)
    content = std::max(*identity.as_of, content.value_or(0));
  return content;
}

std::optional<std::int64_t> last_content_with_mail_from(const Identity& identity) {
  const bool content = identity.as_of && identity.mail_from.status == Status::success;
  return content ? identity.as_of : std::nullopt;
}

Clocks dkim_clocks(const Outage& outage, std::optional<std::int64_t> content, std::int64_t now) {
  return read(outage, kRevoked, content, now);
}

Clocks mail_from_clocks(const Outage& outage, std::optional<std::int64_t> content, std::int64_t now) {
  return read(outage, kNoticed, content, now);
}

}  // namespace sesame::ses
