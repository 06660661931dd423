#include "ses/accounts.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "dns/name.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// Does "example.com" or "user@example.com" cover the mailbox?
bool covers(const std::string& pattern, const mail::Mailbox* mailbox) {
  if (pattern.empty()) return true;
  if (!mailbox) return false;
  return pattern.find('@') != std::string::npos ? pattern == mailbox->address()
                                                : dns::is_at_or_below(mailbox->domain, pattern);
}

bool matches(const Route& route, const Hop& hop) {
  return covers(route.from, hop.from) && covers(route.sender, hop.sender) &&
         (route.relay.empty() || iequals(route.relay, hop.relay));
}

}  // namespace

Accounts::Accounts(const Settings& settings, const Snapshot& snapshot, std::int64_t now)
    : routes_(settings.routes), max_age_(settings.snapshot_max_age) {
  std::map<std::string, std::vector<Identity>> identities;  // by account
  std::set<std::tuple<std::string, std::string, std::string>> taken;
  const auto add = [&](Identity identity) {
    if (taken.emplace(identity.account, identity.name, identity.region).second)
      identities[identity.account].push_back(std::move(identity));
  };
  const auto place = [&](const std::string& account, const std::string& region) -> std::size_t {
    const auto same = [&](const Account& each) { return each.name == account && each.region == region; };
    const auto found = std::ranges::find_if(accounts_, same);
    if (found != accounts_.end()) return static_cast<std::size_t>(found - accounts_.begin());
    auto& added = accounts_.emplace_back();
    added.name = account;
    added.region = region;
    lists_as_of_.emplace_back();
    return accounts_.size() - 1;
  };

  place(settings.account, settings.region);
  for (const auto& route : settings.routes) place(route.account, route.region);
  for (const auto& identity : settings.identities) {
    place(identity.account, identity.region);
    add(identity);
  }
  for (const auto& region : snapshot.regions) {
    const auto& account = region.account.empty() ? settings.account : region.account;
    const auto at = place(account, region.region);
    accounts_[at].standing = region.standing;
    lists_as_of_[at] = region.fetched;
    for (auto identity : region.identities) {
      identity.account = account;
      if (!identity.as_of) identity.as_of = region.fetched;
      add(std::move(identity));
    }
  }
  for (auto& account : accounts_) {
    account.identities = identities[account.name];
    account.sort();
  }
  age(now);
}

Accounts Accounts::seen_at(std::int64_t now) const {
  auto result = *this;
  result.age(now);
  return result;
}

void Accounts::age(std::int64_t now) {
  as_of_ = 0;
  next_aging_.reset();
  const auto is_old = [&](const std::optional<std::int64_t>& as_of) {
    if (!as_of) return false;
    as_of_ = as_of_ == 0 ? *as_of : std::min(as_of_, *as_of);
    const auto next = *as_of > now + max_age_ ? *as_of - max_age_ : *as_of + max_age_ + 1;
    if (next > now) next_aging_ = std::min(next_aging_.value_or(next), next);
    return *as_of < now - max_age_ || *as_of > now + max_age_;
  };
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    accounts_[i].aged = is_old(lists_as_of_[i]);
    accounts_[i].standing.aged = is_old(accounts_[i].standing.as_of);
    for (auto& identity : accounts_[i].identities) identity.aged = is_old(identity.as_of);
  }
}

Relay Accounts::relay_of(const Hop& hop) const {
  const auto route = std::ranges::find_if(routes_, [&](const Route& each) { return matches(each, hop); });
  if (route == routes_.end()) return {&usual(), ""};
  const auto same = [&](const Account& each) { return each.name == route->account && each.region == route->region; };
  return {&*std::ranges::find_if(accounts_, same), route->configuration_set};
}

bool Accounts::knows_identities() const {
  return std::ranges::any_of(accounts_, [](const Account& each) { return !each.identities.empty(); });
}

std::size_t Accounts::identity_count() const {
  std::size_t count = 0;
  // Each account has those of all its regions.
  for (const auto& account : accounts_)
    count += static_cast<std::size_t>(std::ranges::count(account.identities, account.region, &Identity::region));
  return count;
}

}  // namespace sesame::ses
