#include "dns/answer_text.h"

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "dns/name.h"
#include "util/text.h"

namespace sesame::dns {
namespace {

using json = nlohmann::json;

constexpr std::array kTypes = {Type::a, Type::ns, Type::cname, Type::ptr, Type::mx, Type::txt, Type::aaaa};
constexpr std::array kStatuses = {Status::ok, Status::nodata, Status::nxdomain};

// More than fits into one packet, RFC 1035 Section 4.2.2: of records, of the least octets that each takes there.
constexpr std::size_t kMaxRecords = 65535 / 12;
constexpr std::size_t kMaxText = 65535;
constexpr std::size_t kMaxCnames = 255;
constexpr std::int64_t kMaxTtl = 0x7fffffff;             // RFC 2181 Section 8
constexpr std::int64_t kLatest = std::int64_t{1} << 40;  // of expiry

// Octets as the characters of the same numbers, as JSON is text, but names and texts in DNS need not be.
std::string as_utf8(std::string_view octets) {
  std::string text;
  text.reserve(octets.size());
  for (const char octet : octets) {
    const auto value = static_cast<unsigned char>(octet);
    if (value < 0x80) {
      text += octet;
    } else {
      text += static_cast<char>(0xc0 | (value >> 6));
      text += static_cast<char>(0x80 | (value & 0x3f));
    }
  }
  return text;
}

// The text is UTF-8: the parser has seen to that. Nothing where a character is no octet.
std::optional<std::string> as_octets(std::string_view text) {
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      octets += text[i];
    } else {
      if ((lead != 0xc2 && lead != 0xc3) || i + 1 == text.size()) return std::nullopt;
      octets += static_cast<char>((lead & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
  }
  return octets;
}

std::optional<std::string> octets_of(const json& value) {
  return value.is_string() ? as_octets(value.get_ref<const std::string&>()) : std::nullopt;
}

std::optional<std::string> name_of(const json& value) {
  auto name = octets_of(value);
  return name && is_canonical(*name) ? name : std::nullopt;
}

json records_of(const Answer& answer) {
  auto records = json::array();
  for (const auto& record : data_of(answer)) records.push_back(as_utf8(record));
  return records;
}

bool add_exchange(Answer& answer, std::string_view record) {
  const auto space = record.find(' ');
  if (space == std::string_view::npos) return false;
  const auto preference = parse_number(record.substr(0, space));
  const auto host = record.substr(space + 1);
  if (!preference || *preference > 0xffff || !is_canonical(host)) return false;
  answer.exchanges.push_back({static_cast<std::uint16_t>(*preference), std::string(host)});
  return true;
}

bool add_address(Answer& answer, std::string_view record) {
  const auto address = IpAddress::parse(record);
  if (!address || address->is_v4() != (answer.type == Type::a)) return false;
  answer.addresses.push_back(*address);
  return true;
}

bool add_record(Answer& answer, std::string record) {
  switch (answer.type) {
    case Type::txt:
      if (record.size() > kMaxText) return false;
      answer.texts.push_back(std::move(record));
      return true;
    case Type::a:
    case Type::aaaa:
      return add_address(answer, record);
    case Type::mx:
      return add_exchange(answer, record);
    case Type::ns:
    case Type::cname:
    case Type::ptr:
      if (!is_canonical(record)) return false;
      answer.names.push_back(std::move(record));
      return true;
    case Type::soa:
      return false;
  }
  return false;
}

const json& member(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

template <class Enum>
std::optional<Enum> word_of(const json& value, std::span<const Enum> known) {
  if (!value.is_string()) return std::nullopt;
  for (const auto each : known)
    if (value.get_ref<const std::string&>() == to_string(each)) return each;
  return std::nullopt;
}

std::optional<std::int64_t> number_of(const json& value, std::int64_t most) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) return std::nullopt;
  return value.get<std::int64_t>();
}

bool take_cnames(Answer& answer, const json& names) {
  if (names.is_null()) return true;
  if (!names.is_array() || names.size() > kMaxCnames) return false;
  for (const auto& each : names) {
    auto name = name_of(each);
    if (!name) return false;
    answer.cnames.push_back(*std::move(name));
  }
  return true;
}

bool take_records(Answer& answer, const json& records) {
  if (answer.status != Status::ok) return records.is_null();
  if (!records.is_array() || records.empty() || records.size() > kMaxRecords) return false;
  for (const auto& each : records) {
    auto record = octets_of(each);
    if (!record || !add_record(answer, *std::move(record))) return false;
  }
  return true;
}

bool flag_of(const json& value) {
  return value.is_boolean() && value.get<bool>();
}

}  // namespace

std::optional<std::string> to_line(const WrittenAnswer& written) {
  const auto& answer = written.answer;
  if (is_temporary(answer.status) || answer.type == Type::soa) return std::nullopt;
  json line = {{"name", as_utf8(answer.name)},
               {"type", to_string(answer.type)},
               {"status", to_string(answer.status)},
               {"ttl", answer.ttl},
               {"expires", written.expires}};
  if (answer.status == Status::ok) line["records"] = records_of(answer);
  for (const auto& name : answer.cnames) line["cnames"].push_back(as_utf8(name));
  if (answer.authenticated) line["authenticated"] = true;
  if (written.in_use) line["in_use"] = true;
  auto text = line.dump();
  // Whatever strange thing a server said must not make the whole file unfit to be read.
  if (!from_line(text)) return std::nullopt;
  return text;
}

std::optional<WrittenAnswer> from_line(std::string_view text) {
  const auto line = json::parse(text, nullptr, false);
  if (!line.is_object()) return std::nullopt;
  auto name = name_of(member(line, "name"));
  const auto type = word_of<Type>(member(line, "type"), kTypes);
  const auto status = word_of<Status>(member(line, "status"), kStatuses);
  const auto ttl = number_of(member(line, "ttl"), kMaxTtl);
  const auto expires = number_of(member(line, "expires"), kLatest);
  if (!name || !type || !status || !ttl || !expires) return std::nullopt;
  WrittenAnswer written;
  written.expires = *expires;
  written.in_use = flag_of(member(line, "in_use"));
  auto& answer = written.answer;
  answer.name = *std::move(name);
  answer.type = *type;
  answer.status = *status;
  answer.ttl = static_cast<std::uint32_t>(*ttl);
  answer.authenticated = flag_of(member(line, "authenticated"));
  if (!take_cnames(answer, member(line, "cnames")) || !take_records(answer, member(line, "records")))
    return std::nullopt;
  return written;
}

}  // namespace sesame::dns
