// Which account and region of SES a message is relayed through, and what is known of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mail/address.h"
#include "ses/identity.h"
#include "ses/snapshot.h"

namespace sesame::ses {

// A rule of the map from sender, author or relay to an account. What is not empty must match; the first rule that does
// holds.
struct Route {
  std::string from;               // author: a domain with everything below it, or one address
  std::string sender;             // envelope sender, likewise
  std::string relay;              // the host the MTA hands the message to
  std::string account;            // Identity::account
  std::string region;             // "eu-west-1"
  std::string configuration_set;  // that the relay's credentials or the identity choose; "" = not known
};

// What the configuration says of SES.
struct Settings {
  std::string account;  // where no route says otherwise
  std::string region;
  std::vector<Identity> identities;
  std::vector<Route> routes;
  std::vector<std::string> tracking_configuration_sets;  // those with open or click tracking
  std::string snapshot;                                  // path of the file that `sesame sync` writes; "" = none
  std::int64_t snapshot_max_age = 0;                     // seconds; what is older is no longer relied on
  std::string arrivals;                                  // path of what is learned from mail received; "" = in memory
};

// Where a message goes.
struct Hop {
  const mail::Mailbox* from = nullptr;    // null: no usable author
  const mail::Mailbox* sender = nullptr;  // null: the empty sender, or one that cannot be read
  std::string relay;                      // host name in lower case; "" = not known
};

struct Relay {
  const Account* account = nullptr;  // never null
  std::string configuration_set;     // of the route; "" = not known
  bool operator==(const Relay&) const = default;
};

// The accounts by name and region. Immutable, so that a new snapshot or configuration replaces it whole.
class Accounts {
 public:
  // Identities of the configuration stand in for those of the snapshot with the same account, name and region. A region
  // of the snapshot that names no account is of Settings::account. What the snapshot says is `aged` when it is further
  // from `now` (unix seconds) than Settings::snapshot_max_age.
  Accounts(const Settings& settings, const Snapshot& snapshot, std::int64_t now);

  Relay relay_of(const Hop& hop) const;
  // The same, and behind it what else may hold where the host is not known: the routes it may match, each way once.
  std::vector<Relay> ways_of(const Hop& hop) const;
  // All that are known: of each account one for each region that has a route, an identity or an answer of the API.
  std::span<const Account> all() const { return accounts_; }
  // Where mail goes for which no route says otherwise.
  const Account& usual() const { return accounts_.front(); }
  // The oldest of what the snapshot says, unix seconds; 0 when there is no snapshot.
  std::int64_t as_of() const { return as_of_; }
  // When accounts made anew would have other ages, unix seconds; nothing when they never would. Not sooner than a
  // minute ahead: thousands of answers, got one after another, do not age one by one.
  std::optional<std::int64_t> next_aging() const { return next_aging_; }
  // What of the snapshot was passed over here, one printable sentence each.
  std::span<const std::string> remarks() const { return remarks_; }
  bool knows_identities() const;
  std::size_t identity_count() const;
  // Of those, how many are aged.
  std::size_t aged_count() const;

 private:
  Relay relay_of(const Route& route) const;

  std::vector<Account> accounts_;  // the usual one first
  std::vector<Route> routes_;
  std::vector<std::string> remarks_;
  std::int64_t as_of_ = 0;
  std::optional<std::int64_t> next_aging_;
};

}  // namespace sesame::ses
