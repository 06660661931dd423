#include "support/dns_reply.h"

#include <algorithm>
#include <set>

#include "dns/name.h"

namespace sesame::test {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kPlainUdp = 512;
constexpr std::size_t kMaxMessage = 65535;
constexpr std::size_t kMaxLinks = 64;
constexpr std::uint16_t kOpt = 41;
constexpr std::uint16_t kServerUdpSize = 1232;

enum Rcode : std::uint8_t { kNoError = 0, kFormErr = 1, kServFail = 2, kNxDomain = 3, kNotImp = 4, kRefused = 5 };

void put16(std::string& out, std::size_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

std::string wire_name(const std::string& name) {
  std::string out;
  std::size_t at = 0;
  while (at < name.size()) {
    const auto end = std::min(name.find('.', at), name.size());
    const auto length = std::min<std::size_t>(end - at, dns::kMaxLabel);
    out += static_cast<char>(length);
    out += name.substr(at, length);
    at = end + 1;
  }
  return out + '\0';
}

std::string record(const std::string& owner, dns::Type type, std::uint32_t ttl, const std::string& data) {
  std::string out = wire_name(owner);
  put16(out, static_cast<std::uint16_t>(type));
  put16(out, 1);
  put32(out, ttl);
  put16(out, data.size());
  return out + data;
}

std::string txt_data(const std::vector<std::string>& strings) {
  std::string out;
  for (const auto& text : strings) {
    std::size_t at = 0;
    do {
      const auto part = text.substr(at, 255);
      out += static_cast<char>(part.size());
      out += part;
      at += 255;
    } while (at < text.size());
  }
  return out;
}

// The records of one name and type, ready to send.
std::vector<std::string> encode(const RecordSet& set, const std::string& owner, dns::Type type, std::uint32_t ttl) {
  std::vector<std::string> records;
  for (const auto& strings : set.texts) records.push_back(record(owner, type, ttl, txt_data(strings)));
  for (const auto& address : set.addresses) {
    const auto octets = address.octets();
    records.push_back(record(owner, type, ttl, std::string(octets.begin(), octets.end())));
  }
  for (const auto& mx : set.exchanges) {
    std::string data;
    put16(data, mx.preference);
    records.push_back(record(owner, type, ttl, data + wire_name(mx.host)));
  }
  if (type != dns::Type::soa)
    for (const auto& name : set.names) records.push_back(record(owner, type, ttl, wire_name(name)));
  return records;
}

// The SOA record of the zone that a name is in.
std::string soa(const Zone& zone, const std::string& name, const ReplyTtls& ttls) {
  const auto [apex, values] = zone.apex_of(name).value_or(std::pair(std::string(dns::rightmost(name, 2)), ZoneSoa{}));
  std::string data = wire_name("ns." + apex) + wire_name("hostmaster." + apex);
  for (const std::uint32_t value : {values.serial, values.refresh, 600u, 86400u, ttls.negative}) put32(data, value);
  return record(apex, dns::Type::soa, ttls.positive, data);
}

struct Sections {
  std::uint8_t rcode = kNoError;
  enum class Cut { no, yes } truncated = Cut::no;
  std::vector<std::string> answer;
  std::vector<std::string> authority;
  std::vector<std::string> additional = {};
  enum class Authoritative { no, yes } authoritative = Authoritative::yes;
};

std::vector<std::uint8_t> assemble(const Question& question, const Sections& sections) {
  std::string out;
  put16(out, question.id);
  out += static_cast<char>(0x80 | (sections.authoritative == Sections::Authoritative::yes ? 0x04 : 0) |
                           (sections.truncated == Sections::Cut::yes ? 0x02 : 0) |
                           (question.recursion_desired ? 0x01 : 0));
  out += static_cast<char>(0x80 | sections.rcode);
  put16(out, 1);
  put16(out, sections.answer.size());
  put16(out, sections.authority.size());
  put16(out, sections.additional.size() + (question.edns_size ? 1 : 0));
  out += question.wire;
  for (const auto* section : {&sections.answer, &sections.authority, &sections.additional})
    for (const auto& entry : *section) out += entry;
  if (question.edns_size) {
    out += '\0';
    put16(out, kOpt);
    put16(out, kServerUdpSize);
    put32(out, 0);
    put16(out, 0);
  }
  return {out.begin(), out.end()};
}

std::optional<std::uint8_t> failure_code(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::servfail:
      return kServFail;
    case Fault::Kind::refused:
      return kRefused;
    case Fault::Kind::formerr:
      return kFormErr;
    case Fault::Kind::notimp:
      return kNotImp;
    default:
      return std::nullopt;
  }
}

// Follows the zone's CNAMEs from the question to the records or to their absence; the faults on the way add up.
struct Walk {
  const Question& question;
  const Zone& zone;
  const ReplyTtls& ttls;
  AskCounts& asked;
  Sections sections;
  bool silent = false;
  bool truncate = false;
  int delay_ms = 0;

