// What is mended on outbound mail so that SES takes it. Everything is off unless configured; pure, no I/O.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dkim/dkim.h"
#include "mail/envelope.h"
#include "mail/field.h"
#include "policy/report.h"
#include "util/ip.h"

namespace sesame::policy {

struct RepairRules {
  bool duplicate_fields = false;            // surplus duplicates of a field SES wants once, when they say the same
  bool upstream_signatures = false;         // DKIM-Signature fields that SES breaks, or refuses the message for
  bool ses_fields = false;                  // X-SES-* of clients that are not trusted
  std::vector<Network> ses_fields_trusted;  // those that are
  bool own_fields = false;                  // Sesame-Prediction, and Authentication-Results under our names
  bool any() const { return duplicate_fields || upstream_signatures || ses_fields || own_fields; }
};

// One field that is removed, and why.
struct Repair {
  Place place;
  std::size_t index = 0;  // in the fields of the message
  std::string reason;     // "duplicate", "upstream-signature", "ses-field", "own-field"
};

}  // namespace sesame::policy
