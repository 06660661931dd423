// Where the identity that covers From is not the one its owner has in mind.
#include <algorithm>

#include "dns/name.h"
#include "ses/predictor.h"
#include "spf/parse.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

bool is_set_up(const Dkim& dkim) {
  const auto inferred = dkim.tokens.empty() ? Status::not_started : Status::success;
  return dkim.signing_enabled && dkim.unread_state.empty() && dkim.status.value_or(inferred) == Status::success;
}

// Does an SPF record let in amazonses.com?
bool includes_amazon(std::string_view record) {
  if (!spf::is_spf_record(record)) return false;
  return std::ranges::any_of(split(record, ' '), [](std::string_view term) {
    constexpr std::string_view kInclude = "include:";
    if (term.starts_with('+')) term.remove_prefix(1);
    return istarts_with(term, kInclude) && dns::is_at_or_below(lower(term.substr(kInclude.size())), "amazonses.com");
  });
}

}  // namespace

// An address with an identity of its own does not use the settings of its domain.
void Predictor::report_override(const SesSignature& signature) {
  if (!identity_->is_address()) return;
  const auto* domain = world_.account.covering_domain(identity_->domain());
  if (!domain) return;
  const bool domain_signs =
      domain->dkim.signing_enabled && domain->dkim.status.value_or(Status::success) == Status::success;
  const bool loses_dkim = domain_signs && signature.usable != Tri::yes;
  const bool loses_mail_from = !domain->mail_from.domain.empty() && identity_->mail_from.domain.empty();
  if (!loses_dkim && !loses_mail_from) return;
  const bool open = loses_dkim && signature.usable == Tri::unknown;
  const auto severity = open ? Severity::unknown : loses_dkim ? Severity::error : Severity::warning;
  add(make_finding(Code::identity_address_override, severity,
                   {{"address", identity_->name},
                    {"effect", open ? "whether it signs as " + domain->name + " does is not known"
                                    : "its settings apply, not those of " + domain->name}}));
}

// The address was verified by a mail to it, its domain belongs to somebody else, or was never set up.
void Predictor::report_foreign(SesSignature& signature) {
  if (!identity_->is_address() || signature.usable != Tri::no || !identity_->dkim.tokens.empty()) return;
  if (world_.account.covering_domain(identity_->domain())) return;
  std::string domain;
  if (!set_up_elsewhere(domain).empty()) return;
  add(make_finding(Code::from_foreign, {{"from", from_.domain}, {"address", identity_->name}}));
  // There is nothing to switch on.
  std::erase_if(signature.findings, [](const Finding& finding) { return finding.code == Code::dkim_disabled; });
}

// The regions of this and other accounts in which From's domain is set up, and as which domain.
std::vector<std::string> Predictor::set_up_elsewhere(std::string& domain) const {
  std::vector<std::string_view> names;
  if (const auto* here = world_.account.covering_domain(from_.domain)) {
    names.emplace_back(here->name);
  } else {
    for (std::string_view name = from_.domain; !name.empty(); name = dns::parent(name)) names.push_back(name);
    std::ranges::sort(names);
  }
  std::vector<std::string> places;
  for (const auto& account : world_.accounts)
    for (const auto name : names)
      for (const auto* other : account.identities.named(name)) {
        if (!is_set_up(other->dkim)) continue;
        if (other->account == world_.account.name && other->region == world_.account.region) continue;
        const auto place =
            other->region + (other->account == world_.account.name ? "" : " of the account " + other->account);
        if (std::ranges::find(places, place) == places.end()) places.push_back(place);
        if (other->name.size() > domain.size()) domain = other->name;
      }
  return places;
}

// Each account and region has a set-up of its own. `usable`: does SES sign for the identity of this one?
void Predictor::report_other_regions(Tri usable) {
  const auto* here = world_.account.covering_domain(from_.domain);
  if (usable == Tri::yes || foreign_identity_ || (here && here->dkim.status != Status::not_started)) return;
  std::string domain;
  const auto places = set_up_elsewhere(domain);
  if (places.empty()) return;
  const auto region = world_.account.region;
  add(make_finding(Code::region_not_set_up, usable == Tri::no ? Severity::error : Severity::unknown,
                   {{"domain", domain}, {"region", region}, {"others", join(places, ", ")}}));
}

// An SPF record at the domain itself plays no part while SES writes an envelope sender of its own.
void Predictor::report_apex() {
  if (!identity_ || !identity_->mail_from.domain.empty() || spf_passes_.rfc9989 == Tri::yes) return;
  std::vector<std::string> domains{from_.domain};
  if (identity_->domain() != from_.domain) domains.emplace_back(identity_->domain());
  for (const auto& domain : domains) {
    const auto answer = world_.resolver.lookup(domain, dns::Type::txt, world_.deadline);
    if (!std::ranges::any_of(answer->texts, includes_amazon)) continue;
    add(make_finding(Code::spf_apex_irrelevant, {{"domain", domain}, {"envelope", result_.spf.domain}}));
    return;
  }
}

}  // namespace sesame::ses
