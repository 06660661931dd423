#include "spf/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "util/text.h"

namespace sesame::spf {
namespace {

constexpr std::string_view kVersion = "v=spf1";

using Kind = Mechanism::Kind;

// What follows the name of a mechanism.
enum class Argument { nothing, domain, optional_domain, optional_domain_and_prefixes, ip4_network, ip6_network };

struct Syntax {
  std::string_view name;
  Kind kind;
  Argument argument;
};

// RFC 7208 Section 5.
constexpr std::array<Syntax, 8> kMechanisms = {{
    {"all", Kind::all, Argument::nothing},
    {"include", Kind::include, Argument::domain},
    {"a", Kind::a, Argument::optional_domain_and_prefixes},
    {"mx", Kind::mx, Argument::optional_domain_and_prefixes},
    {"ptr", Kind::ptr, Argument::optional_domain},
    {"ip4", Kind::ip4, Argument::ip4_network},
    {"ip6", Kind::ip6, Argument::ip6_network},
    {"exists", Kind::exists, Argument::domain},
}};

struct Sign {
  char character;
  Result result;
};

// RFC 7208 Section 4.6.2.
constexpr std::array<Sign, 4> kQualifiers = {
    {{'+', Result::pass}, {'-', Result::fail}, {'~', Result::softfail}, {'?', Result::neutral}}};

std::string quoted(std::string_view text) {
  return '"' + printable(text, 80) + '"';
}

// "0" / %x31-39 *DIGIT, at most `most`: no leading zero.
sesame::Result<unsigned> parse_prefix(std::string_view digits, unsigned most) {
  const auto number = parse_number(digits);
  if (!number || *number > most || (digits.size() > 1 && digits.front() == '0'))
    return failure(fmt::format("prefix length {} is not a number from 0 to {}", quoted(digits), most));
  return static_cast<unsigned>(*number);
}

// The digits behind the last "/" if only digits stand there; they and the "/" are cut off.
std::optional<std::string_view> cut_prefix(std::string_view& text) {
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(slash + 1);
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  text = text.substr(0, slash);
  return digits;
}

// dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ], cut off the end of `text`. A domain-spec may hold
// "/" but cannot end in "/" and digits, so the end of the term tells them apart.
sesame::Result<void> cut_dual_prefix(std::string_view& text, Mechanism& mechanism) {
  auto digits = cut_prefix(text);
  if (digits && text.ends_with('/')) {
    text.remove_suffix(1);
    const auto prefix6 = parse_prefix(*digits, 128);
    if (!prefix6) return failure(prefix6.error().message);
    mechanism.prefix6 = *prefix6;
    digits = cut_prefix(text);
  }
  if (digits) {
    const auto prefix4 = parse_prefix(*digits, 32);
    if (!prefix4) return failure(prefix4.error().message);
    mechanism.prefix4 = *prefix4;
  }
  return {};
}

// ":" domain-spec
sesame::Result<void> parse_domain(std::string_view text, Mechanism& mechanism) {
  if (!text.starts_with(':')) return failure("the domain name is missing");
  auto domain = parse_domain_spec(text.substr(1));
  if (!domain) return failure(domain.error().message);
  mechanism.domain = std::move(*domain);
  return {};
}

// ":" ip4-network [ ip4-cidr-length ], and the same for ip6
sesame::Result<void> parse_network(std::string_view text, Mechanism& mechanism) {
  if (!text.starts_with(':')) return failure("the address is missing");
  text.remove_prefix(1);
  const auto family = mechanism.kind == Kind::ip4 ? IpAddress::Family::v4 : IpAddress::Family::v6;
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address || address->family() != family) {
    return failure(fmt::format("{} is not an {} address", quoted(text.substr(0, slash)),
                               family == IpAddress::Family::v4 ? "IPv4" : "IPv6"));
  }
  unsigned prefix = address->bits();
  if (slash != std::string_view::npos) {
    const auto parsed = parse_prefix(text.substr(slash + 1), address->bits());
    if (!parsed) return failure(parsed.error().message);
    prefix = *parsed;
  }
  mechanism.network = Network::of(*address, prefix);
  return {};
}

sesame::Result<void> parse_argument(Argument argument, std::string_view text, Mechanism& mechanism) {
  switch (argument) {
    case Argument::nothing:
      if (!text.empty()) return failure("nothing may follow the name");
      return {};
    case Argument::domain:
      return parse_domain(text, mechanism);
    case Argument::ip4_network:
    case Argument::ip6_network:
      return parse_network(text, mechanism);
    case Argument::optional_domain_and_prefixes:
      if (auto cut = cut_dual_prefix(text, mechanism); !cut) return cut;
      break;
    case Argument::optional_domain:
      break;
  }
  if (text.empty()) return {};
  return parse_domain(text, mechanism);
}

sesame::Result<void> add_directive(std::string_view term, Record& record) {
  Directive directive;
  directive.written = printable(term);
  const auto sign = std::ranges::find(kQualifiers, term.front(), &Sign::character);
  if (sign != kQualifiers.end()) {
    directive.qualifier = sign->result;
    term.remove_prefix(1);
  }
  const auto name = term.substr(0, term.find_first_of(":/"));
  const auto syntax =
      std::ranges::find_if(kMechanisms, [name](const Syntax& known) { return iequals(known.name, name); });
  // RFC 7208 Section 4.6.1: an unknown mechanism is a syntax error, unlike an unknown modifier.
  if (syntax == kMechanisms.end()) return failure("there is no such mechanism");
  directive.mechanism.kind = syntax->kind;
  if (auto parsed = parse_argument(syntax->argument, term.substr(name.size()), directive.mechanism); !parsed)
    return parsed;
  record.directives.push_back(std::move(directive));
  return {};
}

// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
bool is_modifier_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

// modifier = redirect / explanation / unknown-modifier
sesame::Result<void> add_modifier(std::string_view name, std::string_view value, Record& record) {
  if (!is_modifier_name(name)) return failure("the name of the modifier is malformed");
  auto* known = iequals(name, "redirect") ? &record.redirect : iequals(name, "exp") ? &record.exp : nullptr;
  auto parsed = known ? parse_domain_spec(value) : parse_macro_string(value, MacroContext::unknown_modifier);
  if (!parsed) return failure(parsed.error().message);
  if (!known) {
    record.unknown.push_back({std::string(name), std::move(*parsed)});
    return {};
  }
  // RFC 7208 Section 6: neither may appear twice.
  if (*known) return failure("the modifier appears twice");
  *known = std::move(*parsed);
  return {};
}

// A modifier has "=" right after its name, before any ":" or "/" (RFC 7208 Section 4.6.1).
sesame::Result<void> add_term(std::string_view term, Record& record) {
  const auto mark = term.find_first_of(":/=");
  if (mark != std::string_view::npos && term[mark] == '=')
    return add_modifier(term.substr(0, mark), term.substr(mark + 1), record);
  return add_directive(term, record);
}

std::string to_text(const Directive& directive) {
  const auto& mechanism = directive.mechanism;
  std::string text(1, std::ranges::find(kQualifiers, directive.qualifier, &Sign::result)->character);
  text += std::ranges::find(kMechanisms, mechanism.kind, &Syntax::kind)->name;
  if (mechanism.kind == Kind::ip4 || mechanism.kind == Kind::ip6) return text + ':' + mechanism.network.to_string();
  if (!mechanism.domain.empty()) text += ':' + to_text(mechanism.domain);
  if (mechanism.prefix4 != 32) text += fmt::format("/{}", mechanism.prefix4);
  if (mechanism.prefix6 != 128) text += fmt::format("//{}", mechanism.prefix6);
  return text;
}

}  // namespace

bool is_spf_record(std::string_view text) {
  // RFC 7208 Section 4.5: the version ends at a space or at the end of the record; case does not matter.
  return istarts_with(text, kVersion) && (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

sesame::Result<Record> parse_record(std::string_view text) {
  if (!is_spf_record(text)) return failure("it does not begin with \"v=spf1\" and a space");
  Record record;
  for (const auto term : split(text.substr(kVersion.size()), ' ')) {
    if (term.empty()) continue;
    if (auto added = add_term(term, record); !added) return failure(quoted(term) + ": " + added.error().message);
  }
  return record;
}

std::string to_text(const Record& record) {
  std::string text(kVersion);
  for (const auto& directive : record.directives) text += ' ' + to_text(directive);
  if (record.redirect) text += " redirect=" + to_text(*record.redirect);
  if (record.exp) text += " exp=" + to_text(*record.exp);
  for (const auto& modifier : record.unknown) text += ' ' + modifier.name + '=' + to_text(modifier.value);
  return text;
}

}  // namespace sesame::spf
