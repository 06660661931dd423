#include "dns/wire.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "dns/name.h"
#include "util/text.h"

namespace sesame::dns {
namespace {

// More links than any resolver follows; the caller's own limit is lower. Bounds the work a packet can cause.
constexpr std::size_t kMaxLinks = 64;
// More name servers than a zone has.
constexpr std::size_t kMaxReferral = 64;
// RFC 1035 Section 4.1.1.
constexpr std::size_t kHeaderSize = 12;

void put16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint32_t get32(std::span<const std::uint8_t> octets) {
  std::uint32_t value = 0;
  for (const auto octet : octets.first(4)) value = value << 8 | octet;
  return value;
}

// libresolv writes odd octets as "\DDD" and special ones as "\c". A label that itself holds a dot has no place in names
// as text: nothing.
std::optional<std::string> unescape(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      name += text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 3);
    if (digits.empty() || digits[0] == '.') return std::nullopt;
    if (!is_digit(digits[0])) {
      name += digits[0];
      ++i;
      continue;
    }
    const auto octet = parse_number(digits);
    if (digits.size() != 3 || !octet || *octet > 255) return std::nullopt;
    name += static_cast<char>(*octet);
    i += 3;
  }
  return canonical(name);
}

// One record as the packet has it; `data` points into the packet.
struct Record {
  std::optional<std::string> owner;
  int type = 0;
  std::uint32_t ttl = 0;
  std::span<const std::uint8_t> data;
};

// Bounds-checked view of one packet.
class Packet {
 public:
  static std::optional<Packet> open(std::span<const std::uint8_t> octets) {
    Packet packet;
    if (octets.size() > std::numeric_limits<std::uint16_t>::max() ||
        ns_initparse(octets.data(), static_cast<int>(octets.size()), &packet.message_) != 0)
      return std::nullopt;
    return packet;
  }

  int flag(ns_flag which) const { return ns_msg_getflag(message_, which); }
  int count(ns_sect section) const { return ns_msg_count(message_, section); }

  std::optional<Record> record(ns_sect section, int index) {
    ns_rr raw;
    if (ns_parserr(&message_, section, index, &raw) != 0) return std::nullopt;
    Record result;
    result.owner = unescape(ns_rr_name(raw));
    result.type = ns_rr_class(raw) == ns_c_in || ns_rr_type(raw) == ns_t_opt ? ns_rr_type(raw) : 0;
    // RFC 2181 Section 8: a TTL with the most significant bit set is zero. (An OPT record keeps flags there.)
    const std::uint32_t ttl = ns_rr_ttl(raw);
    result.ttl = ttl > std::numeric_limits<std::int32_t>::max() && result.type != ns_t_opt ? 0 : ttl;
    if (section != ns_s_qd) result.data = {ns_rr_rdata(raw), static_cast<std::size_t>(ns_rr_rdlen(raw))};
    return result;
  }

  struct Name {
    std::optional<std::string> text;  // none where it has no form as text
    std::size_t length;               // octets it takes in the record
  };
  // The name at the beginning of a part of record data, compressed or not. It must end within the data.
  std::optional<Name> any_name(std::span<const std::uint8_t> data) const {
    char text[NS_MAXDNAME];
    const int length = ns_name_uncompress(ns_msg_base(message_), ns_msg_end(message_), data.data(), text, sizeof text);
    if (length < 0 || static_cast<std::size_t>(length) > data.size()) return std::nullopt;
    return Name{unescape(text), static_cast<std::size_t>(length)};
  }

  struct PlainName {
    std::string text;
    std::size_t length;
  };
  // One that has a form as text.
  std::optional<PlainName> name(std::span<const std::uint8_t> data) const {
    auto found = any_name(data);
    if (!found || !found->text) return std::nullopt;
    return PlainName{std::move(*found->text), found->length};
  }

 private:
  ns_msg message_;
};

