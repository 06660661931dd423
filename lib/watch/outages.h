// What the states of an identity's records amount to for SES. Inside this folder only. Pure.
#pragma once

#include <optional>
#include <span>

#include "ses/history.h"
#include "watch/state.h"

namespace sesame::watch {

// Of the records of one part of one identity: the outage that lasts; else the last that may still have consequences;
// else the last there was.
std::optional<ses::Outage> outage_of(std::span<const RecordState> records, Part part);

// A record that SES revoked the set-up for stays missing in its eyes, however often it comes and goes.
bool is_past_revocation(const RecordState& record);

}  // namespace sesame::watch
