// Any packet as the answer to a question. The first octet chooses the type; unless its highest bit is set, header and
// question are made to fit, so that what follows (six octets of counts, then records) is read as an answer.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "dns/name.h"
#include "dns/wire.h"

namespace {

using namespace sesame::dns;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::uint8_t> packet_of(const std::string& name, Type type, bool raw, std::span<const std::uint8_t> rest) {
  std::vector<std::uint8_t> packet;
  if (!raw && rest.size() >= 6) {
    packet = make_query(name, type, 1, {.edns = Edns::no});
    packet[2] |= 0x80;  // QR
    for (std::size_t i = 0; i < 6; ++i) packet[6 + i] = rest[i];
    rest = rest.subspan(6);
  }
  packet.insert(packet.end(), rest.begin(), rest.end());
  return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Type kTypes[] = {Type::a, Type::ns, Type::cname, Type::soa, Type::ptr, Type::mx, Type::txt, Type::aaaa};
  const std::string name = "a.example";
  const auto type = kTypes[data[0] % std::size(kTypes)];
  const auto packet = packet_of(name, type, data[0] >= 0x80, {data + 1, size - 1});
  const auto answer = parse_answer(packet, name, type);
  require(answer.name == name && answer.type == type);
  const auto records = answer.texts.size() + answer.addresses.size() + answer.exchanges.size() + answer.names.size();
  require((records > 0) == (answer.status == Status::ok));
  // Whatever stands there as a name is one.
  auto names = answer.names;
  names.insert(names.end(), answer.cnames.begin(), answer.cnames.end());
  for (const auto& mx : answer.exchanges) names.push_back(mx.host);
  const auto reply = parse_reply(packet, name, type);
  require(reply.answer.status == answer.status && reply.answer.names == answer.names);
  require(reply.referral.empty() || (answer.status == Status::nodata && !reply.soa));
  require(reply.referred_to.empty() || (!reply.referral.empty() && is_at_or_below(name, reply.referred_to)));
  names.insert(names.end(), reply.referral.begin(), reply.referral.end());
  if (reply.soa) names.insert(names.end(), {reply.soa->zone, reply.soa->primary});
  for (const auto& each : names) require(canonical(each) == each);
  return 0;
}
