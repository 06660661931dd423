// What a history of observations adds to what DNS shows of an identity's DKIM now. Inside this folder only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ses/diagnose.h"
#include "ses/history.h"
#include "ses/key_records.h"
#include "ses/predict.h"

namespace sesame::ses {

struct Observed {
  bool servers_differ = false;       // SES or a receiver may get another answer than we did
  bool bogus = false;                // whoever validates DNSSEC gets none
  bool some_failed = false;          // some receivers could not get the key
  std::vector<Finding> causes;       // of what the records or SES show
  std::vector<Finding> remarks;      // what else was seen
  std::optional<Arrival> signed_by;  // mail that SES signed for the domain within the last day
};

// `records` are those it signs with. Without an observer nothing was observed.
Observed observe(const Surroundings& world, const Identity& identity, const KeyRecords& records);

// The zone above `name` that is known to fail DNSSEC validation; "" when none is.
std::string bogus_zone_of(const Surroundings& world, const Identity& identity, std::string_view name);

}  // namespace sesame::ses
