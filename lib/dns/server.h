// The address of a DNS server as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "util/ip.h"
#include "util/result.h"

namespace sesame::dns {

inline constexpr std::uint16_t kDnsPort = 53;

struct Server {
  IpAddress address;
  std::uint16_t port = kDnsPort;
};

// "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:53". An error quotes the text.
Result<Server> parse_server(std::string_view text);
Result<std::vector<Server>> parse_servers(const std::vector<std::string>& texts);

}  // namespace sesame::dns