// RFC 1035 Section 3.3.14: one or more strings, each behind its length; joined as RFC 7208 Section 3.3 wants.
bool add_text(Answer& answer, std::span<const std::uint8_t> data) {
  std::string text;
  while (!data.empty()) {
    const std::size_t length = data[0];
    if (length >= data.size()) return false;
    const auto part = data.subspan(1, length);
    text.append(part.begin(), part.end());
    data = data.subspan(1 + length);
  }
  answer.texts.push_back(std::move(text));
  return true;
}

// The record data of the answer's type. False when it cannot be that.
bool add_data(Answer& answer, const Packet& packet, std::span<const std::uint8_t> data) {
  switch (answer.type) {
    case Type::txt:
      return add_text(answer, data);
    case Type::a:
      if (data.size() != 4) return false;
      answer.addresses.push_back(IpAddress::v4(data.first<4>()));
      return true;
    case Type::aaaa:
      if (data.size() != 16) return false;
      answer.addresses.push_back(IpAddress::v6(data.first<16>()));
      return true;
    case Type::mx: {
      if (data.size() < 3) return false;
      const auto host = packet.name(data.subspan(2));
      if (!host || host->length + 2 != data.size()) return false;
      answer.exchanges.push_back({static_cast<std::uint16_t>(data[0] << 8 | data[1]), host->text});
      return true;
    }
    case Type::ns:
    case Type::cname:
    case Type::ptr: {
      const auto name = packet.name(data);
      if (!name || name->length != data.size()) return false;
      answer.names.push_back(name->text);
      return true;
    }
    case Type::soa: {
      const auto name = packet.name(data);
      if (!name) return false;
      answer.names.push_back(name->text);
      return true;
    }
  }
  return false;
}

// RFC 2308 Section 5: the lesser of the SOA's TTL and its last field. Nothing when the packet has no SOA.
std::optional<std::uint32_t> negative_ttl(Packet& packet) {
  for (int i = 0; i < packet.count(ns_s_ns); ++i) {
    const auto record = packet.record(ns_s_ns, i);
    if (!record) return std::nullopt;
    if (record->type != ns_t_soa || record->data.size() < 22) continue;
    return std::min(record->ttl, get32(record->data.last(4)));
  }
  return std::nullopt;
}

// RFC 6891 Section 6.1.3: the upper bits of the response code are in the OPT record.
int extended_rcode(Packet& packet) {
  int rcode = packet.flag(ns_f_rcode);
  for (int i = 0; i < packet.count(ns_s_ar); ++i) {
    const auto record = packet.record(ns_s_ar, i);
    if (!record) break;
    if (record->type == ns_t_opt) rcode |= static_cast<int>(record->ttl >> 24) << 4;
  }
  return rcode;
}

Status status_of(int rcode) {
  switch (rcode) {
    case ns_r_noerror:
      return Status::ok;
    case ns_r_nxdomain:
      return Status::nxdomain;
    case ns_r_formerr:
      return Status::formerr;
    case ns_r_notimpl:
      return Status::notimp;
    case ns_r_refused:
      return Status::refused;
    default:
      return Status::servfail;
  }
}

// Servers that refuse may leave the question out; those that answer may not.
bool answers_question(Packet& packet, const Answer& asked, Status status) {
  if (packet.flag(ns_f_qr) != 1 || packet.flag(ns_f_opcode) != ns_o_query) return false;
  if (packet.count(ns_s_qd) == 0) return status != Status::ok && status != Status::nxdomain;
  if (packet.count(ns_s_qd) != 1) return false;
  const auto question = packet.record(ns_s_qd, 0);
  return question && question->owner == asked.name && question->type == static_cast<int>(asked.type);
}

// Walks the answer section from the name asked to its records. False when a record that counts cannot be parsed.
class Follow {
 public:
  Follow(Packet& packet, Answer& answer) : packet_(packet), answer_(answer) {}

