#include "dns/server.h"

#include <fmt/format.h>

#include <algorithm>

#include "util/text.h"

namespace sesame::dns {

Result<Server> parse_server(std::string_view text) {
  const auto wrong = [&] {
    return failure(
        fmt::format("DNS server \"{}\": expected an IP address with or without a port, such as 192.0.2.1, "
                    "192.0.2.1:5353 or [2001:db8::1]:53",
                    printable(text)));
  };
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  const auto address = IpAddress::parse(host);
  if (!address || (text.starts_with('[') && address->is_v4())) return wrong();
  if (port.empty()) return Server{*address};
  const auto number = parse_number(port.substr(1));
  if (port.front() != ':' || !number || *number == 0 || *number > 65535) return wrong();
  return Server{*address, static_cast<std::uint16_t>(*number)};
}

Result<std::vector<Server>> parse_servers(const std::vector<std::string>& texts) {
  std::vector<Server> servers;
  for (const auto& text : texts) {
    const auto server = parse_server(text);
    if (!server) return tl::unexpected(server.error());
    servers.push_back(*server);
  }
  return servers;
}

}  // namespace sesame::dns
