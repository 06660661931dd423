#include "milter/connects.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame::milter {
namespace {

using namespace std::string_literals;

std::string packet(char command, const std::string& data) {
  const auto length = data.size() + 1;
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
  return out + command + data;
}

const std::string kData = "mx.example.net\0004\0\031192.0.2.1\0"s;

TEST(Packets, AConnectIsFoundHoweverTheStreamIsCut) {
  const auto stream = packet('K', "") + packet('B', packet('C', "not one\0004\0\031192.0.2.2\0"s)) +
                      packet('C', kData) + packet('H', "mx.example.net\0"s);
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    Packets packets;
    for (std::size_t at = 0; at < stream.size(); at += size) packets.follow(std::string_view(stream).substr(at, size));
    EXPECT_EQ(packets.take_connect(), kData) << size;
    EXPECT_EQ(packets.take_connect(), std::nullopt) << size;
  }
}

TEST(Packets, TheLastConnectCounts) {
  Packets packets;
  packets.follow(packet('C', "one") + packet('C', "two"));
  EXPECT_EQ(packets.take_connect(), "two");
  packets.follow(packet('M', "<a@example.com>\0"s));
  EXPECT_EQ(packets.take_connect(), std::nullopt);
}

TEST(Packets, ALongConnectIsCut) {
  Packets packets;
  packets.follow(packet('C', std::string(100000, 'x')) + packet('C', kData).substr(0, 7));
  EXPECT_LE(packets.take_connect().value_or("").size(), 1024u);
}

TEST(Packets, OfAConnectTheNameAndTheAddress) {
  const auto v4 = parse_connect(kData);
  EXPECT_EQ(v4.name, "mx.example.net");
  EXPECT_EQ(v4.address, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(parse_connect("a\0006\0\031IPv6:2001:db8::1\0"s).address, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(parse_connect("a\0006\0\031::ffff:192.0.2.1\0"s).address, IpAddress::parse("192.0.2.1"));
  for (const auto& data : {"a\0L\0\0/run/mta\0"s, "a\0U"s, "a"s, ""s, "a\0004\0\031no address\0"s, "a\0004\0"s})
    EXPECT_EQ(parse_connect(data).address, std::nullopt) << data;
}

}  // namespace
}  // namespace sesame::milter