  bool run() {
    for (int i = 0; i < packet_.count(ns_s_an); ++i) {
      auto record = packet_.record(ns_s_an, i);
      if (!record) return false;
      if (record->owner && (record->type == ns_t_cname || record->type == static_cast<int>(answer_.type)))
        records_.push_back(std::move(*record));
    }
    std::string at = answer_.name;
    if (answer_.type == Type::cname) return take(at);
    while (const auto* alias = cname_of(at)) {
      const auto target = packet_.name(alias->data);
      if (!target || target->length != alias->data.size()) return false;
      answer_.ttl = std::min(answer_.ttl, alias->ttl);
      at = target->text;
      if (at == answer_.name || std::ranges::find(answer_.cnames, at) != answer_.cnames.end() ||
          answer_.cnames.size() == kMaxLinks) {
        answer_.status = Status::cname_limit;
        return true;
      }
      answer_.cnames.push_back(at);
    }
    return take(at);
  }

 private:
  const Record* cname_of(const std::string& owner) const {
    const auto found = std::ranges::find_if(
        records_, [&](const Record& record) { return record.type == ns_t_cname && record.owner == owner; });
    return found == records_.end() ? nullptr : &*found;
  }

  bool take(const std::string& owner) {
    any_ = false;
    for (const auto& record : records_) {
      if (record.type != static_cast<int>(answer_.type) || record.owner != owner) continue;
      if (!add_data(answer_, packet_, record.data)) return false;
      answer_.ttl = std::min(answer_.ttl, record.ttl);
      any_ = true;
    }
    // RFC 6604 Section 2.1: the code of the packet is that of the last name of the chain, so records beside an
    // NXDOMAIN contradict it.
    if (any_ && answer_.status == Status::nxdomain) return false;
    if (!any_ && answer_.status == Status::ok) answer_.status = Status::nodata;
    return true;
  }

  Packet& packet_;
  Answer& answer_;
  std::vector<Record> records_;
  bool any_ = false;
};

// RFC 1035 Section 3.3.13.
std::optional<Soa> first_soa(Packet& packet, ns_sect section) {
  for (int i = 0; i < packet.count(section); ++i) {
    const auto record = packet.record(section, i);
    if (!record) return std::nullopt;
    if (record->type != ns_t_soa || !record->owner) continue;
    const auto primary = packet.name(record->data);
    if (!primary) continue;
    const auto mailbox = packet.any_name(record->data.subspan(primary->length));
    if (!mailbox) continue;
    const auto numbers = record->data.subspan(primary->length + mailbox->length);
    if (numbers.size() != 20) continue;
    return Soa{*record->owner, primary->text, get32(numbers), get32(numbers.subspan(4))};
  }
  return std::nullopt;
}

// The name servers of the first zone in the authority section that holds the name.
void read_referral(Packet& packet, Reply& reply) {
  bool found = false;
  for (int i = 0; i < packet.count(ns_s_ns) && reply.referral.size() < kMaxReferral; ++i) {
    const auto record = packet.record(ns_s_ns, i);
    if (!record) return;
    if (record->type != ns_t_ns || !record->owner || !is_at_or_below(reply.answer.name, *record->owner)) continue;
    if (found && *record->owner != reply.referred_to) continue;
    const auto server = packet.name(record->data);
    if (!server || server->length != record->data.size()) continue;
    found = true;
    reply.referred_to = *record->owner;
    reply.referral.push_back(server->text);
  }
}

Answer read_answer(Packet& packet, const std::string& name, Type type) {
  auto answer = bare_answer(name, type, status_of(extended_rcode(packet)));
  // A truncated packet holds some of the records; a part of an SPF record or of a key is not what was published.
  if (!answers_question(packet, answer, answer.status) || packet.flag(ns_f_tc) != 0)
    return bare_answer(name, type, Status::malformed);
  if (answer.status != Status::ok && answer.status != Status::nxdomain) return answer;
  answer.ttl = std::numeric_limits<std::int32_t>::max();
  answer.authenticated = packet.flag(ns_f_ad) != 0;
  if (!Follow(packet, answer).run()) return bare_answer(name, type, Status::malformed);
  if (is_absent(answer.status)) {
    const auto ttl = negative_ttl(packet);
    // A chain that goes on elsewhere has no SOA here, and keeps the TTL of its CNAMEs.
    const bool unfinished = answer.status == Status::nodata && !answer.cnames.empty();
    answer.ttl = std::min(answer.ttl, ttl ? *ttl : unfinished ? answer.ttl : kTtlWithoutSoa);
  }
  if (answer.status == Status::cname_limit) answer.ttl = 0;
  return answer;
}

}  // namespace

