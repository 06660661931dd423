// What a history of observations adds to what DNS shows of an identity's DKIM now. Inside this folder only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ses/clocks.h"
#include "ses/diagnose.h"
#include "ses/history.h"
#include "ses/key_records.h"
#include "ses/predict.h"

namespace sesame::ses {

struct Observed {
  bool servers_differ = false;         // SES or a receiver may get another answer than we did
  bool bogus = false;                  // whoever validates DNSSEC gets none
  bool some_failed = false;            // some receivers could not get the key
  std::vector<Finding> causes;         // of what the records or SES show
  std::vector<std::string> txt_fails;  // names whose TXT fails at all servers, though the CNAME answers: told in causes
  std::vector<Finding> remarks;        // what else was seen
  Clocks clocks;                       // what SES has made of the last outage of the records
  std::vector<Finding> outcome;        // the same for people; none where it goes on as usual
  std::optional<Arrival> signed_by;    // mail that SES signed for the domain within the last day
};

// `records` are those it signs with. Without an observer nothing was observed.
Observed observe(const Surroundings& world, const Identity& identity, const KeyRecords& records);

// What is observed of the DKIM records is told of those an identity signs with, which may be its domain's; the rest of
// its own mail and MAIL FROM domain. Empty without an observer.
History history_for(const Surroundings& world, const Identity& identity);

// What SES has made of the outages in a history, by its clocks; as usual where there was none. It was content when the
// API said so, and when mail came back that it had signed, or sent by the MAIL FROM domain.
Clocks dkim_clocks_of(const Surroundings& world, const Identity& identity, const History& history,
                      const KeyRecords& records);
Clocks mail_from_clocks_of(const Surroundings& world, const Identity& identity, const History& history);

// The zone above `name` that is known to fail DNSSEC validation; "" when none is.
std::string bogus_zone_of(const Surroundings& world, const Identity& identity, std::string_view name);

}  // namespace sesame::ses
