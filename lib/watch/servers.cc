#include "watch/servers.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>

#include "dns/name.h"

namespace sesame::watch {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::size_t kMaxServers = 16;    // of one zone
constexpr std::size_t kMaxKept = 100'000;  // names remembered; beyond that all is found out anew
constexpr std::size_t kParentsAsked = 2;
constexpr const char* kAmazon = "amazonses.com";

template <class Map>
void make_room(Map& map) {
  if (map.size() >= kMaxKept) map.clear();
}

void sort_out(std::vector<std::string>& names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMaxServers) names.resize(kMaxServers);
}

}  // namespace

std::vector<dns::ProbeReply> ask_all(dns::Prober& prober, const std::vector<dns::ProbeQuestion>& questions) {
  struct Round {
    std::mutex mutex;
    std::condition_variable all_there;
    std::vector<dns::ProbeReply> replies;
    std::size_t left = 0;
  };
  const auto round = std::make_shared<Round>();
  round->replies.resize(questions.size());
  round->left = questions.size();
  for (std::size_t i = 0; i < questions.size(); ++i)
    prober.ask(questions[i], [round, i](dns::ProbeReply reply) {
      const std::lock_guard lock(round->mutex);
      round->replies[i] = std::move(reply);
      if (--round->left == 0) round->all_there.notify_all();
    });
  std::unique_lock lock(round->mutex);
  round->all_there.wait(lock, [&] { return round->left == 0; });
  return std::move(round->replies);
}

// Where the resolver has none for it, another that does not validate may.
dns::AnswerPtr Directory::look_up(const std::string& name, dns::Type type, Deadline deadline) {
  auto answer = means_.resolver.lookup(name, type, deadline);
  return answer->status == dns::Status::servfail ? means_.unchecked.lookup(name, type, deadline) : answer;
}

std::string Directory::zone_of(const std::string& name, Deadline deadline) {
  return walk_to_zone(name, 2, deadline);
}

std::string Directory::walk_to_zone(const std::string& name, std::size_t least_labels, Deadline deadline) {
  const auto now = means_.clock.unix_now();
  std::string known;
  {
    const std::lock_guard lock(mutex_);
    const auto found = apexes_.find(name);
    // Also when the clock was put back.
    if (found != apexes_.end() && now < found->second.until && found->second.until - now <= kHour)
      return found->second.zone;
    if (found != apexes_.end()) known = found->second.zone;
  }
  bool certain = true;
  for (std::string at = name; dns::label_count(at) >= least_labels; at = dns::parent(at)) {
    const auto answer = look_up(at, dns::Type::soa, deadline);
    if (dns::is_temporary(answer->status)) certain = false;
    // Of an alias it is the SOA of the name it leads to.
    if (answer->status != dns::Status::ok || !answer->cnames.empty()) continue;
    if (!certain && !known.empty()) return known;
    const std::lock_guard lock(mutex_);
    make_room(apexes_);
    if (certain) apexes_[name] = {at, now + kHour};
    return at;
  }
  return certain ? "" : known;
}

ZoneServers Directory::servers_of(const std::string& zone) {
  ZoneServers servers;
  servers.zone = zone;
  servers.parent = parent_servers(zone);
  servers.names = own_servers(zone);
  if (servers.parent) servers.names.insert(servers.names.end(), servers.parent->begin(), servers.parent->end());
  sort_out(servers.names);
  choose_spots(servers);
  return servers;
}

void Directory::add_servers(ZoneServers& servers, const std::vector<std::string>& names) {
  servers.names.insert(servers.names.end(), names.begin(), names.end());
  sort_out(servers.names);
  choose_spots(servers);
}

std::vector<std::string> Directory::own_servers(const std::string& zone) {
  auto answer = look_up(zone, dns::Type::ns, soon());
  const std::lock_guard lock(mutex_);
  make_room(delegations_);
  auto& own = delegations_[zone].own;
  if (answer->status == dns::Status::ok) own = answer->names;
  return own;
}

