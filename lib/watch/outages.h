// What the states of an identity's records amount to for SES. Inside this folder only. Pure.
#pragma once

#include <optional>
#include <span>

#include "ses/clocks.h"
#include "ses/history.h"
#include "watch/state.h"

namespace sesame::watch {

// What nobody saw is not known: a record that nobody could ask for during this time may have been mended.
inline constexpr std::int64_t kBlind = 6 * ses::kHour;

// Of the records of one part of one identity: the outage that lasts; else the last that may still have consequences;
// else the last there was. `now`: where that is long after an absence was last seen, it no longer counts as one, unless
// SES had revoked the set-up by then; 0 = as when it was last seen.
std::optional<ses::Outage> outage_of(std::span<const RecordState> records, Part part, std::int64_t now = 0);

// A record that SES revoked the set-up for stays missing in its eyes, however often it comes and goes.
bool is_past_revocation(const RecordState& record);
// One that was missing for so long, and is there again, that SES may have revoked the set-up.
bool may_be_past_revocation(const RecordState& record);

// SES was content at `time` with these records of one identity: where all of a part were well, what they lived through
// before is struck out. True when that changed anything. Part by part: DKIM may be well, and the MAIL FROM domain not.
bool settle(std::span<RecordState> records, std::int64_t time);

}  // namespace sesame::watch
