#include "bench/protocol.h"

#include <algorithm>
#include <array>

namespace sesame::bench {
namespace {

struct StepFlags {
  char command;
  std::uint32_t left_out;
  std::uint32_t not_answered;
};
// SMFIP_NOCONNECT and SMFIP_NR_CONN, and so on.
constexpr std::array<StepFlags, 8> kSteps = {{{'C', 0x1, 0x1000},
                                              {'H', 0x2, 0x2000},
                                              {'M', 0x4, 0x4000},
                                              {'R', 0x8, 0x8000},
                                              {'T', 0x200, 0x10000},
                                              {'L', 0x20, 0x80},
                                              {'N', 0x40, 0x40000},
                                              {'B', 0x10, 0x80000}}};

constexpr std::array kFlagNames = {"noconnect", "nohelo",  "nomail",     "norcpt",  "nobody",  "nohdrs",
                                   "noeoh",     "nr_hdr",  "nounknown",  "nodata",  "skip",    "rcpt_rej",
                                   "nr_conn",   "nr_helo", "nr_mail",    "nr_rcpt", "nr_data", "nr_unkn",
                                   "nr_eoh",    "nr_body", "hdr_leadspc"};

const StepFlags* flags_of(char command) {
  const auto* found = std::ranges::find(kSteps, command, &StepFlags::command);
  return found == kSteps.end() ? nullptr : found;
}

}  // namespace

bool Negotiated::wants(char command) const {
  const auto* step = flags_of(command);
  return !step || !has(step->left_out);
}

bool Negotiated::answers(char command) const {
  const auto* step = flags_of(command);
  return !step || !has(step->not_answered);
}

std::vector<std::string> Negotiated::flag_names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kFlagNames.size(); ++i)
    if (has(1u << i)) names.emplace_back(kFlagNames[i]);
  return names;
}

std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 0xff), static_cast<char>(value >> 8 & 0xff),
          static_cast<char>(value & 0xff)};
}

std::uint32_t to_number(std::string_view four_octets) {
  std::uint32_t value = 0;
  for (const char octet : four_octets.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(octet);
  return value;
}

void put_packet(std::string& out, char command, std::string_view data) {
  out += number(static_cast<std::uint32_t>(data.size() + 1));
  out += command;
  out += data;
}

std::string texts(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) {
    out += value;
    out += '\0';
  }
  return out;
}

std::uint32_t take_number(std::string_view& data) {
  const auto value = data.size() < 4 ? 0 : to_number(data);
  data.remove_prefix(std::min<std::size_t>(4, data.size()));
  return value;
}

std::string take_text(std::string_view& data) {
  const auto end = std::min(data.find('\0'), data.size());
  std::string value(data.substr(0, end));
  data.remove_prefix(std::min(end + 1, data.size()));
  return value;
}

}  // namespace sesame::bench