std::optional<std::vector<std::string>> Directory::parent_servers(const std::string& zone) {
  const auto now = means_.clock.unix_now();
  std::optional<std::vector<std::string>> known;
  std::int64_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    make_room(delegations_);
    auto& delegation = delegations_[zone];
    if (delegation.asked != 0 && now >= delegation.asked && now - delegation.asked < kHour) return delegation.servers;
    known = delegation.servers;
    // Nobody else asks meanwhile.
    before = std::exchange(delegation.asked, now);
  }
  const auto above = servers_above(zone);
  auto told = ask_above(zone, above);
  const std::lock_guard lock(mutex_);
  auto& delegation = delegations_[zone];
  if (above.empty()) delegation.asked = before;
  // Parents that are silent have changed nothing.
  delegation.servers = told ? std::move(told) : known;
  return delegation.servers;
}

// Of each server of the parent zone one address.
Directory::Addresses Directory::servers_above(const std::string& zone) {
  const auto deadline = soon();
  const auto above = walk_to_zone(std::string(dns::parent(zone)), 1, deadline);
  return above.empty() ? Addresses() : servers_at(above, deadline);
}

void Directory::doubt(const std::string& zone) {
  const std::lock_guard lock(mutex_);
  const auto found = delegations_.find(zone);
  if (found != delegations_.end()) found->second.asked = 0;
}

std::vector<IpAddress> Directory::control_servers(const std::string& zone) {
  auto servers = servers_above(zone);
  if (servers.size() > kParentsAsked) servers.resize(kParentsAsked);
  auto others = servers_at(kAmazon, soon());
  if (others.size() > kParentsAsked) others.resize(kParentsAsked);
  servers.insert(servers.end(), others.begin(), others.end());
  return servers;
}

// Of each server of the zone one address.
Directory::Addresses Directory::servers_at(const std::string& zone, Deadline deadline) {
  Addresses servers;
  auto names = look_up(zone, dns::Type::ns, deadline)->names;
  sort_out(names);
  for (const auto& name : names) {
    const auto addresses = addresses_of(name, deadline);
    if (!addresses.empty()) servers.push_back(addresses.front());
  }
  return servers;
}

std::optional<std::vector<std::string>> Directory::ask_above(const std::string& zone, const Addresses& servers) {
  // Which of them are asked differs from zone to zone.
  const auto first = std::hash<std::string>{}(zone);
  for (std::size_t i = 0; i < std::min(kParentsAsked, servers.size()); ++i) {
    dns::ProbeQuestion question{{servers[(first + i) % servers.size()], means_.port}, zone, dns::Type::ns};
    auto reply = ask_all(means_.prober, {question}).front();
    if (reply.truncated) {
      question.transport = dns::Transport::tcp;
      reply = ask_all(means_.prober, {question}).front();
    }
    // A server that has both zones answers from the lower one, which is not what the parent says.
    if (reply.referred_to != zone || reply.referral.empty()) continue;
    std::ranges::sort(reply.referral);
    return reply.referral;
  }
  return std::nullopt;
}

Directory::Addresses Directory::addresses_of(const std::string& server, Deadline deadline) {
  for (const auto type : {dns::Type::a, dns::Type::aaaa}) means_.resolver.prefetch(server, type);
  Addresses addresses;
  bool certain = true;
  for (const auto type : {dns::Type::a, dns::Type::aaaa}) {
    const auto answer = look_up(server, type, deadline);
    if (dns::is_temporary(answer->status)) certain = false;
    addresses.insert(addresses.end(), answer->addresses.begin(), answer->addresses.end());
  }
  const std::lock_guard lock(mutex_);
  make_room(addresses_);
  auto& known = addresses_[server];
  if (certain || !addresses.empty()) known = addresses;
  return known;
}

void Directory::choose_spots(ZoneServers& servers) {
  const auto deadline = soon();
  for (const auto& name : servers.names)
    for (const auto type : {dns::Type::a, dns::Type::aaaa}) means_.resolver.prefetch(name, type);
  std::vector<Addresses> all;
  std::size_t most = 0;
  servers.addresses = 0;
  for (const auto& name : servers.names) {
    all.push_back(addresses_of(name, deadline));
    servers.addresses += all.back().size();
    most = std::max(most, all.back().size());
  }
  servers.spots.clear();
  for (std::size_t turn = 0; turn < most; ++turn)
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (turn >= all[i].size()) continue;
      const auto known = [&](const Spot& spot) { return spot.address == all[i][turn]; };
      if (std::ranges::any_of(servers.spots, known)) {
        --servers.addresses;  // two names for one machine
      } else if (servers.spots.size() < kMaxSpots) {
        servers.spots.push_back({servers.names[i], all[i][turn]});
      }
    }
}

}  // namespace sesame::watch
