#include "watch/outages.h"

#include <algorithm>

#include "ses/clocks.h"
#include "watch/judge.h"

namespace sesame::watch {
namespace {

bool is_missing(const RecordState& record) {
  return record.missing_since && !record.missing_until;
}
bool was_missing(const RecordState& record) {
  return record.missing_since && record.missing_until;
}

// Does some server lack it now, so that SES may come upon that?
bool is_degraded(const RecordState& record) {
  const auto at_fault = [&](const ses::ServerFault& fault) {
    return is_serious(fault) && fault.last == record.last_bad;
  };
  return record.state == State::degraded && std::ranges::any_of(record.faults, at_fault);
}

// The first answer of a name server that SES may have come upon.
std::int64_t first_bad(const RecordState& record) {
  auto first = record.missing_since.value_or(record.checked);
  // What the record has lived through since it was there again is another fault.
  if (was_missing(record) && record.first_bad.value_or(first) > first) return first;
  for (const auto& fault : record.faults)
    if (is_serious(fault)) first = std::min(first, fault.first);
  return first;
}

// May it have consequences yet, though the record is there again?
bool is_open(const RecordState& record) {
  return was_missing(record) && (*record.missing_until >= *record.missing_since + ses::kRevoked ||
                                 record.checked < *record.missing_until + ses::kNoticed);
}

void add(const RecordState& record, ses::Outage& outage) {
  outage.first_bad = outage.names.empty() ? first_bad(record) : std::min(outage.first_bad, first_bad(record));
  outage.names.push_back(record.key.name);
}

// SES needs all of them: where one came back as another went there was no break.
std::int64_t unbroken_since(std::span<const RecordState* const> records, std::int64_t since) {
  for (bool further = true; further;) {
    further = false;
    for (const auto* record : records) {
      if (!record->missing_since || *record->missing_since >= since) continue;
      if (record->missing_until && *record->missing_until < since) continue;
      since = *record->missing_since;
      further = true;
    }
  }
  return since;
}

std::optional<ses::Outage> lasting(std::span<const RecordState* const> records) {
  ses::Outage missing, degraded;
  for (const auto* record : records) {
    if (is_missing(*record)) {
      add(*record, missing);
      missing.missing_since = std::min(missing.missing_since.value_or(*record->missing_since), *record->missing_since);
    } else if (is_degraded(*record)) {
      add(*record, degraded);
    }
  }
  if (missing.missing_since) {
    missing.missing_since = unbroken_since(records, *missing.missing_since);
    missing.first_bad = std::min(missing.first_bad, *missing.missing_since);
    if (!degraded.names.empty()) missing.first_bad = std::min(missing.first_bad, degraded.first_bad);
    return missing;
  }
  return degraded.names.empty() ? std::nullopt : std::optional(degraded);
}

enum class Ended { open, over };

// The longest of those that may have consequences, or the last of the others; with what overlaps it.
std::optional<ses::Outage> ended(std::span<const RecordState* const> records, Ended which) {
  const RecordState* chosen = nullptr;
  const auto weight = [&](const RecordState& record) {
    return which == Ended::open ? *record.missing_until - *record.missing_since : *record.missing_until;
  };
  for (const auto* record : records)
    if (was_missing(*record) && is_open(*record) == (which == Ended::open) &&
        (!chosen || weight(*record) > weight(*chosen)))
      chosen = record;
  if (!chosen) return std::nullopt;
  auto end = *chosen->missing_until;
  for (const auto* record : records)
    if (was_missing(*record) && *record->missing_since <= end) end = std::max(end, *record->missing_until);
  ses::Outage outage;
  outage.missing_since = unbroken_since(records, *chosen->missing_since);
  outage.restored = end;
  for (const auto* record : records)
    if (was_missing(*record) && *record->missing_since <= end && *record->missing_until >= *outage.missing_since)
      add(*record, outage);
  return outage;
}

}  // namespace

std::optional<ses::Outage> outage_of(std::span<const RecordState> records, Part part) {
  std::vector<const RecordState*> of_part;
  for (const auto& record : records)
    if (record.key.part == part) of_part.push_back(&record);
  const auto now = lasting(of_part);
  if (now && now->missing_since) return now;
  if (auto open = ended(of_part, Ended::open)) return open;
  return now ? now : ended(of_part, Ended::over);
}

bool is_past_revocation(const RecordState& record) {
  return was_missing(record) && *record.missing_until >= *record.missing_since + ses::kNoticed + ses::kRevoked;
}

}  // namespace sesame::watch
