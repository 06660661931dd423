// IP addresses and networks, as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sesame {

class IpAddress {
 public:
  enum class Family : std::uint8_t { v4, v6 };

  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::span<const std::uint8_t, 4> octets);
  static IpAddress v6(std::span<const std::uint8_t, 16> octets);
  // Dotted quad without leading zeros, or RFC 4291 text; no brackets, no zone, no prefix.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::v4; }
  // 32 or 128.
  unsigned bits() const { return is_v4() ? 32 : 128; }
  // 4 or 16 octets in network order.
  std::span<const std::uint8_t> octets() const { return {octets_.data(), bits() / 8}; }
  // ::ffff:a.b.c.d as a.b.c.d; anything else unchanged.
  IpAddress unmapped() const;
  // The address that follows, or nothing after the last of the family.
  std::optional<IpAddress> next() const;
  std::string to_string() const;

  // All IPv4 addresses sort before all IPv6 addresses.
  auto operator<=>(const IpAddress&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 sees a literal 0

 private:
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> octets_{};
  friend struct Network;
};

// An address block. `base` has no bits set below the prefix.
struct Network {
  IpAddress base;
  unsigned prefix = 0;  // 0-32 or 0-128

  // The block of that prefix length that holds the address; lengths over the family's bits are cut to them.
  static Network of(const IpAddress& address, unsigned prefix);
  // "192.0.2.0/24", or a bare address (a block of one). Nothing when the text is not that or has bits below the prefix.
  static std::optional<Network> parse(std::string_view text);

  bool contains(const IpAddress& address) const;
  const IpAddress& first() const { return base; }
  IpAddress last() const;
  std::string to_string() const;
  auto operator<=>(const Network&) const = default;
};

// The name to ask for PTR: "1.2.0.192.in-addr.arpa", or the nibble form under ip6.arpa.
std::string reverse_name(const IpAddress& address);

}  // namespace sesame
