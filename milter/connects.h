// Connections that libmilter does not tell of.
//
// An MTA may serve one client after the other on a channel: QUIT_NC, CONNECT. libmilter passes over both where it was
// told to accept, or where the client before was left in the middle of a message, and what is then said comes from a
// client the filter has not heard of, under the facts of the one before. So the stream is followed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/ip.h"

namespace sesame::milter {

struct Connect {
  std::string name;
  std::optional<IpAddress> address;
};
// The data of a CONNECT packet: the name, a family, and what goes with that.
Connect parse_connect(std::string_view data);

// The packets of one channel, as their octets come.
class Packets {
 public:
  void follow(std::string_view octets);
  // The data of the last CONNECT, once.
  std::optional<std::string> take_connect();

 private:
  void head(std::string_view& octets);
  void data(std::string_view& octets);

  static constexpr std::size_t kHead = 5;  // length and command
  std::array<unsigned char, kHead> head_{};
  std::size_t got_ = 0;     // octets of the head
  std::uint32_t left_ = 0;  // octets of the data to come
  std::string connecting_;  // the data of a CONNECT so far
  std::optional<std::string> connect_;
};

}  // namespace sesame::milter
