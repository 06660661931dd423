#include "dkim/signature.h"

#include <algorithm>
#include <array>
#include <limits>

#include "dkim/key.h"
#include "dns/name.h"
#include "mail/address.h"
#include "util/base64.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

using mail::TagList;
using mail::without_white_space;

constexpr std::size_t kBPrefix = 8;                             // RFC 6008 Section 3
constexpr std::size_t kMaxSignature = crypto::kMaxRsaBits / 8;  // octets
constexpr std::size_t kMaxLengthDigits = 76;                    // RFC 6376 Section 3.5, l=
constexpr std::size_t kMaxTimeDigits = 12;                      // RFC 6376 Section 3.5, t=

Problem unsupported(std::string_view what) {
  return {Result::neutral, "unsupported: " + std::string(what)};
}

std::string quoted(std::string_view text) {
  return "\"" + printable(text, 60) + "\"";
}

// The first of the tags that is missing.
template <std::size_t N>
MaybeProblem require(const TagList& tags, const std::array<std::string_view, N>& names) {
  for (const auto name : names)
    if (!tags.find(name)) return syntax_problem("there is no " + std::string(name) + "=");
  return std::nullopt;
}

// RFC 6376 Section 3.3, RFC 8463 Section 3.
MaybeProblem read_algorithm(std::string_view value, Signature& signature) {
  signature.algorithm = printable(value, 40);
  signature.body.hash = value == "rsa-sha1" ? crypto::Hash::sha1 : crypto::Hash::sha256;
  signature.key_type = value == "ed25519-sha256" ? crypto::PublicKey::Type::ed25519 : crypto::PublicKey::Type::rsa;
  if (value == "rsa-sha256" || value == "ed25519-sha256" || value == "rsa-sha1") return std::nullopt;
  if (value.empty()) return syntax_problem("a= is empty");
  return unsupported("the algorithm " + quoted(value));
}

MaybeProblem read_b(std::string_view value, Signature& signature) {
  std::string prefix;
  for (std::size_t i = 0; i < value.size() && prefix.size() < kBPrefix; ++i)
    if (!is_space(value[i])) prefix += value[i];
  signature.b_prefix = printable(prefix, kBPrefix);
  auto octets = base64_decode(value);
  if (!octets || octets->empty()) return syntax_problem("b= is not base64");
  if (octets->size() > kMaxSignature) return syntax_problem("b= is too long");
  signature.signature = std::move(*octets);
  return std::nullopt;
}

// sub-domain *("." sub-domain) of RFC 5321 Section 4.1.2, without a final dot and as A-labels (RFC 8616 Section 5).
std::optional<std::string> domain_name(std::string_view text) {
  if (text.ends_with('.')) return std::nullopt;
  auto name = mail::to_ascii_domain(text);
  return name && dns::is_hostname(*name) ? name : std::nullopt;
}

// RFC 6376 Section 3.5, d= and s=. Names with other octets than host names have never reach DNS.
MaybeProblem read_names(const TagList& tags, Signature& signature) {
  const auto domain = domain_name(*tags.find("d"));
  if (!domain) return syntax_problem("d= is not a domain name");
  // RFC 6376 Section 6.1.1: a top-level domain signs for nobody.
  if (dns::label_count(*domain) < 2) return syntax_problem("d= has a single label");
  const auto selector = domain_name(*tags.find("s"));
  if (!selector) {
    signature.domain = *domain;
    return syntax_problem("s= is not a selector");
  }
  if (!dns::canonical(key_name(*selector, *domain))) return syntax_problem("s= and d= make too long a name");
  signature.domain = *domain;
  signature.selector = *selector;
  signature.identity = "@" + *domain;
  signature.identity_domain = *domain;
  return std::nullopt;
}

MaybeProblem read_time(const TagList& tags, std::string_view name, std::optional<std::int64_t>& time) {
  const auto value = tags.find(name);
  if (!value) return std::nullopt;
  const auto number = value->size() <= kMaxTimeDigits ? parse_number(*value) : std::nullopt;
  if (!number) return syntax_problem(std::string(name) + "= is not a time in seconds");
  time = static_cast<std::int64_t>(*number);
  return std::nullopt;
}

MaybeProblem read_bh(std::string_view value, Signature& signature) {
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(value, [](char c) { return !is_space(c); }));
  const auto size = crypto::digest_size(signature.body.hash);
  // Base64 of more than the digest is not decoded at all.
  auto octets = digits <= size * 2 ? base64_decode(value) : std::nullopt;
  if (!octets || octets->size() != size) return syntax_problem("bh= is not the base64 of a digest");
  signature.body_hash = std::move(*octets);
  return std::nullopt;
}

std::optional<Canonicalization> canonicalization(std::string_view word) {
  if (word == "simple") return Canonicalization::simple;
  if (word == "relaxed") return Canonicalization::relaxed;
  return std::nullopt;
}

// RFC 6376 Section 3.5, c=: one word is that of the header, and the body's is then simple.
MaybeProblem read_c(std::string_view value, Signature& signature) {
  if (value.empty()) return syntax_problem("c= is empty");
  const auto words = split(value, '/');
  const auto header = canonicalization(words[0]);
  const auto body = words.size() > 1 ? canonicalization(words[1]) : Canonicalization::simple;
  if (!header || !body || words.size() > 2) return unsupported("the canonicalization " + quoted(value));
  signature.header = *header;
  signature.body.canonicalization = *body;
  return std::nullopt;
}

