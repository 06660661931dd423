#include "policy/repair.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "dns/name.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::policy {
namespace {

constexpr std::string_view kSignature = "dkim-signature";
constexpr std::string_view kDomainKey = "domainkey-signature";

// Where a field stands among those of its name, as MTAs count: in any case, with or without white space behind it.
using Position = std::pair<std::string, std::size_t>;

Position position_of(const Place& place) {
  return {lower(trim(place.name)), place.occurrence};
}

// Counts fields as they come, top first.
class Counter {
 public:
  Position next(const mail::Field& field) {
    auto name = lower(mail::name_of(field));
    const auto occurrence = ++counts_[name];
    return {std::move(name), occurrence};
  }

 private:
  std::map<std::string, std::size_t> counts_;
};

// Why each of them goes.
std::map<Position, std::string> reasons_of(std::span<const Repair> repairs) {
  std::map<Position, std::string> reasons;
  for (const auto& repair : repairs) reasons.emplace(position_of(repair.place), repair.reason);
  return reasons;
}

// The fields of a message that is being mended.
class Draft {
 public:
  Draft(std::span<const mail::Field> fields, std::span<const Repair> planned) : fields_(fields) {
    const auto removed = reasons_of(planned);
    Counter counter;
    for (const auto& each : fields) {
      positions_.push_back(counter.next(each));
      const auto found = removed.find(positions_.back());
      reasons_.push_back(found == removed.end() ? std::string() : found->second);
    }
  }

  std::size_t size() const { return fields_.size(); }
  const mail::Field& field(std::size_t i) const { return fields_[i]; }
  const Position& position(std::size_t i) const { return positions_[i]; }
  const std::string& name(std::size_t i) const { return positions_[i].first; }
  bool stays(std::size_t i) const { return reasons_[i].empty(); }

  void remove(std::size_t i, std::string_view reason) {
    if (stays(i)) reasons_[i] = reason;
  }

  std::vector<Repair> repairs() const {
    std::vector<Repair> result;
    for (std::size_t i = 0; i < size(); ++i)
      if (!stays(i)) result.push_back({reasons_[i], {std::string(mail::name_of(fields_[i])), positions_[i].second}});
    return result;
  }

 private:
  std::span<const mail::Field> fields_;
  std::vector<Position> positions_;
  std::vector<std::string> reasons_;  // "" = it stays
};

void remove_own(Draft& draft, std::span<const Place> own) {
  std::set<Position> ours;
  for (const auto& place : own) ours.insert(position_of(place));
  for (std::size_t i = 0; i < draft.size(); ++i)
    if (ours.contains(draft.position(i))) draft.remove(i, "own-field");
}

// What a field says to every reader: its value unfolded and trimmed. Nothing when readers may disagree, because of a CR
// or LF that is no fold.
std::optional<std::string> said_by(const mail::Field& field) {
  const std::string_view value = field.value;
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\n') return std::nullopt;
    if (value[i] != '\r') {
      text += value[i];
      continue;
    }
    if (i + 2 >= value.size() || value[i + 1] != '\n' || !is_wsp(value[i + 2])) return std::nullopt;
    ++i;
  }
  // The author is who the octets say: whatever is not the same to the last of them has two authors.
  if (mail::is_named(field, "From")) return std::string(value);
  return std::string(trim(text));
}

bool say_the_same(const Draft& draft, std::span<const std::size_t> at) {
  const auto first = said_by(draft.field(at.front()));
  return first && std::ranges::all_of(at, [&](std::size_t i) { return said_by(draft.field(i)) == first; });
}

// Surplus duplicates of the fields whose name `is_wanted` takes. One that is hidden in another field may say what it
// likes: then nobody can tell that all say the same.
template <class IsWanted>
void remove_duplicates(Draft& draft, const IsWanted& is_wanted) {
  std::map<std::string, std::vector<std::size_t>> found;
  std::set<std::string> hidden_names;
  for (std::size_t i = 0; i < draft.size(); ++i) {
    if (!draft.stays(i)) continue;
    if (is_wanted(draft.name(i))) found[draft.name(i)].push_back(i);
    mail::for_each_hidden_field(draft.field(i),
                                [&](const mail::Field& hidden) { hidden_names.insert(lower(mail::name_of(hidden))); });
  }
  for (const auto& [name, at] : found) {
    if (at.size() < 2 || hidden_names.contains(name) || !say_the_same(draft, at)) continue;
    for (const auto i : std::span(at).subspan(1)) draft.remove(i, "duplicate");
  }
}