std::vector<std::uint8_t> make_query(const std::string& name, Type type, std::uint16_t id, const QueryForm& form) {
  std::vector<std::uint8_t> out;
  out.reserve(kHeaderSize + name.size() + 2 + 4 + 11);
  put16(out, id);
  // RFC 6840 Section 5.7: AD in a question asks to be told by AD whether the answer was validated.
  int flags = form.recursion == Recursion::desired ? 0x0120 : 0;
  if (form.checking == Checking::disabled) flags |= 0x0010;
  for (const int field : {flags, 1, 0, 0, form.edns == Edns::yes ? 1 : 0})
    put16(out, static_cast<std::uint16_t>(field));
  if (!name.empty()) {
    for (const auto label : split(name, '.')) {
      out.push_back(static_cast<std::uint8_t>(label.size()));
      out.insert(out.end(), label.begin(), label.end());
    }
  }
  out.push_back(0);
  put16(out, static_cast<std::uint16_t>(type));
  put16(out, ns_c_in);
  if (form.edns == Edns::no) return out;
  // RFC 6891 Section 6.1.2. It stays the last thing in the packet: where a server refuses it, c-ares cuts it off there.
  out.push_back(0);
  for (const int field : {int{ns_t_opt}, int{kUdpSize}, 0, 0, 0}) put16(out, static_cast<std::uint16_t>(field));
  return out;
}

bool refuses_edns(std::span<const std::uint8_t> octets) {
  const auto packet = Packet::open(octets);
  return packet && packet->flag(ns_f_rcode) == ns_r_formerr && packet->count(ns_s_ar) == 0;
}

std::string with_case(std::string name, std::span<const std::uint8_t> bits) {
  std::size_t letter = 0;
  for (auto& octet : name) {
    if (octet < 'a' || octet > 'z') continue;
    if (letter / 8 == bits.size()) break;
    if ((bits[letter / 8] >> (letter % 8) & 1) != 0) octet = static_cast<char>(octet - 'a' + 'A');
    ++letter;
  }
  return name;
}

bool repeats_question(std::span<const std::uint8_t> packet, std::span<const std::uint8_t> query) {
  std::size_t end = kHeaderSize;
  while (end < query.size() && query[end] != 0) end += 1u + query[end];
  end += 1 + 4;  // the root, type and class
  if (end > query.size() || end > packet.size() || packet[4] != 0 || packet[5] != 1) return false;
  return std::ranges::equal(packet.first(end).subspan(kHeaderSize), query.first(end).subspan(kHeaderSize));
}

bool is_truncated(std::span<const std::uint8_t> packet) {
  return packet.size() >= kHeaderSize && (packet[2] & 0x02) != 0;
}

Answer parse_answer(std::span<const std::uint8_t> octets, const std::string& name, Type type) {
  auto packet = Packet::open(octets);
  return packet ? read_answer(*packet, name, type) : bare_answer(name, type, Status::malformed);
}

Reply parse_reply(std::span<const std::uint8_t> octets, const std::string& name, Type type) {
  Reply reply;
  reply.answer = bare_answer(name, type, Status::malformed);
  auto packet = Packet::open(octets);
  if (!packet || !answers_question(*packet, reply.answer, status_of(extended_rcode(*packet)))) return reply;
  reply.authoritative = packet->flag(ns_f_aa) != 0;
  reply.truncated = packet->flag(ns_f_tc) != 0;
  if (reply.truncated) return reply;
  reply.answer = read_answer(*packet, name, type);
  reply.soa = first_soa(*packet, ns_s_an);
  if (!reply.soa) reply.soa = first_soa(*packet, ns_s_ns);
  const bool empty = reply.answer.status == Status::nodata && reply.answer.cnames.empty();
  if (empty && !reply.authoritative && !reply.soa) read_referral(*packet, reply);
  return reply;
}

}  // namespace sesame::dns
