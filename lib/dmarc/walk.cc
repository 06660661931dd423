#include "dmarc/walk.h"

#include <fmt/format.h>

#include "dns/name.h"
#include "util/clock.h"
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
  if (last.record.psd != Record::Psd::y) return last.name;
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

}  // namespace

std::vector<std::string> walk_names(std::string_view start) {
  std::vector<std::string> names;
  if (start.empty()) return names;
  names.emplace_back(start);
  auto name = dns::label_count(start) > kLabelsAfterCut ? dns::rightmost(start, kLabelsAfterCut) : dns::parent(start);
  for (; !name.empty(); name = dns::parent(name)) names.emplace_back(name);
  return names;
}

std::string no_answer(std::string_view name, dns::Status status) {
  return fmt::format("{}: {}", printable(name), dns::to_string(status));
}

std::string fault_of(std::string_view name, const Published& published) {
  if (published.records > 1) return fmt::format("_dmarc.{}: {} DMARC records", printable(name), published.records);
  if (published.misspelt) return fmt::format("_dmarc.{}: TXT present but no v=DMARC1", printable(name));
  return "";
}

const Published& Records::at(const std::string& name) {
  if (const auto known = published_.find(name); known != published_.end()) return known->second;
  const auto answer = resolver_.lookup("_dmarc." + name, dns::Type::txt, deadline_);
  Published published;
  published.status = answer->status;
  // An alias is a record of the name, whatever became of its target.
  published.name_exists =
      answer->status == dns::Status::ok || answer->status == dns::Status::nodata || !answer->cnames.empty();
  // RFC 9989 Section 4.10 step 2: other texts do not count, and of several records none does.
  for (const auto& text : answer->texts) {
    auto record = parse_record(text);
    if (!record) {
      published.misspelt = published.misspelt || is_attempt(text);
      continue;
    }
    ++published.records;
    published.record = published.records == 1 ? std::move(record) : std::nullopt;
  }
  if (published.records > 0) published.misspelt = false;
  return published_.emplace(name, std::move(published)).first->second;
}

Walk Records::take_walk(const std::string& start) {
  Walk walk;
  walk.start = start;
  const auto names = walk_names(start);
  for (auto rest = names.begin(); rest != names.end();) {
    const auto began = system_clock().steady_now();
    const auto& name = *rest++;
    const auto& published = at(name);
    // One after the other, slow answers would use up the time.
    if (system_clock().steady_now() - began > kPatience)
      for (auto next = rest; next != names.end(); ++next) resolver_.prefetch("_dmarc." + *next, dns::Type::txt);
    if (dns::is_temporary(published.status)) {
      walk.reason = no_answer("_dmarc." + name, published.status);
      return walk;
    }
    if (auto fault = fault_of(name, published); !fault.empty()) walk.problems.push_back(std::move(fault));
    if (!published.record) continue;
    walk.found.push_back({name, *published.record});
    // RFC 9989 Section 4.10 steps 3 and 7: only psd=y and psd=n end the walk early.
    if (published.record->psd != Record::Psd::u) break;
  }
  walk.org_domain = organizational_domain_of(walk);
  return walk;
}

const Walk& Records::walk(const std::string& start) {
  if (const auto known = walks_.find(start); known != walks_.end()) return known->second;
  return walks_.emplace(start, take_walk(start)).first->second;
}

Tri Records::exists(const std::string& name) {
  if (at(name).name_exists) return Tri::yes;
  const auto answer = resolver_.lookup(name, dns::Type::txt, deadline_);
  // Whether it is there decides only how hard the policy is. RFC 8767 Section 4: it may have come to be since.
  if (dns::is_undecided(*answer)) return Tri::unknown;
  return tri(answer->status != dns::Status::nxdomain || !answer->cnames.empty());
}

}  // namespace sesame::dmarc