MaybeProblem read_h(std::string_view value, Signature& signature) {
  if (static_cast<std::size_t>(std::ranges::count(value, ':')) >= kMaxSignedFields)
    return syntax_problem("h= has more than " + std::to_string(kMaxSignedFields) + " names");
  for (const auto part : split(value, ':')) {
    const auto name = trim(part);
    if (!std::ranges::all_of(name, mail::is_ftext))
      return syntax_problem("h= has " + quoted(name) + ", not a field name");
    signature.signed_fields.push_back(lower(name));
  }
  return std::nullopt;
}

MaybeProblem read_l(const TagList& tags, Signature& signature) {
  const auto value = tags.find("l");
  if (!value) return std::nullopt;
  if (value->empty() || value->size() > kMaxLengthDigits || !std::ranges::all_of(*value, is_digit))
    return syntax_problem("l= is not a length");
  // What does not fit in 64 bits is longer than any body.
  signature.body.length = parse_number(*value).value_or(std::numeric_limits<std::uint64_t>::max());
  return std::nullopt;
}

// RFC 6376 Section 3.5, q=: unknown query methods are ignored, and a signature with no other is.
MaybeProblem read_q(const TagList& tags) {
  const auto value = tags.find("q");
  if (!value) return std::nullopt;
  for (const auto method : split(*value, ':'))
    if (iequals(trim(method), "dns/txt")) return std::nullopt;
  return unsupported("the query method " + quoted(*value));
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = to_upper(c);
  return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

// dkim-quoted-printable, RFC 6376 Section 2.11. Local parts in use have an "=" that begins no code; it is left as it
// is, as RFC 2045 Section 6.7 advises.
std::string decode_quoted_printable(std::string_view value) {
  const auto text = without_white_space(value);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool may_be_code = text[i] == '=' && i + 2 < text.size();
    const int high = may_be_code ? hex_digit(text[i + 1]) : -1;
    const int low = may_be_code ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      result += text[i];
      continue;
    }
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

// RFC 6376 Section 3.5, i=: its domain is that of d= or below it.
MaybeProblem read_i(const TagList& tags, Signature& signature) {
  const auto value = tags.find("i");
  if (!value) return std::nullopt;
  const auto decoded = decode_quoted_printable(*value);
  const auto at = decoded.rfind('@');
  if (at == std::string::npos) return syntax_problem("i= is not an address");
  const auto domain = domain_name(std::string_view(decoded).substr(at + 1));
  if (!domain) return syntax_problem("the domain of i= is not a domain name");
  if (!dns::is_at_or_below(*domain, signature.domain)) return syntax_problem("i= is not in the domain of d=");
  signature.identity = without_white_space(*value);
  signature.identity_domain = *domain;
  return std::nullopt;
}

// The steps of RFC 6376 Section 6.1.1.
MaybeProblem read_signature(const TagList& tags, Signature& signature) {
  if (auto problem = read_signer(tags, signature)) return problem;
  if (tags.find("v") != "1") return syntax_problem(tags.find("v") ? "v= is not 1" : "there is no v=");
  if (auto problem = read_coverage(tags, "simple/simple", signature)) return problem;
  if (std::ranges::find(signature.signed_fields, "from") == signature.signed_fields.end())
    return syntax_problem("h= does not list From");
  if (auto problem = read_i(tags, signature)) return problem;
  return std::nullopt;
}

}  // namespace

Problem syntax_problem(std::string_view what) {
  return {Result::permerror, "syntax: " + std::string(what)};
}

MaybeProblem read_signer(const TagList& tags, Signature& signature) {
  if (auto problem = require(tags, std::array<std::string_view, 4>{"a", "b", "d", "s"})) return problem;
  // Each is read even after a fault, so that the report can tell which signature this was; the first fault counts.
  auto names = read_names(tags, signature);
  auto b = read_b(*tags.find("b"), signature);
  auto algorithm = read_algorithm(*tags.find("a"), signature);
  if (names) return names;
  if (algorithm) return algorithm;
  if (b) return b;
  return read_time(tags, "t", signature.signed_at);
}

MaybeProblem read_coverage(const TagList& tags, std::string_view default_c, Signature& signature) {
  if (auto problem = require(tags, std::array<std::string_view, 2>{"bh", "h"})) return problem;
  if (auto problem = read_bh(*tags.find("bh"), signature)) return problem;
  if (auto problem = read_c(tags.find("c").value_or(default_c), signature)) return problem;
  if (auto problem = read_h(*tags.find("h"), signature)) return problem;
  if (auto problem = read_l(tags, signature)) return problem;
  if (auto problem = read_time(tags, "x", signature.expires_at)) return problem;
  if (signature.expires_at && signature.signed_at && *signature.expires_at <= *signature.signed_at)
    return syntax_problem("x= is not after t=");
  return read_q(tags);
}

ParsedSignature parse_signature(std::string_view field_value) {
  ParsedSignature parsed;
  if (field_value.size() > kMaxSignatureField) {
    parsed.problem = syntax_problem("the field has more than " + std::to_string(kMaxSignatureField) + " octets");
    return parsed;
  }
  const auto tags = TagList::parse(field_value);
  parsed.problem = tags ? read_signature(*tags, parsed.signature) : syntax_problem(tags.error().message);
  return parsed;
}

}  // namespace sesame::dkim
