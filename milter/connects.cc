#include "milter/connects.h"

#include <algorithm>
#include <utility>

#include "util/text.h"

namespace sesame::milter {
namespace {

constexpr unsigned char kConnect = 'C';
// A host name, a port and an address take far less; nothing after it is looked at.
constexpr std::size_t kMaxConnect = 1024;

std::string_view up_to_nul(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

}  // namespace

Connect parse_connect(std::string_view data) {
  const auto name = up_to_nul(data);
  Connect connect{std::string(name), std::nullopt};
  // NUL, the family, two octets of port.
  constexpr std::size_t kBetween = 4;
  if (data.size() < name.size() + kBetween) return connect;
  const char family = data[name.size() + 1];
  auto text = up_to_nul(data.substr(name.size() + kBetween));
  constexpr std::string_view kIpv6 = "IPv6:";
  if (istarts_with(text, kIpv6)) text.remove_prefix(kIpv6.size());
  if (family != '4' && family != '6') return connect;
  if (const auto address = IpAddress::parse(text)) connect.address = address->unmapped();
  return connect;
}

void Packets::follow(std::string_view octets) {
  while (!octets.empty()) {
    if (got_ < kHead)
      head(octets);
    else
      data(octets);
  }
}

void Packets::head(std::string_view& octets) {
  while (got_ < kHead && !octets.empty()) {
    head_[got_++] = static_cast<unsigned char>(octets.front());
    octets.remove_prefix(1);
  }
  if (got_ < kHead) return;
  const auto length = std::uint32_t{head_[0]} << 24 | std::uint32_t{head_[1]} << 16 | std::uint32_t{head_[2]} << 8 |
                      std::uint32_t{head_[3]};
  // The command is counted.
  left_ = length > 0 ? length - 1 : 0;
  connecting_.clear();
  if (left_ == 0) got_ = 0;
}

void Packets::data(std::string_view& octets) {
  const auto size = std::min<std::size_t>(left_, octets.size());
  const bool connect = head_.back() == kConnect;
  if (connect && connecting_.size() < kMaxConnect)
    connecting_ += octets.substr(0, std::min(size, kMaxConnect - connecting_.size()));
  octets.remove_prefix(size);
  left_ -= static_cast<std::uint32_t>(size);
  if (left_ > 0) return;
  got_ = 0;
  if (connect) connect_ = std::move(connecting_);
  connecting_.clear();
}

std::optional<std::string> Packets::take_connect() {
  return std::exchange(connect_, std::nullopt);
}

}  // namespace sesame::milter
