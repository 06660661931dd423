#include "dmarc/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "dns/name.h"
#include "util/clock.h"
#include "util/content_cache.h"
#include "util/text.h"

namespace sesame::dmarc {
namespace {

// A start of 8 labels or more is cut to 7 after the first query: RFC 9989 Section 4.10 step 4.
constexpr std::size_t kLabelsAfterCut = kMaxQueries - 1;
// An answer that takes longer makes the rest of a walk be asked at once.
constexpr std::chrono::milliseconds kPatience{300};

// RFC 9989 Section 4.10.2. `walk` has all its records; psd=n and psd=y end a walk, so only the last can have them.
std::string organizational_domain_of(const Walk& walk) {
  if (walk.found.empty()) return walk.start;
  const auto& last = walk.found.back();
  if (last.record->psd != Record::Psd::y) return last.name;
  // One label below; the cut may have skipped that name, so it is taken from the start. Nothing is below the start.
  return std::string(dns::rightmost(walk.start, dns::label_count(last.name) + 1));
}

// Was this text, which is no DMARC record, meant to be one?
bool is_attempt(std::string_view text) {
  auto squeezed = lower(text);
  std::erase_if(squeezed, is_wsp);
  return squeezed.starts_with("v=dmarc") ||
         (squeezed.find("dmarc") != std::string::npos && squeezed.find("p=") != std::string::npos);
}

std::size_t heap_bytes(const std::optional<Record>& record) {
  if (!record) return 0;
  std::size_t bytes = 0;
  for (const auto* texts : {&record->rua, &record->warnings})
    for (const auto& text : *texts) bytes += sizeof text + text.capacity();
  return bytes;
}

// A few thousand texts, each of which is read once. Null: it is no DMARC record.
std::shared_ptr<const Record> read_text(const std::string& text) {
  constexpr std::size_t kMaxBytes = 4 << 20;
  static ContentCache<std::optional<Record>> readings(kMaxBytes, heap_bytes);
  const auto reading = readings.get(text, parse_record);
  return *reading ? std::shared_ptr<const Record>(reading, &**reading) : nullptr;
}

}  // namespace

std::string_view next_name(std::string_view start, std::string_view name) {
  const bool cut = name.size() == start.size() && dns::label_count(start) > kLabelsAfterCut;
  return cut ? dns::rightmost(start, kLabelsAfterCut) : dns::parent(name);
}

std::vector<std::string> walk_names(std::string_view start) {
  std::vector<std::string> names;
  for (auto name = start; !name.empty(); name = next_name(start, name)) names.emplace_back(name);
  return names;
}

bool ends_walk(const Published& published) {
  return published.record && published.record->psd != Record::Psd::u;
}

std::string no_answer(std::string_view name, dns::Status status) {
  return fmt::format("{}: {}", printable(name), dns::to_string(status));
}

std::string fault_of(std::string_view name, const Published& published) {
  if (published.records > 1) return fmt::format("_dmarc.{}: {} DMARC records", printable(name), published.records);
  if (published.misspelt) return fmt::format("_dmarc.{}: TXT present but no v=DMARC1", printable(name));
  return "";
}

std::string record_name(std::string_view name) {
  constexpr std::string_view kPrefix = "_dmarc.";
  std::string result;
  result.reserve(kPrefix.size() + name.size());
  return result.append(kPrefix).append(name);
}

Published read(const dns::Answer& answer) {
  Published published;
  published.status = answer.status;
  // An alias is a record of the name, whatever became of its target.
  published.name_exists =
      answer.status == dns::Status::ok || answer.status == dns::Status::nodata || !answer.cnames.empty();
  // RFC 9989 Section 4.10 step 2: other texts do not count, and of several records none does.
  for (const auto& text : answer.texts) {
    auto record = read_text(text);
    if (!record) {
      published.misspelt = published.misspelt || is_attempt(text);
      continue;
    }
    published.record = ++published.records == 1 ? std::move(record) : nullptr;
  }
  if (published.records > 0) published.misspelt = false;
  return published;
}

const Published& Records::at(std::string_view name) {
  const auto known = std::ranges::find(published_, name, &Known::name);
  if (known != published_.end()) return known->published;
  auto published = read(*resolver_.lookup(record_name(name), dns::Type::txt, deadline_));
  return published_.emplace_back(Known{std::string(name), std::move(published)}).published;
}

Walk Records::take_walk(std::string_view start) {
  Walk walk;
  walk.start = start;
  for (auto name = start; !name.empty(); name = next_name(start, name)) {
    const auto began = system_clock().steady_now();
    const auto& published = at(name);
    // One after the other, slow answers would use up the time.
    if (system_clock().steady_now() - began > kPatience)
      for (auto rest = next_name(start, name); !rest.empty(); rest = next_name(start, rest))
        resolver_.prefetch(record_name(rest), dns::Type::txt);
    if (dns::is_temporary(published.status)) {
      walk.reason = no_answer(record_name(name), published.status);
      return walk;
    }
    if (auto fault = fault_of(name, published); !fault.empty()) walk.problems.push_back(std::move(fault));
    if (published.record) walk.found.push_back({std::string(name), published.record});
    if (ends_walk(published)) break;
  }
  walk.org_domain = organizational_domain_of(walk);
  return walk;
}

const Walk& Records::walk(std::string_view start) {
  const auto known = std::ranges::find(walks_, start, &Walk::start);
  return known != walks_.end() ? *known : walks_.emplace_back(take_walk(start));
}

Tri Records::exists(const std::string& name) {
  if (at(name).name_exists) return Tri::yes;
  const auto answer = resolver_.lookup(name, dns::Type::txt, deadline_);
  // Whether it is there decides only how hard the policy is. RFC 8767 Section 4: it may have come to be since.
  if (dns::is_undecided(*answer)) return Tri::unknown;
  return tri(answer->status != dns::Status::nxdomain || !answer->cnames.empty());
}

}  // namespace sesame::dmarc
