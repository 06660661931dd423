#include "watch/outages.h"

#include <algorithm>
#include <deque>

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

// Of one that is missing: when that was last seen.
std::int64_t last_seen(const RecordState& record) {
  return std::max(record.last_bad.value_or(0), *record.missing_since);
}

// Was that too long ago?
bool is_unseen(const RecordState& record, std::int64_t now) {
  return is_missing(record) && now - last_seen(record) > kBlind &&
         last_seen(record) - *record.missing_since < ses::kNoticed + ses::kRevoked;
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
  return may_be_past_revocation(record) ||
         (was_missing(record) && record.checked < *record.missing_until + ses::kNoticed);
}

void add(const RecordState& record, ses::Outage& outage) {
  outage.first_bad = outage.names.empty() ? first_bad(record) : std::min(outage.first_bad, first_bad(record));
  outage.names.push_back(record.key.name);
}

// SES needs all of them: where one came back as another went there was no break.
std::int64_t unbroken_since(std::span<const RecordState* const> records, std::int64_t since, std::int64_t now) {
  for (bool further = true; further;) {
    further = false;
    for (const auto* record : records) {
      if (!record->missing_since || *record->missing_since >= since) continue;
      const auto until = is_unseen(*record, now) ? last_seen(*record) : record->missing_until;
      if (until && *until < since) continue;
      since = *record->missing_since;
      further = true;
    }
  }
  return since;
}

std::optional<ses::Outage> lasting(std::span<const RecordState* const> records, std::int64_t now) {
  ses::Outage missing, degraded;
  for (const auto* record : records) {
    if (is_missing(*record) && !is_unseen(*record, now)) {
      add(*record, missing);
      missing.missing_since = std::min(missing.missing_since.value_or(*record->missing_since), *record->missing_since);
    } else if (is_missing(*record) || is_degraded(*record)) {
      add(*record, degraded);
    }
  }
  if (missing.missing_since) {
    missing.missing_since = unbroken_since(records, *missing.missing_since, now);
    missing.first_bad = std::min(missing.first_bad, *missing.missing_since);
    if (!degraded.names.empty()) missing.first_bad = std::min(missing.first_bad, degraded.first_bad);
    return missing;
  }
  return degraded.names.empty() ? std::nullopt : std::optional(degraded);
}

enum class Ended { open, over };

// The longest of those that may have consequences, or the last of the others; with what overlaps it.
std::optional<ses::Outage> ended(std::span<const RecordState* const> records, Ended which, std::int64_t now) {
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
  outage.missing_since = unbroken_since(records, *chosen->missing_since, now);
  outage.restored = end;
  for (const auto* record : records)
    if (was_missing(*record) && *record->missing_since <= end && *record->missing_until >= *outage.missing_since)
      add(*record, outage);
  return outage;
}

// The record as it was when it was back from its earlier absence.
RecordState before(const RecordState& record) {
  RecordState old;
  old.key = record.key;
  old.checked = record.checked;
  old.missing_since = record.earlier->since;
  old.missing_until = record.earlier->until;
  return old;
}

bool was_well(const RecordState& record, std::int64_t time) {
  if (record.first_bad && *record.first_bad > time) return true;
  const bool is_well = record.state == State::healthy || record.state == State::recovering;
  return is_well && record.last_bad.value_or(time) <= time;
}

bool settle(RecordState& record, std::int64_t time) {
  bool changed = false;
  if (record.earlier && record.earlier->until <= time) {
    record.earlier.reset();
    changed = true;
  }
  if (was_missing(record) && *record.missing_until <= time) {
    record.missing_since.reset();
    record.missing_until.reset();
    changed = true;
  }
  if (record.first_bad && *record.first_bad <= time) {
    record.first_bad.reset();
    record.last_bad.reset();
    record.faults.clear();
    changed = true;
  }
  return changed;
}

}  // namespace

std::optional<ses::Outage> outage_of(std::span<const RecordState> records, Part part, std::int64_t now) {
  std::vector<const RecordState*> of_part;
  std::deque<RecordState> earlier;
  for (const auto& record : records) {
    if (record.key.part != part) continue;
    of_part.push_back(&record);
    if (record.earlier) of_part.push_back(&earlier.emplace_back(before(record)));
  }
  const auto present = lasting(of_part, now);
  const bool is_any_missing = std::ranges::any_of(of_part, [](const auto* record) { return is_missing(*record); });
  if (present && is_any_missing) return present;
  if (auto open = ended(of_part, Ended::open, now)) return open;
  return present ? present : ended(of_part, Ended::over, now);
}

bool is_past_revocation(const RecordState& record) {
  return was_missing(record) && *record.missing_until >= *record.missing_since + ses::kNoticed + ses::kRevoked;
}

bool may_be_past_revocation(const RecordState& record) {
  return was_missing(record) && *record.missing_until >= *record.missing_since + ses::kRevoked;
}

bool settle(std::span<RecordState> records, std::int64_t time) {
  bool changed = false;
  for (const auto part : {Part::dkim, Part::mail_from_mx}) {
    const auto of_part = [part](const RecordState& record) { return record.key.part == part; };
    if (std::ranges::any_of(records, [&](const auto& each) { return of_part(each) && !was_well(each, time); }))
      continue;
    for (auto& record : records)
      if (of_part(record) && settle(record, time)) changed = true;
  }
  return changed;
}

}  // namespace sesame::watch
