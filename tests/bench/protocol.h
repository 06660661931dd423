// The milter protocol, version 6, as packets: a length of 4 octets, a command, its data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame::bench {

// Octets of a body chunk (MILTER_CHUNK_SIZE).
inline constexpr std::size_t kBodyChunk = 65535;
inline constexpr std::uint32_t kAllActions = 0x1ff;
inline constexpr std::uint32_t kAllProtocol = 0x1fffff;
inline constexpr std::uint32_t kMaySkipBody = 0x400;
inline constexpr std::uint32_t kLeadingSpace = 0x100000;

// What a filter asked for. SMFIP_* as on the wire.
struct Negotiated {
  std::uint32_t actions = 0;
  std::uint32_t protocol = 0;

  // Is the step sent to this filter at all, and does the filter answer it? `command` is the step's SMFIC_*.
  bool wants(char command) const;
  bool answers(char command) const;
  bool has(std::uint32_t flag) const { return (protocol & flag) != 0; }
  std::vector<std::string> flag_names() const;
};

std::string number(std::uint32_t value);
std::uint32_t to_number(std::string_view four_octets);
void put_packet(std::string& out, char command, std::string_view data);
// Each text with its NUL.
std::string texts(const std::vector<std::string>& values);

// Takes values off the front of a packet's data; what is missing is read as 0 or "".
std::uint32_t take_number(std::string_view& data);
std::string take_text(std::string_view& data);

}  // namespace sesame::bench
