// What a test server says to one request: octets in, octets out. Written apart from lib/dns, so that each checks the
// other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/zone.h"

namespace sesame::test {

enum class Transport { udp, tcp };

// Echoes the OPT record, or is older than EDNS: FORMERR without one.
enum class EdnsManner { echo, refuse };

struct ReplyTtls {
  std::uint32_t positive = 300;
  std::uint32_t negative = 60;  // SOA minimum; the SOA's own TTL is `positive`
};

struct Question {
  std::uint16_t id = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;
  std::string wire;  // name, type and class as received
  std::string name;  // canonical
  std::uint16_t type = 0;
  std::optional<std::uint16_t> edns_size;  // at least 512

  std::string type_name() const;  // "TXT", or "TYPE257" for one that zones do not know
};

struct Reply {
  std::vector<std::uint8_t> packet;  // empty: no answer
  int delay_ms = 0;
};

using AskCounts = std::map<std::pair<std::string, std::uint16_t>, int>;

// Nothing when the octets are not one ordinary question.
std::optional<Question> parse_question(const std::vector<std::uint8_t>& request);

// What a server older than EDNS says to a question that has it.
Reply refuse_edns(Question question);

// `asked` counts the questions for each name and type, for faults that end.
Reply make_reply(const Question& question, const Zone& zone, Transport transport, const ReplyTtls& ttls,
                 AskCounts& asked);

}  // namespace sesame::test