  // False when the fault decides the reply.
  bool apply(const Fault& fault, const std::string& at) {
    if (const auto code = failure_code(fault.kind)) {
      sections = {.rcode = *code, .truncated = Sections::Cut::no, .answer = {}, .authority = {}};
      return false;
    }
    switch (fault.kind) {
      case Fault::Kind::bogus:
        if (question.checking_disabled) return true;
        sections = {.rcode = kServFail, .truncated = Sections::Cut::no, .answer = {}, .authority = {}};
        return false;
      case Fault::Kind::timeout:
        silent = true;
        return false;
      case Fault::Kind::nxdomain:
        absent(kNxDomain, at);
        return false;
      case Fault::Kind::nodata:
        absent(kNoError, at);
        return false;
      case Fault::Kind::truncate:
        truncate = true;
        return true;
      case Fault::Kind::slow:
        delay_ms += fault.milliseconds;
        return true;
      default:
        return true;
    }
  }

  void absent(std::uint8_t rcode, const std::string& at) {
    sections.rcode = rcode;
    sections.authority.push_back(soa(zone, at, ttls));
  }

  // True when an authority has no more to say about a name than who else is to be asked: nobody it knows, or those that
  // a zone of its own gives the name away to.
  bool gives_away(const std::string& at) {
    if (zone.conduct().role != Conduct::Role::authority) return false;
    const auto apex = zone.apex_of(at);
    const auto cut = apex ? zone.cut_below(apex->first, at) : std::nullopt;
    if (apex && !cut) return false;
    // What leads out of its zones is left to whoever asks.
    if (!sections.answer.empty()) return true;
    sections.authoritative = Sections::Authoritative::no;
    if (!apex) sections.rcode = kRefused;
    if (cut) refer(*cut);
    return true;
  }

  void refer(const std::string& cut) {
    const auto* servers = zone.find(cut, dns::Type::ns);
    sections.authority = encode(*servers, cut, dns::Type::ns, ttls.positive);
    for (const auto& server : servers->names)
      for (const auto type : {dns::Type::a, dns::Type::aaaa})
        if (const auto* glue = zone.find(server, type))
          for (auto& entry : encode(*glue, server, type, ttls.positive))
            sections.additional.push_back(std::move(entry));
  }

  void run() {
    const auto lame = zone.conduct().lame;
    if (lame != Conduct::Lame::no) sections.authoritative = Sections::Authoritative::no;
    if (lame == Conduct::Lame::refuses)
      sections.rcode = kRefused;
    else
      walk();
  }

