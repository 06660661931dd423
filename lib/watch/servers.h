// Who serves what: zones, their name servers, and what their parents say of them. Inside this folder only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dns/probe.h"
#include "watch/look.h"

namespace sesame::watch {

// Asks all at once and waits for all; the replies are in the order of the questions.
std::vector<dns::ProbeReply> ask_all(dns::Prober& prober, const std::vector<dns::ProbeQuestion>& questions);

// One address of one name server.
struct Spot {
  std::string server;  // "ns2.example.com"
  IpAddress address;
  bool operator==(const Spot&) const = default;
};

struct ZoneServers {
  std::string zone;
  std::vector<Spot> spots;         // to be asked: at most kMaxSpots, of every server one before any gets a second
  std::size_t addresses = 0;       // that there are
  std::vector<std::string> names;  // of the servers, sorted; as the parent, the zone or both have them
  // As the parent's servers delegate; nothing when they did not tell.
  std::optional<std::vector<std::string>> parent;
};
inline constexpr std::size_t kMaxSpots = 16;

inline constexpr std::chrono::seconds kPatience{10};  // with the resolver, for one step of a look

// Remembers what it found, and what it found last where nobody answers now. Thread-safe.
class Directory {
 public:
  explicit Directory(const Means& means) : means_(means) {}

  // The zone that holds a name: the deepest at or above it that has an SOA record. "" when that is not known, and where
  // it would be a top-level domain, which has no records of the user's.
  std::string zone_of(const std::string& name, Deadline deadline);
  ZoneServers servers_of(const std::string& zone);
  // The parent's servers are to be asked at the next look, however lately they were.
  void doubt(const std::string& zone);
  // Some name servers that are not the zone's: of its parent, and Amazon's.
  std::vector<IpAddress> control_servers(const std::string& zone);
  // Addresses of name servers that only the zone itself names.
  void add_servers(ZoneServers& servers, const std::vector<std::string>& names);

 private:
  using Addresses = std::vector<IpAddress>;
  struct Apex {
    std::string zone;
    std::int64_t until = 0;
  };
  struct Delegation {
    std::int64_t asked = 0;
    std::optional<std::vector<std::string>> servers;
    std::vector<std::string> own;  // the zone's, as the resolver last knew them
  };

  std::string walk_to_zone(const std::string& name, std::size_t least_labels, Deadline deadline);
  dns::AnswerPtr look_up(const std::string& name, dns::Type type, Deadline deadline);
  std::optional<std::vector<std::string>> parent_servers(const std::string& zone);
  Addresses servers_above(const std::string& zone);
  Addresses servers_at(const std::string& zone, Deadline deadline);
  std::optional<std::vector<std::string>> ask_above(const std::string& zone, const Addresses& servers);
  std::vector<std::string> own_servers(const std::string& zone);
  Addresses addresses_of(const std::string& server, Deadline deadline);
  void choose_spots(ZoneServers& servers);
  Deadline soon() const { return means_.clock.steady_now() + kPatience; }

  const Means means_;
  std::mutex mutex_;  // of what is below
  std::map<std::string, Apex> apexes_;
  std::map<std::string, Delegation> delegations_;
  std::map<std::string, Addresses> addresses_;  // by server
};

}  // namespace sesame::watch
