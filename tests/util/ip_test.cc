#include "util/ip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace sesame {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(IpAddress, ReadsAndWrites) {
  for (const auto* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "::ffff:192.0.2.1"})
    EXPECT_EQ(ip(text).to_string(), text);
  EXPECT_EQ(ip("2001:DB8:0:0:0:0:0:1").to_string(), "2001:db8::1");
}

TEST(IpAddress, RefusesWhatIsNotOne) {
  using namespace std::string_literals;
  for (const auto& text : {""s, "192.0.2"s, "192.0.2.256"s, "192.0.2.01"s, "192.0.2.1 "s, " 192.0.2.1"s, "192.0.2.1\0"s,
                           "192.0.2.1/32"s, "[::1]"s, "fe80::1%lo"s, "1::2::3"s, ":::"s, "::1\0.example"s,
                           "0x7f.0.0.1"s, "2130706433"s, std::string(64, '1')})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, UnmappedOnlyUnwrapsMapped) {
  EXPECT_EQ(ip("::ffff:192.0.2.1").unmapped(), ip("192.0.2.1"));
  for (const auto* text : {"192.0.2.1", "2001:db8::1", "::192.0.2.1", "::fffe:192.0.2.1"})
    EXPECT_EQ(ip(text).unmapped(), ip(text)) << text;
}

TEST(IpAddress, NextCarriesAndEnds) {
  EXPECT_EQ(ip("192.0.2.255").next(), ip("192.0.3.0"));
  EXPECT_EQ(ip("2001:db8::ffff").next(), ip("2001:db8::1:0"));
  EXPECT_EQ(ip("255.255.255.255").next(), std::nullopt);
  EXPECT_EQ(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").next(), std::nullopt);
}

TEST(IpAddress, FamiliesDoNotMix) {
  EXPECT_LT(ip("255.255.255.255"), ip("::"));
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_LT(ip("9.0.0.0"), ip("10.0.0.0"));
}

TEST(Network, RefusesBitsBelowThePrefixAndBadLengths) {
  for (const auto* text : {"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/ 24", "/24",
                           "2001:db8::/129", "2001:db8::1/64", "192.0.2.0/24/24", "192.0.2.0/99999999999999999999"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Network, ContainsExactlyItsBlock) {
  struct Case {
    const char* network;
    const char* first;
    const char* last;
    const char* outside;
  };
  for (const auto& [text, first, last, outside] :
       {Case{"192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        Case{"192.0.2.4/30", "192.0.2.4", "192.0.2.7", "192.0.2.8"},
        Case{"192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6"}, Case{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::"},
        Case{"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db8:8000::"}}) {
    const auto network = Network::parse(text);
    ASSERT_TRUE(network) << text;
    EXPECT_EQ(network->first(), ip(first));
    EXPECT_EQ(network->last(), ip(last));
    EXPECT_TRUE(network->contains(ip(first)));
    EXPECT_TRUE(network->contains(ip(last)));
    EXPECT_FALSE(network->contains(ip(outside)));
  }
}

TEST(Network, ContainsWhatSharesItsPrefix) {
  for (const char* text : {"192.0.2.129", "2001:db8:a5a5:1:2:3:4:5"}) {
    const auto address = ip(text);
    for (unsigned prefix = 0; prefix <= address.bits(); ++prefix) {
      const auto network = Network::of(address, prefix);
      for (unsigned bit = 0; bit < address.bits(); ++bit) {
        std::array<std::uint8_t, 16> octets{};
        std::ranges::copy(address.octets(), octets.begin());
        octets[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        const auto other =
            address.is_v4() ? IpAddress::v4(std::span<const std::uint8_t, 4>(octets.data(), 4)) : IpAddress::v6(octets);
        EXPECT_EQ(network.contains(other), bit >= prefix) << network.to_string() << " " << other.to_string();
      }
    }
  }
}

TEST(Network, OfCutsTheLengthToTheFamily) {
  EXPECT_EQ(Network::of(ip("192.0.2.77"), 24).to_string(), "192.0.2.0/24");
  EXPECT_EQ(Network::of(ip("192.0.2.77"), 128).to_string(), "192.0.2.77/32");
}

TEST(ReverseName, OfBothFamilies) {
  EXPECT_EQ(reverse_name(ip("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(ip("2001:db8::1")),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

}  // namespace
}  // namespace sesame
