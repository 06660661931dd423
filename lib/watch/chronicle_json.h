// Rows of the memory as JSON. Inside this folder only.
#pragma once

#include <nlohmann/json.hpp>

#include "watch/chronicle.h"

namespace sesame::watch {

// domain, since, until, runs, events, blindnesses, states. Times as RFC 3339 has them, UTC; latencies in milliseconds.
nlohmann::ordered_json chronicle_value(const Chronicle& chronicle);
// The notices that were told, without what was delivered to whom.
nlohmann::ordered_json notices_value(const Chronicle& chronicle);
nlohmann::ordered_json silences_value(const Chronicle& chronicle);
nlohmann::ordered_json state_value(const RecordState& state);
nlohmann::ordered_json observation_value(const Observation& observation);
nlohmann::ordered_json delegation_value(const std::optional<ses::DelegationMismatch>& delegation);
nlohmann::ordered_json time_or_null(const std::optional<std::int64_t>& time);
nlohmann::ordered_json text_or_null(const std::string& text);
// On several lines, in printable ASCII: names come from whoever has a zone, and this is read in terminals. Octets that
// are no UTF-8 are replaced.
std::string text_of(const nlohmann::ordered_json& value);

}  // namespace sesame::watch
