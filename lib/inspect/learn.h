// What mail received through SES teaches of our own identities.
#pragma once

#include <cstdint>
#include <span>

#include "inspect/inspect.h"

namespace sesame::inspect {

struct Lesson {
  const Runtime& runtime;
  const mail::Envelope& envelope;
  std::span<const mail::Field> fields;
  dns::Resolver& resolver;
  Deadline deadline;
  std::int64_t now = 0;  // unix seconds
};

// After an inbound message was judged: fills report.arrival and report.findings, and tells runtime.arrivals. No verdict
// is touched. For mail that did not come through SES, or whose author is covered by no identity of the accounts, this
// does nothing; where the configuration names no identity, it tells what is seen and learns nothing.
void learn(policy::Report& report, const Lesson& lesson);

}  // namespace sesame::inspect
