#include "packet.h"

#include "util/text.h"

namespace sesame::test {

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string u32(std::uint32_t value) {
  return u16(value >> 16) + u16(value & 0xffff);
}

std::string wire_name(const std::string& name) {
  std::string out;
  if (!name.empty())
    for (const auto label : split(name, '.')) out += static_cast<char>(label.size()) + std::string(label);
  return out + '\0';
}

Packet::Packet(const std::string& name, dns::Type type)
    : question_(wire_name(name) + u16(static_cast<unsigned>(type)) + u16(1)) {}

Packet& Packet::flags(unsigned value) {
  flags_ = value;
  return *this;
}

Packet& Packet::question(const std::string& octets) {
  question_ = octets;
  return *this;
}

Packet& Packet::counts(unsigned questions, unsigned answers, unsigned authority, unsigned additional) {
  counts_[0] = questions;
  counts_[1] = answers;
  counts_[2] = authority;
  counts_[3] = additional;
  counts_set_ = true;
  return *this;
}

std::string Packet::record(const std::string& owner, unsigned type, std::uint32_t ttl, const std::string& data) const {
  return wire_name(owner) + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(data.size())) + data;
}

Packet& Packet::answer(const std::string& owner, dns::Type type, std::uint32_t ttl, const std::string& data) {
  answers_ += record(owner, static_cast<unsigned>(type), ttl, data);
  if (!counts_set_) ++counts_[1];
  return *this;
}

Packet& Packet::cname(const std::string& owner, std::uint32_t ttl, const std::string& target) {
  return answer(owner, dns::Type::cname, ttl, wire_name(target));
}

Packet& Packet::authority(const std::string& owner, dns::Type type, std::uint32_t ttl, const std::string& data) {
  authority_ += record(owner, static_cast<unsigned>(type), ttl, data);
  if (!counts_set_) ++counts_[2];
  return *this;
}

Packet& Packet::soa(std::uint32_t ttl, std::uint32_t minimum) {
  return authority(
      "example.com", dns::Type::soa, ttl,
      wire_name("ns.example.com") + wire_name("h.example.com") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
}

Packet& Packet::opt(std::uint32_t ttl_field) {
  additional_ += std::string(1, '\0') + u16(41) + u16(1232) + u32(ttl_field) + u16(0);
  if (!counts_set_) ++counts_[3];
  return *this;
}

Packet& Packet::tail(const std::string& octets) {
  tail_ += octets;
  return *this;
}

std::vector<std::uint8_t> Packet::octets() const {
  std::string out = u16(0x1234) + u16(flags_);
  for (const auto count : counts_) out += u16(count);
  out += question_ + answers_ + authority_ + additional_ + tail_;
  return {out.begin(), out.end()};
}

}  // namespace sesame::test
