// Questions and answers as octets, RFC 1035 Section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dns/record.h"

namespace sesame::dns {

// RFC 6891 Section 6.2.5: what we take over UDP. 1232 octets cross every IPv6 path in one piece.
inline constexpr std::uint16_t kUdpSize = 1232;

// RFC 2308 Section 5: an absence without an SOA has no TTL of its own. It is kept only long enough to serve the other
// look-ups of the same message.
inline constexpr std::uint32_t kTtlWithoutSoa = 5;

enum class Edns { no, yes };
// RFC 4035 Section 3.2.2: with checking disabled, a validating server hands out what it cannot validate.
enum class Checking { enabled, disabled };

// Of a server that looks further itself, or of one that shall tell only what it knows (RFC 1035 Section 4.1.1).
enum class Recursion { desired, not_desired };

struct QueryForm {
  Edns edns = Edns::yes;
  Checking checking = Checking::enabled;
  Recursion recursion = Recursion::desired;
};

// The name must be canonical but for its case; its labels go out as raw octets.
std::vector<std::uint8_t> make_query(const std::string& name, Type type, std::uint16_t id, const QueryForm& form);

// The name with each letter in upper case whose bit is set; without a bit it stays as it is.
// draft-vixie-dnsext-dns0x20 Section 2.
std::string with_case(std::string name, std::span<const std::uint8_t> bits);

// True when the packet repeats the question of the query octet by octet, the case of the name included.
bool repeats_question(std::span<const std::uint8_t> packet, std::span<const std::uint8_t> query);

// RFC 6891 Section 7: how a server older than EDNS answers a question that has it.
bool refuses_edns(std::span<const std::uint8_t> packet);

// TC: over TCP there is more.
bool is_truncated(std::span<const std::uint8_t> packet);

// What a packet says about a question. CNAMEs are followed from the question's name as far as the packet knows them;
// an answer that ends on a CNAME is `nodata` with its TTL. A packet that cannot be parsed, or is not an answer to this
// question, is `malformed`; so is a truncated one, which holds only a part. `received` is left to the caller.
Answer parse_answer(std::span<const std::uint8_t> packet, const std::string& name, Type type);

// What else a packet says, for those who ask a server about itself.
struct Reply {
  Answer answer;               // as parse_answer() has it
  bool authoritative = false;  // AA
  bool truncated = false;      // TC; nothing below is read then
  // RFC 2308 Section 2.2: neither answer nor SOA, but name servers of a zone that holds the name. What refers to the
  // root has names and an empty zone.
  std::string referred_to;
  std::vector<std::string> referral;  // canonical
  std::optional<Soa> soa;             // of the answer section, else of the authority section
};

// Nothing but `malformed` is told of a packet that is not an answer to this question.
Reply parse_reply(std::span<const std::uint8_t> packet, const std::string& name, Type type);

}  // namespace sesame::dns
