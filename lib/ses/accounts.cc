#include "ses/accounts.h"

#include <algorithm>
#include <functional>
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

// Says whether an answer of the API is too old, and gathers what follows from all of them.
class Ages {
 public:
  Ages(std::int64_t max_age, std::int64_t now) : max_age_(max_age), now_(now) {}

  bool is_old(std::int64_t as_of) {
    oldest_ = oldest_ == 0 ? as_of : std::min(oldest_, as_of);
    // An answer from the future is of a clock that was wrong.
    const bool ahead = as_of > now_ + max_age_;
    const auto change = ahead ? as_of - max_age_ : as_of + max_age_ + 1;
    if (change > now_) next_ = std::max(now_ + kStep, std::min(next_.value_or(change), change));
    return ahead || as_of < now_ - max_age_;
  }
  std::int64_t oldest() const { return oldest_; }
  std::optional<std::int64_t> next() const { return next_; }

 private:
  static constexpr std::int64_t kStep = 60;

  std::int64_t max_age_, now_;
  std::int64_t oldest_ = 0;
  std::optional<std::int64_t> next_;
};

}  // namespace

Accounts::Accounts(const Settings& settings, const Snapshot& snapshot, std::int64_t now) : routes_(settings.routes) {
  std::map<std::string, std::vector<Identity>> identities;  // by account
  std::set<std::tuple<std::string, std::string, std::string>> taken;
  const auto add = [&](Identity identity) {
    if (taken.emplace(identity.account, identity.name, identity.region).second)
      identities[identity.account].push_back(std::move(identity));
  };
  const auto place = [&](const std::string& account, const std::string& region) -> Account& {
    const auto same = [&](const Account& each) { return each.name == account && each.region == region; };
    const auto found = std::ranges::find_if(accounts_, same);
    if (found != accounts_.end()) return *found;
    auto& added = accounts_.emplace_back();
    added.name = account;
    added.region = region;
    return added;
  };

  place(settings.account, settings.region);
  for (const auto& route : settings.routes) place(route.account, route.region);
  for (const auto& identity : settings.identities) {
    place(identity.account, identity.region);
    add(identity);
  }
  Ages ages(settings.snapshot_max_age, now);
  // Of two parts for one place, one of them without an account, the newer comes first and is taken alone.
  std::vector<const Snapshot::Region*> parts;
  for (const auto& region : snapshot.regions) parts.push_back(&region);
  std::ranges::stable_sort(parts, std::greater{}, &Snapshot::Region::fetched);
  std::set<std::pair<std::string, std::string>> placed;
  for (const auto* part : parts) {
    const auto& region = *part;
    const auto& name = region.account.empty() ? settings.account : region.account;
    if (!placed.emplace(name, region.region).second) {
      remarks_.push_back(
          printable("account \"" + name + "\" has region " + region.region +
                        " twice, once without its name (ses.account); what is older is passed over, run sesame sync",
                    400));
      continue;
    }
    auto& account = place(name, region.region);
    account.listed = true;
    account.aged = ages.is_old(region.fetched);
    account.standing = region.standing;
    account.standing.aged = region.standing.as_of && ages.is_old(*region.standing.as_of);
    for (auto identity : region.identities) {
      identity.account = account.name;
      identity.as_of = identity.as_of.value_or(region.fetched);
      identity.aged = ages.is_old(*identity.as_of);
      add(std::move(identity));
    }
  }
  std::map<std::string, Identities> tables;
  for (auto& [account, list] : identities) tables.emplace(account, Identities::sorted(std::move(list)));
  for (auto& account : accounts_) account.identities = tables[account.name];
  as_of_ = ages.oldest();
  next_aging_ = ages.next();
}

Relay Accounts::relay_of(const Route& route) const {
  const auto same = [&](const Account& each) { return each.name == route.account && each.region == route.region; };
  return {&*std::ranges::find_if(accounts_, same), route.configuration_set};
}

Relay Accounts::relay_of(const Hop& hop) const {
  const auto route = std::ranges::find_if(routes_, [&](const Route& each) { return matches(each, hop); });
  return route == routes_.end() ? Relay{&usual(), ""} : relay_of(*route);
}

std::vector<Relay> Accounts::ways_of(const Hop& hop) const {
  std::vector<Relay> ways{relay_of(hop)};
  if (!hop.relay.empty()) return ways;
  for (const auto& route : routes_) {
    if (!covers(route.from, hop.from) || !covers(route.sender, hop.sender)) continue;
    if (route.relay.empty()) break;  // the one that holds whatever the host
    if (const auto way = relay_of(route); std::ranges::find(ways, way) == ways.end()) ways.push_back(way);
  }
  return ways;
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

std::size_t Accounts::aged_count() const {
  std::size_t count = 0;
  for (const auto& account : accounts_)
    count += static_cast<std::size_t>(std::ranges::count_if(account.identities, [&](const Identity& identity) {
      return identity.aged && identity.region == account.region;
    }));
  return count;
}

}  // namespace sesame::ses