  void walk() {
    const auto type = static_cast<dns::Type>(question.type);
    std::set<std::string> seen;
    for (std::string at = question.name; seen.insert(at).second && seen.size() <= kMaxLinks;) {
      const auto* set = zone.find(at, type);
      const Fault* fault = set && set->fault.kind != Fault::Kind::none ? &set->fault : zone.name_fault(at);
      const int count = ++asked[{at, question.type}];
      if (fault && (fault->first < 0 || count <= fault->first) && !apply(*fault, at)) return;
      if (gives_away(at)) return;
      const auto* alias = type == dns::Type::cname ? nullptr : zone.find(at, dns::Type::cname);
      if (alias && !alias->names.empty()) {
        sections.answer.push_back(record(at, dns::Type::cname, ttls.positive, wire_name(alias->names.front())));
        at = alias->names.front();
        continue;
      }
      auto records = set ? encode(*set, at, type, ttls.positive) : std::vector<std::string>();
      if (set && set->soa) records.push_back(soa(zone, at, ttls));
      if (records.empty()) absent(zone.exists(at) ? kNoError : kNxDomain, at);
      sections.answer.insert(sections.answer.end(), records.begin(), records.end());
      return;
    }
  }
};

}  // namespace

std::string Question::type_name() const {
  const std::string known = dns::to_string(static_cast<dns::Type>(type));
  return known == "?" ? "TYPE" + std::to_string(type) : known;
}

std::optional<Question> parse_question(const std::vector<std::uint8_t>& request) {
  const auto at16 = [&](std::size_t at) { return static_cast<std::uint16_t>(request[at] << 8 | request[at + 1]); };
  if (request.size() < kHeader || (request[2] & 0x80) != 0 || at16(4) != 1) return std::nullopt;
  Question question;
  question.id = at16(0);
  question.recursion_desired = (request[2] & 0x01) != 0;
  question.checking_disabled = (request[3] & 0x10) != 0;
  std::size_t at = kHeader;
  std::string name;
  while (at < request.size() && request[at] != 0) {
    const std::size_t length = request[at];
    if (length > dns::kMaxLabel || at + 1 + length >= request.size()) return std::nullopt;
    name.append(request.begin() + static_cast<std::ptrdiff_t>(at + 1),
                request.begin() + static_cast<std::ptrdiff_t>(at + 1 + length));
    name += '.';
    at += 1 + length;
  }
  const auto canonical = dns::canonical(name);
  if (at + 5 > request.size() || !canonical) return std::nullopt;
  question.name = *canonical;
  question.type = at16(at + 1);
  at += 5;
  question.wire.assign(request.begin() + kHeader, request.begin() + static_cast<std::ptrdiff_t>(at));
  // An OPT record of RFC 6891 is looked for only where a plain query has it: alone, right after the question.
  if (at16(10) >= 1 && at + 11 <= request.size() && request[at] == 0 && at16(at + 1) == kOpt)
    question.edns_size = std::max<std::uint16_t>(at16(at + 3), kPlainUdp);
  return question;
}

Reply refuse_edns(Question question) {
  question.edns_size.reset();
  return {assemble(question, {.rcode = kFormErr, .truncated = Sections::Cut::no, .answer = {}, .authority = {}}), 0};
}

Reply make_reply(const Question& question, const Zone& zone, Transport transport, const ReplyTtls& ttls,
                 AskCounts& asked) {
  Walk walk{.question = question, .zone = zone, .ttls = ttls, .asked = asked, .sections = {}};
  walk.run();
  const auto& conduct = zone.conduct();
  if (walk.silent || (transport == Transport::udp && conduct.udp == Conduct::Udp::silent) ||
      (transport == Transport::tcp && conduct.tcp == Conduct::Tcp::silent))
    return {};
  walk.truncate = walk.truncate || conduct.udp == Conduct::Udp::truncates;
  auto packet = assemble(question, walk.sections);
  const std::size_t limit =
      transport == Transport::tcp ? kMaxMessage : std::min<std::size_t>(question.edns_size.value_or(kPlainUdp), 4096);
  if (packet.size() > limit || (walk.truncate && transport == Transport::udp)) {
    walk.sections.answer.clear();
    walk.sections.authority.clear();
    walk.sections.additional.clear();
    walk.sections.truncated = Sections::Cut::yes;
    packet = assemble(question, walk.sections);
  }
  return {std::move(packet), walk.delay_ms};
}

}  // namespace sesame::test
