// Questions and answers as octets, RFC 1035 Section 4.
#pragma once

#include <cstdint>
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

// A recursive question. The name must be canonical; its labels go out as raw octets.
std::vector<std::uint8_t> make_query(const std::string& name, Type type, std::uint16_t id, Edns edns,
                                     Checking checking = Checking::enabled);

// RFC 6891 Section 7: how a server older than EDNS answers a question that has it.
bool refuses_edns(std::span<const std::uint8_t> packet);

// What a packet says about a question. CNAMEs are followed from the question's name as far as the packet knows them;
// an answer that ends on a CNAME is `nodata` with its TTL. A packet that cannot be parsed, or is not an answer to this
// question, is `malformed`. `received` is left to the caller.
Answer parse_answer(std::span<const std::uint8_t> packet, const std::string& name, Type type);

}  // namespace sesame::dns
