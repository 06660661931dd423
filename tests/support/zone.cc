#include "support/zone.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "dns/name.h"
#include "util/text.h"

namespace sesame::test {
namespace {

using json = nlohmann::json;

constexpr std::uint32_t kMaxString = 255;

std::string canonical(std::string_view name) {
  const auto text = dns::canonical(name);
  return text ? *text : lower(name);
}

std::optional<Fault::Kind> parse_fault(std::string_view word) {
  using enum Fault::Kind;
  static const std::map<std::string_view, Fault::Kind> kinds = {
      {"TIMEOUT", timeout},   {"SERVFAIL", servfail}, {"REFUSED", refused},   {"FORMERR", formerr}, {"NOTIMP", notimp},
      {"NXDOMAIN", nxdomain}, {"NODATA", nodata},     {"TRUNCATE", truncate}, {"SLOW", slow},       {"BOGUS", bogus}};
  const auto found = kinds.find(word);
  return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> split_strings(const std::string& text) {
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < text.size(); i += kMaxString) strings.push_back(text.substr(i, kMaxString));
  if (strings.empty()) strings.emplace_back();
  return strings;
}

template <class Word>
Word word_of(const std::map<std::string_view, Word>& words, const std::string& value) {
  const auto found = words.find(value);
  if (found == words.end()) throw std::runtime_error("no conduct: " + value);
  return found->second;
}

void set_conduct(Conduct& conduct, const std::string& key, const std::string& value) {
  using Role = Conduct::Role;
  using Lame = Conduct::Lame;
  using Tcp = Conduct::Tcp;
  using Udp = Conduct::Udp;
  if (key == "role") {
    conduct.role = word_of<Role>({{"resolver", Role::resolver}, {"authority", Role::authority}}, value);
  } else if (key == "lame") {
    conduct.lame = word_of<Lame>({{"no", Lame::no}, {"refuses", Lame::refuses}, {"forwards", Lame::forwards}}, value);
  } else if (key == "tcp") {
    conduct.tcp = word_of<Tcp>(
        {{"answers", Tcp::answers}, {"refuses", Tcp::refuses}, {"closes", Tcp::closes}, {"silent", Tcp::silent}},
        value);
  } else if (key == "udp") {
    conduct.udp =
        word_of<Udp>({{"answers", Udp::answers}, {"silent", Udp::silent}, {"truncates", Udp::truncates}}, value);
  } else {
    throw std::runtime_error("no conduct: " + key);
  }
}

// TXT data of a line: bare text, or one or more quoted strings.
std::vector<std::string> txt_strings(const std::string& data) {
  if (!data.starts_with('"')) return split_strings(data);
  std::vector<std::string> strings;
  for (std::size_t at = 0; (at = data.find('"', at)) != std::string::npos;) {
    const auto end = data.find('"', at + 1);
    if (end == std::string::npos) throw std::runtime_error("unbalanced quote");
    for (auto& part : split_strings(data.substr(at + 1, end - at - 1))) strings.push_back(part);
    at = end + 1;
  }
  return strings;
}

IpAddress address(const std::string& text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) throw std::runtime_error("not an address: " + text);
  return *parsed;
}

std::string hex_bytes(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void add_json(RecordSet& set, dns::Type type, const json& value) {
  switch (type) {
    case dns::Type::txt:
      if (value.is_array()) {
        std::vector<std::string> strings;
        for (const auto& part : value)
          strings.push_back(part.is_object() ? hex_bytes(part.at("hex")) : part.get<std::string>());
        set.texts.push_back(strings);
      } else {
        set.texts.push_back(split_strings(value.is_object() ? hex_bytes(value.at("hex")) : value.get<std::string>()));
      }
      break;
    case dns::Type::a:
    case dns::Type::aaaa:
      set.addresses.push_back(address(value));
      break;
    case dns::Type::mx:
      set.exchanges.push_back({value.at(0).get<std::uint16_t>(), canonical(value.at(1).get<std::string>())});
      break;
    case dns::Type::soa:
      set.soa = {value.at(0).get<std::uint32_t>(), value.at(1).get<std::uint32_t>()};
      break;
    default:
      set.names.push_back(canonical(value.get<std::string>()));
      break;
  }
}

Fault json_fault(const json& value) {
  Fault fault;
  const auto kind = parse_fault(value.is_string() ? value.get<std::string>() : value.at("fault").get<std::string>());
  if (!kind) throw std::runtime_error("unknown fault " + value.dump());
  fault.kind = *kind;
  if (value.is_object()) {
    fault.milliseconds = value.value("ms", 0);
    fault.first = value.value("first", -1);
  }
  return fault;
}

}  // namespace

std::optional<dns::Type> parse_type(std::string_view word) {
  using enum dns::Type;
  for (const auto type : {a, ns, cname, soa, ptr, mx, txt, aaaa})
    if (iequals(word, dns::to_string(type))) return type;
  return std::nullopt;
}

Zone::Zone(std::string_view text) {
  add(text);
}

void Zone::add(std::string_view lines) {
  for (const auto raw : split(lines, '\n')) {
    const auto line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    std::istringstream in{std::string(line)};
    std::string name, word, data;
    in >> name >> word;
    std::getline(in >> std::ws, data);
    try {
      if (name == "!") {
        set_conduct(conduct_, word, data);
        continue;
      }
      const auto type = parse_type(word);
      Fault fault;
      if (data.starts_with('!')) {
        std::istringstream parts(data.substr(1));
        std::string kind;
        int number = -1;
        parts >> kind >> number;
        const auto parsed = parse_fault(kind);
        if (!parsed) throw std::runtime_error("unknown fault");
        fault.kind = *parsed;
        (fault.kind == Fault::Kind::slow ? fault.milliseconds : fault.first) = number;
        if (word == "*") {
          name_faults_[canonical(name)] = fault;
        } else {
          if (!type) throw std::runtime_error("unknown type");
          at(canonical(name), *type).fault = fault;
        }
        continue;
      }
      if (!type) throw std::runtime_error("unknown type");
      auto& set = at(canonical(name), *type);
      if (*type == dns::Type::txt) {
        set.texts.push_back(txt_strings(data));
      } else if (*type == dns::Type::a || *type == dns::Type::aaaa) {
        set.addresses.push_back(address(data));
      } else if (*type == dns::Type::mx) {
        std::istringstream parts(data);
        dns::Mx mx;
        parts >> mx.preference >> mx.host;
        mx.host = canonical(mx.host);
        set.exchanges.push_back(mx);
      } else if (*type == dns::Type::soa) {
        std::istringstream parts(data);
        parts >> set.soa.emplace().serial >> set.soa->refresh;
        set.names = {"ns." + canonical(name)};
      } else {
        set.names.push_back(canonical(data));
      }
    } catch (const std::exception& error) {
      throw std::runtime_error("zone line \"" + std::string(line) + "\": " + error.what());
    }
  }
}

Zone Zone::from_json(std::string_view text) {
  const auto document = json::parse(text);
  const auto& names = document.contains("zone") ? document.at("zone") : document;
  Zone zone;
  for (const auto& [name, types] : names.items()) {
    for (const auto& [word, values] : types.items()) {
      if (word == "FAULT") {
        zone.name_faults_[canonical(name)] = json_fault(values);
        continue;
      }
      const auto type = parse_type(word);
      if (!type) throw std::runtime_error("unknown type " + word);
      auto& set = zone.at(canonical(name), *type);
      for (const auto& value : values) add_json(set, *type, value);
      if (set.soa) set.names = {"ns." + canonical(name)};
    }
  }
  if (document.contains("zone") && document.contains("conduct"))
    for (const auto& [key, value] : document.at("conduct").items())
      set_conduct(zone.conduct_, key, value.get<std::string>());
  if (document.contains("zone") && document.contains("faults")) {
    for (const auto& entry : document.at("faults")) {
      const auto name = canonical(entry.at("name").get<std::string>());
      const auto type = parse_type(entry.value("type", "*"));
      (type ? zone.at(name, *type).fault : zone.name_faults_[name]) = json_fault(entry);
    }
  }
  return zone;
}

RecordSet& Zone::at(const std::string& name, dns::Type type) {
  const auto [found, is_new] = names_.try_emplace(name);
  for (std::string above(dns::parent(name)); is_new && !above.empty(); above = dns::parent(above)) ++below_[above];
  return found->second[type];
}

void Zone::remove(std::string_view text) {
  const auto name = canonical(text);
  name_faults_.erase(name);
  if (names_.erase(name) == 0) return;
  for (std::string above(dns::parent(name)); !above.empty(); above = dns::parent(above)) --below_[above];
}

// RFC 4592, as far as tests need it.
std::string Zone::owner(const std::string& name) const {
  const auto wildcards = names_.lower_bound("*.");
  if (wildcards == names_.end() || !wildcards->first.starts_with("*.") || holds(name)) return name;
  for (std::string above(dns::parent(name)); !above.empty(); above = dns::parent(above)) {
    if (names_.contains("*." + above)) return "*." + above;
    if (holds(above)) break;
  }
  return name;
}

const RecordSet* Zone::find(const std::string& name, dns::Type type) const {
  const auto types = names_.find(owner(name));
  if (types == names_.end()) return nullptr;
  const auto set = types->second.find(type);
  return set == types->second.end() ? nullptr : &set->second;
}

bool Zone::exists(const std::string& name) const {
  return holds(name) || owner(name) != name;
}

bool Zone::holds(const std::string& name) const {
  const auto below = below_.find(name);
  return names_.contains(name) || (below != below_.end() && below->second > 0);
}

const Fault* Zone::name_fault(const std::string& name) const {
  const auto found = name_faults_.find(name);
  return found == name_faults_.end() ? nullptr : &found->second;
}

std::optional<std::pair<std::string, ZoneSoa>> Zone::apex_of(const std::string& name) const {
  for (std::string at = name;; at = dns::parent(at)) {
    const auto* set = find(at, dns::Type::soa);
    if (set && set->soa) return std::pair(at, *set->soa);
    if (at.empty()) return std::nullopt;
  }
}

std::optional<std::string> Zone::cut_below(const std::string& apex, const std::string& name) const {
  for (auto labels = dns::label_count(apex) + 1; labels <= dns::label_count(name); ++labels) {
    const std::string at(dns::rightmost(name, labels));
    const auto* set = find(at, dns::Type::ns);
    if (set && !set->names.empty()) return at;
  }
  return std::nullopt;
}

}  // namespace sesame::test