// How near a signature's domain is to the author's: the same; of one organization by the public suffix list, or one
// below the other; neither. Which of the last two aligns, DNS decides.
int distance(const std::string& domain, const Signatures& signatures) {
  if (!signatures.author.usable() || domain.empty()) return 2;
  const auto& from = signatures.author.domain();
  if (domain == from) return 0;
  if (dns::is_at_or_below(domain, from) || dns::is_at_or_below(from, domain)) return 1;
  const auto* list = signatures.suffixes.get();
  return list && list->organizational_domain(domain) == list->organizational_domain(from) ? 1 : 2;
}

// What a signature is worth where only one may stay, the least first: one that verifies and aligns, one of which that
// is not known, one that verifies, the rest.
int rank(const dkim::Outcome& outcome, const Signatures& signatures) {
  const bool passes = outcome.result == dkim::Result::pass && !outcome.testing;
  const bool open = outcome.result == dkim::Result::temperror || outcome.result == dkim::Result::pass;
  if (!passes && !open) return 6;
  const int far = distance(outcome.domain, signatures);
  if (far == 2) return passes ? 4 : 5;
  return passes ? far : 2 + far;
}

void remove_signatures(Draft& draft, const Signatures& signatures) {
  constexpr std::string_view kReason = "upstream-signature";
  std::optional<std::size_t> best;
  int best_rank = 0;
  std::vector<std::size_t> left;
  std::size_t seen = 0;
  bool domain_key = false;
  for (std::size_t i = 0; i < draft.size(); ++i) {
    if (draft.name(i) == kDomainKey && draft.stays(i)) {
      if (domain_key) draft.remove(i, kReason);
      domain_key = true;
    }
    if (draft.name(i) != kSignature) continue;
    if (seen == signatures.outcomes.size()) break;
    const auto& outcome = signatures.outcomes[seen++];
    if (!draft.stays(i)) continue;
    if (std::ranges::any_of(outcome.signed_fields, ses::is_rewritten)) {
      draft.remove(i, kReason);
      continue;
    }
    left.push_back(i);
    const int worth = rank(outcome, signatures);
    if (best && worth >= best_rank) continue;
    best = i;
    best_rank = worth;
  }
  for (const auto i : left)
    if (i != best) draft.remove(i, kReason);
}

}  // namespace

bool tells_ses(const mail::Field& field) {
  bool found = false;
  const auto look = [&](const mail::Field& each) { found = found || istarts_with(mail::name_of(each), "X-SES-"); };
  look(field);
  mail::for_each_hidden_field(field, look);
  return found;
}

bool may_set_ses_fields(const mail::Envelope& envelope, const RepairRules& rules) {
  if (!envelope.client) return false;
  const auto address = envelope.client->unmapped();
  return std::ranges::any_of(rules.ses_fields_trusted,
                             [&](const Network& network) { return network.contains(address); });
}

std::vector<Repair> plan_field_repairs(std::span<const mail::Field> fields, const mail::Envelope& envelope,
                                       std::span<const Place> own, const RepairRules& rules) {
  Draft draft(fields, {});
  if (rules.own_fields) remove_own(draft, own);
  if (rules.ses_fields && !may_set_ses_fields(envelope, rules))
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (tells_ses(fields[i])) draft.remove(i, "ses-field");
  // Signatures are known only once they are verified.
  if (rules.duplicate_fields)
    remove_duplicates(draft, [](const std::string& name) { return name != kSignature && ses::is_unique(name); });
  return draft.repairs();
}

std::vector<Repair> plan_signature_repairs(std::span<const mail::Field> fields, const Signatures& signatures,
                                           std::span<const Repair> planned, const RepairRules& rules) {
  Draft draft(fields, planned);
  if (rules.duplicate_fields) remove_duplicates(draft, [](const std::string& name) { return name == kSignature; });
  if (rules.upstream_signatures) remove_signatures(draft, signatures);
  return draft.repairs();
}

std::vector<mail::Field> mended(std::span<const mail::Field> fields, std::span<const Repair> repairs) {
  const auto removed = reasons_of(repairs);
  Counter counter;
  std::vector<mail::Field> left;
  for (const auto& field : fields)
    if (!removed.contains(counter.next(field))) left.push_back(field);
  return left;
}

std::vector<dkim::Outcome> mended(std::vector<dkim::Outcome> outcomes, std::span<const Repair> repairs) {
  const auto removed = reasons_of(repairs);
  std::size_t occurrence = 0;
  std::erase_if(outcomes, [&](const auto&) { return removed.contains({std::string(kSignature), ++occurrence}); });
  return outcomes;
}

void forget_repairs(Report& report) {
  if (report.repairs.empty()) return;
  report.repairs.clear();
  if (!report.prediction) return;
  ses::Prediction undecided;
  undecided.account = report.prediction->account;
  undecided.region = report.prediction->region;
  undecided.why =
      "No prediction: the MTA did not take all repairs and other edits, so what leaves is not what was judged.";
  report.prediction = std::move(undecided);
}

}  // namespace sesame::policy
