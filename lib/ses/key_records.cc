#include "ses/key_records.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::ses {
namespace {

using State = Selector::State;

void report_doubled(const KeyRecords& records, const std::string& domain, std::vector<Finding>& findings) {
  for (const auto& selector : records.selectors)
    if (!selector.doubled.empty())
      findings.push_back(make_finding(
          Code::dkim_name_doubled,
          {{"name", selector.doubled}, {"domain", domain}, {"relative", selector.selector + "._domainkey"}}));
}

void report_missing(const KeyRecords& records, const std::string& domain, std::vector<Finding>& findings) {
  std::vector<std::string> ready;
  for (const auto& selector : records.selectors)
    if (selector.state == State::missing)
      ready.push_back(selector.name + (selector.expected.empty() ? " TXT \"p=...\"" : " CNAME " + selector.expected));
  if (ready.empty()) return;
  const auto all = records.selectors.size();
  const auto count = ready.size() == all ? "All " + std::to_string(all)
                                         : std::to_string(ready.size()) + " of the " + std::to_string(all);
  findings.push_back(
      make_finding(Code::dkim_cname_missing,
                   {{"what", all == 1 ? "The DKIM record of " + domain + " is"
                                      : count + " DKIM records of " + domain + (ready.size() == 1 ? " is" : " are")},
                    {"names", join(records.names(State::missing), ", ")},
                    {"records", join(ready, ", ")}}));
}

void report_target(const KeyRecords& records, const Selector& selector, std::vector<Finding>& findings) {
  const bool open = records.may_be_hosted_elsewhere(selector);
  findings.push_back(make_finding(
      Code::dkim_cname_target,
      {{"name", selector.name},
       {"found", selector.found},
       {"expected", selector.expected},
       {"hedge", open ? " by the region; SES may have given it another zone" : ""},
       {"remedy", open ? "Compare " + selector.hosted_in + " with SigningHostedZone in SES, and change the CNAME " +
                             selector.name + " only if they differ"
                       : "Change the CNAME " + selector.name + " to " + selector.expected}}));
}

}  // namespace

std::size_t KeyRecords::count(Selector::State state) const {
  return static_cast<std::size_t>(std::ranges::count(selectors, state, &Selector::state));
}

std::vector<std::string> KeyRecords::names(Selector::State state) const {
  std::vector<std::string> result;
  for (const auto& selector : selectors)
    if (selector.state == state) result.push_back(selector.name);
  return result;
}

bool KeyRecords::contradicted() const {
  return count(State::missing) + count(State::wrong_target) + count(State::proxied) + count(State::bad_key) > 0;
}

bool KeyRecords::may_be_hosted_elsewhere(const Selector& selector) const {
  return zone_by_region && !selector.hosted_in.empty() && std::ranges::none_of(selectors, &Selector::is_as_expected);
}

Tri KeyRecords::verifies() const {
  const auto keys = [&](Tri key) { return std::ranges::count(selectors, key, &Selector::key); };
  if (keys(Tri::unknown) > 0) return Tri::unknown;
  return tri(keys(Tri::yes) > 0);
}

void report_records(const KeyRecords& records, const Identity& identity, std::vector<Finding>& findings) {
  const std::string domain(identity.domain());
  report_doubled(records, domain, findings);
  report_missing(records, domain, findings);
  for (const auto& selector : records.selectors) {
    if (selector.state == State::wrong_target) report_target(records, selector, findings);
    if (selector.state == State::proxied)
      findings.push_back(
          make_finding(Code::dkim_cname_proxied, {{"name", selector.name}, {"expected", selector.expected}}));
    if (selector.state == State::bad_key)
      findings.push_back(make_finding(Code::dkim_key_bad, {{"name", selector.name}, {"reason", selector.detail}}));
    if (selector.txt_only_fails)
      findings.push_back(make_finding(Code::dkim_txt_servfail, {{"name", selector.name}, {"status", selector.detail}}));
  }
  if (!records.selectors.empty() && records.count(State::idle) == records.selectors.size())
    findings.push_back(make_finding(Code::dkim_no_key, {{"domain", domain}, {"region", identity.region}}));
}

bool is_zone_by_region(const Account& account, const Identity& given) {
  const auto& owner = key_owner(account, given);
  const auto* parent = replica_parent(owner, account);
  return !owner.dkim.is_external() && owner.dkim.signing_hosted_zone.empty() &&
         (!parent || parent->dkim.signing_hosted_zone.empty());
}

const Identity& key_owner(const Account& account, const Identity& identity) {
  if (!identity.is_address() || !identity.dkim.tokens.empty() || !identity.dkim.unread_keys.empty()) return identity;
  const auto* domain = account.covering_domain(identity.domain());
  return domain && domain->name == identity.domain() ? *domain : identity;
}

// https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-deed.html
Identity signing_settings(const Account& account, const Identity& identity) {
  auto result = identity;
  auto& dkim = result.dkim;
  const auto& owner = key_owner(account, identity);
  if (&owner != &identity) {
    dkim.tokens = owner.dkim.tokens;
    dkim.origin = owner.dkim.origin;
    dkim.unread_keys = owner.dkim.unread_keys;
  }
  dkim.signing_hosted_zone = owner.dkim.is_external() ? "" : signing_zone(owner, account);
  // A replica signs with the keys of its parent.
  const auto* parent = owner.dkim.tokens.empty() ? replica_parent(owner, account) : nullptr;
  // Only Easy DKIM can be replicated.
  if (parent && !parent->dkim.is_external()) dkim.tokens = parent->dkim.tokens;
  if (parent && dkim.unread_keys.empty()) dkim.unread_keys = parent->dkim.unread_keys;
  // Which of them holds is part of what is not known.
  if (!dkim.unread_keys.empty()) dkim.tokens.clear();
  return result;
}

}  // namespace sesame::ses
