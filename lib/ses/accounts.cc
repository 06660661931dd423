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

Accounts::Accounts(const Settings& settings, const Snapshot& snapshot, std::int64_t now) : routes_(settings.routes) {
  const auto too_old = [&](std::int64_t as_of) { return now - as_of > settings.snapshot_max_age; };
  std::map<std::string, std::vector<Identity>> identities;  // by account
  std::set<std::tuple<std::string, std::string, std::string>> taken;
  const auto add = [&](const Identity& identity) {
    if (taken.emplace(identity.account, identity.name, identity.region).second)
      identities[identity.account].push_back(identity);
  };
  const auto place = [&](const std::string& account, const std::string& region) -> Account& {
    const auto same = [&](const Account& each) { return each.name == account && each.region == region; };
    const auto found = std::ranges::find_if(accounts_, same);
    return found != accounts_.end() ? *found : accounts_.emplace_back(Account{account, region, {}, {}});
  };

  place(settings.account, settings.region);
  for (const auto& route : settings.routes) place(route.account, route.region);
  for (const auto& identity : settings.identities) {
    place(identity.account, identity.region);
    add(identity);
  }
  for (const auto& region : snapshot.regions) {
    auto& account = place(region.account, region.region);
    account.standing = region.standing;
    account.standing.aged = account.standing.as_of && too_old(*account.standing.as_of);
    for (auto identity : region.identities) {
      const auto as_of = identity.as_of.value_or(region.fetched);
      identity.aged = too_old(as_of);
      as_of_ = as_of_ == 0 ? as_of : std::min(as_of_, as_of);
      add(identity);
    }
  }
  for (auto& account : accounts_) account.identities = identities[account.name];
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

}  // namespace sesame::ses
