// Builds answer packets octet by octet, wrong ones too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns/record.h"

namespace sesame::test {

// Labels of a name in wire form, without compression: "a.example" -> "\1a\7example\0".
std::string wire_name(const std::string& name);
std::string u16(unsigned value);
std::string u32(std::uint32_t value);

class Packet {
 public:
  // An answer (QR, RD, RA) to this question.
  Packet(const std::string& name, dns::Type type);

  Packet& flags(unsigned value);
  Packet& question(const std::string& octets);  // in place of the right one
  Packet& counts(unsigned questions, unsigned answers, unsigned authority, unsigned additional);
  Packet& answer(const std::string& owner, dns::Type type, std::uint32_t ttl, const std::string& data);
  Packet& cname(const std::string& owner, std::uint32_t ttl, const std::string& target);
  Packet& soa(std::uint32_t ttl, std::uint32_t minimum);
  Packet& authority(const std::string& owner, dns::Type type, std::uint32_t ttl, const std::string& data);
  Packet& opt(std::uint32_t ttl_field);
  Packet& tail(const std::string& octets);

  std::vector<std::uint8_t> octets() const;

 private:
  std::string record(const std::string& owner, unsigned type, std::uint32_t ttl, const std::string& data) const;

  unsigned flags_ = 0x8180;
  std::string question_, answers_, authority_, additional_, tail_;
  unsigned counts_[4] = {1, 0, 0, 0};
  bool counts_set_ = false;
};

}  // namespace sesame::test
