// Lists of hosts, as their owners match clients against them.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "import.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

constexpr std::size_t kMaxFile = 16 << 20;

struct Item {
  Network network;
  bool taken_out = false;
};

// ::ffff:a.b.c.d/96+n as a.b.c.d/n.
Network unmapped(const Network& network) {
  const auto base = network.base.unmapped();
  constexpr unsigned kMapped = 96;
  return base.is_v4() && !network.base.is_v4() && network.prefix >= kMapped
             ? Network::of(base, network.prefix - kMapped)
             : network;
}

enum class HostBits { match_nothing, are_dropped };

std::optional<Network> parse_network(std::string_view text, HostBits host_bits) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  auto prefix = address->bits();
  if (slash != std::string_view::npos) {
    const auto number = parse_number(text.substr(slash + 1));
    if (!number || *number > address->bits()) return std::nullopt;
    prefix = static_cast<unsigned>(*number);
  }
  const auto network = Network::of(*address, prefix);
  if (network.base != *address && host_bits == HostBits::match_nothing) return std::nullopt;
  return unmapped(network);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) {
    // A key and its values: the key is what is matched.
    const auto content = trim(line.substr(0, line.find('#')));
    const auto key = content.substr(0, content.find_first_of(" \t"));
    if (!key.empty()) lines.emplace_back(key);
  }
  return lines;
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  const auto text = read_file(path, kMaxFile);
  if (!text) return tl::make_unexpected(text.error());
  if (!*text) return failure(path + ": there is no such file");
  return lines_of(**text);
}

// Brackets around an address may stand or not.
std::string without_square_brackets(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '[' || c == ']'; });
  return out;
}

// opendkim(8): the more precise entry is preferred, and of two alike the one that takes out.
std::vector<Network> resolve(std::vector<Item> items) {
  const auto order = [](const Item& item) { return std::tuple(item.network.prefix, item.taken_out); };
  std::ranges::stable_sort(items, {}, order);
  std::vector<Network> networks;
  for (const auto& item : items) {
    if (item.taken_out)
      networks = without(networks, {item.network});
    else if (std::ranges::find(networks, item.network) == networks.end())
      networks.push_back(item.network);
  }
  return networks;
}

Hosts sort_out(const std::vector<std::string>& entries, HostBits host_bits) {
  Hosts hosts;
  std::vector<Item> items;
  for (const auto& entry : entries) {
    const bool taken_out = entry.starts_with('!');
    const auto text = without_square_brackets(std::string_view(entry).substr(taken_out ? 1 : 0));
    const auto network = parse_network(text, host_bits);
    if (network) {
      items.push_back({*network, taken_out});
    } else if (iequals(text, "localhost")) {
      items.push_back({*Network::parse("127.0.0.1"), taken_out});
      items.push_back({*Network::parse("::1"), taken_out});
    } else {
      hosts.others.push_back(entry);
    }
  }
  hosts.networks = resolve(std::move(items));
  return hosts;
}

// The two halves of a block.
std::array<Network, 2> halves(const Network& network) {
  const auto lower = Network::of(network.base, network.prefix + 1);
  return {lower, Network::of(*lower.last().next(), network.prefix + 1)};
}

void subtract(const Network& network, const Network& hole, std::vector<Network>& left) {
  if (network.base.family() != hole.base.family()) {
    left.push_back(network);
  } else if (hole.prefix <= network.prefix) {
    if (!hole.contains(network.base)) left.push_back(network);
  } else if (!network.contains(hole.base)) {
    left.push_back(network);
  } else {
    for (const auto& half : halves(network)) subtract(half, hole, left);
  }
}

}  // namespace

std::vector<std::string> comma_list(std::string_view value) {
  std::vector<std::string> items;
  for (const auto item : split(value, ','))
    if (!trim(item).empty()) items.emplace_back(trim(item));
  return items;
}

Result<std::vector<std::string>> read_data_set(const std::string& value) {
  for (const auto* database : {"db:", "dsn:", "ldap:", "ldaps:", "ldapi:", "lua:", "memcache:", "erlang:", "mdb:"})
    if (value.starts_with(database)) return failure("is a database, which is not read here");
  for (const std::string_view file : {"file:", "refile:"})
    if (value.starts_with(file)) return read_lines(value.substr(file.size()));
  constexpr std::string_view kList = "csl:";
  if (value.starts_with(kList)) return comma_list(value.substr(kList.size()));
  if (value.ends_with(".db")) return failure("is a database, which is not read here");
  if (value.starts_with('/')) return read_lines(value);
  return comma_list(value);
}

Hosts read_hosts(const Statement& statement) {
  if (statement.owner == Owner::policyd_spf) return sort_out(comma_list(statement.value), HostBits::are_dropped);
  const auto entries =
      statement.owner == Owner::opendkim ? read_data_set(statement.value) : read_lines(statement.value);
  if (!entries) return {{}, {}, entries.error().message};
  // Both look a client up by the text of each network it is in.
  return sort_out(*entries, HostBits::match_nothing);
}

std::vector<Network> without(const std::vector<Network>& networks, const std::vector<Network>& others) {
  auto left = networks;
  for (const auto& other : others) {
    std::vector<Network> next;
    for (const auto& network : left) subtract(network, other, next);
    left = std::move(next);
  }
  return left;
}

}  // namespace sesame::cli::importer
