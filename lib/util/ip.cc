#include "util/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "util/text.h"

namespace sesame {

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> octets) {
  IpAddress address;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> octets) {
  IpAddress address;
  address.family_ = Family::v6;
  std::ranges::copy(octets, address.octets_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  std::array<std::uint8_t, 16> octets{};
  if (inet_pton(AF_INET, buffer, octets.data()) == 1) return v4(std::span<const std::uint8_t, 4>(octets.data(), 4));
  if (inet_pton(AF_INET6, buffer, octets.data()) == 1) return v6(octets);
  return std::nullopt;
}

IpAddress IpAddress::unmapped() const {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (is_v4() || !std::equal(kMapped.begin(), kMapped.end(), octets_.begin())) return *this;
  return v4(std::span<const std::uint8_t, 4>(octets_.data() + 12, 4));
}

std::optional<IpAddress> IpAddress::next() const {
  IpAddress result = *this;
  for (auto i = bits() / 8; i-- > 0;)
    if (++result.octets_[i] != 0) return result;
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets_.data(), buffer, sizeof buffer);
  return buffer;
}

namespace {

// The mask of octet `index` for a prefix length.
std::uint8_t mask_octet(unsigned prefix, unsigned index) {
  const unsigned before = index * 8;
  if (prefix >= before + 8) return 0xff;
  if (prefix <= before) return 0;
  return static_cast<std::uint8_t>(0xff << (8 - (prefix - before)));
}

}  // namespace

Network Network::of(const IpAddress& address, unsigned prefix) {
  Network network{address, std::min(prefix, address.bits())};
  for (unsigned i = 0; i < address.bits() / 8; ++i) network.base.octets_[i] &= mask_octet(network.prefix, i);
  return network;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return of(*address, address->bits());
  const auto prefix = parse_number(text.substr(slash + 1));
  if (!prefix || *prefix > address->bits()) return std::nullopt;
  const auto network = of(*address, static_cast<unsigned>(*prefix));
  if (network.base != *address) return std::nullopt;
  return network;
}

bool Network::contains(const IpAddress& address) const {
  if (address.family() != base.family()) return false;
  const auto whole = prefix / 8;
  const auto begin = base.octets_.begin();
  if (!std::equal(begin, begin + whole, address.octets_.begin())) return false;
  // Of the octet in which the prefix ends, if it does not end between two.
  return prefix % 8 == 0 || ((base.octets_[whole] ^ address.octets_[whole]) & mask_octet(prefix, whole)) == 0;
}

IpAddress Network::last() const {
  IpAddress result = base;
  for (unsigned i = 0; i < base.bits() / 8; ++i) result.octets_[i] |= static_cast<std::uint8_t>(~mask_octet(prefix, i));
  return result;
}

std::string Network::to_string() const {
  return base.to_string() + "/" + std::to_string(prefix);
}

std::string reverse_name(const IpAddress& address) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string name;
  const auto octets = address.octets();
  for (auto i = octets.size(); i-- > 0;) {
    if (address.is_v4()) {
      name += std::to_string(octets[i]) + '.';
    } else {
      name += {kHex[octets[i] & 15], '.', kHex[octets[i] >> 4], '.'};
    }
  }
  return name + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace sesame
