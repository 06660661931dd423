#include "spf/spf.h"

#include <fmt/format.h>

#include <optional>

#include "dns/name.h"
#include "mail/address.h"
#include "spf/evaluate.h"
#include "spf/lookup.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

constexpr std::string_view kPostmaster = "postmaster";

struct Sender {
  std::string_view local_part;
  std::optional<std::string> domain;  // nothing when malformed
};

// RFC 7208 Section 4.3: a host name of two or more labels; RFC 8616 Section 4: as A-labels.
std::optional<std::string> judged_domain(std::string_view text) {
  if (IpAddress::parse(text)) return std::nullopt;
  auto name = mail::to_ascii_domain(text);
  if (!name || dns::label_count(*name) < 2) return std::nullopt;
  return name;
}

// A quoted string, or free of the characters that would need quotes (RFC 5321 Section 4.1.2): with one of them bare,
// another reader could see another address. Spaces and stray dots move no domain and are left alone.
bool is_local_part(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  if (quoted) text = text.substr(1, text.size() - 2);
  bool escaped = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
    if (!escaped && std::string_view(quoted ? "\"" : "()<>[]:;@\\,\"").find(c) != std::string_view::npos) return false;
    escaped = quoted && !escaped && c == '\\';
  }
  return !escaped;
}

// The parts around the last "@". A source route (RFC 5321 Appendix C) is dropped.
Sender parse_sender(std::string_view mail_from) {
  if (mail_from.starts_with('@')) {
    const auto colon = mail_from.find(':');
    if (colon != std::string_view::npos && mail_from.find('@', colon) != std::string_view::npos)
      mail_from.remove_prefix(colon + 1);
  }
  const auto at = mail_from.rfind('@');
  if (at == std::string_view::npos) return {mail_from, std::nullopt};
  // RFC 7208 Section 4.3: no local part counts as postmaster.
  const auto local_part = at == 0 ? kPostmaster : mail_from.substr(0, at);
  if (!is_local_part(local_part)) return {local_part, std::nullopt};
  return {local_part, judged_domain(mail_from.substr(at + 1))};
}

Outcome check(dns::Resolver& resolver, const Query& query, const Options& options, Sender sender) {
  Outcome outcome;
  outcome.domain = *std::move(sender.domain);
  Context context{.resolver = resolver,
                  .options = options,
                  // RFC 7208 Section 5: an IPv4-mapped client is an IPv4 client.
                  .client = query.client.unmapped(),
                  .helo = query.helo,
                  .local_part = sender.local_part,
                  .sender_domain = outcome.domain};
  auto verdict = check_host(context, outcome.domain);
  outcome.result = verdict.result;
  if (verdict.directive) outcome.mechanism = verdict.directive->written;
  outcome.reason = std::move(verdict.reason);
  if (verdict.record && !verdict.directive)
    outcome.reason = "no mechanism of " + printable(verdict.domain) + " matches";
  outcome.lookup_terms = context.lookup_terms;
  outcome.void_lookups = context.void_lookups;
  outcome.compared = std::move(context.compared);
  outcome.client_specific = context.client_specific;
  outcome.sender_specific = context.sender_specific;
  // Last: what the explanation looks up counts for nothing (RFC 7208 Section 4.6.4).
  outcome.explanation = explain(context, verdict);
  return outcome;
}

// RFC 7208 Sections 2.3 and 4.3.
Outcome nothing_to_judge(Identity identity, std::string reason) {
  Outcome outcome;
  outcome.identity = identity;
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace

const char* to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::neutral:
      return "neutral";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::softfail:
      return "softfail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      break;
  }
  return "permerror";
}

const char* to_string(Identity identity) {
  return identity == Identity::helo ? "helo" : "mailfrom";
}

Outcome check_helo(dns::Resolver& resolver, const Query& query, const Options& options) {
  Sender sender{kPostmaster, judged_domain(query.helo)};
  if (!sender.domain) {
    return nothing_to_judge(
        Identity::helo, fmt::format("HELO \"{}\" is not a domain name of two or more labels", printable(query.helo)));
  }
  auto outcome = check(resolver, query, options, std::move(sender));
  outcome.identity = Identity::helo;
  return outcome;
}

Outcome check_mail_from(dns::Resolver& resolver, const Query& query, const Options& options) {
  // RFC 7208 Section 2.4: the null reverse-path stands for postmaster@HELO.
  if (query.mail_from.empty()) return check_helo(resolver, query, options);
  auto sender = parse_sender(query.mail_from);
  if (!sender.domain) {
    return nothing_to_judge(Identity::mail_from,
                            fmt::format("MAIL FROM \"{}\" is not an address at a domain name of two or more labels",
                                        printable(query.mail_from)));
  }
  return check(resolver, query, options, std::move(sender));
}

}  // namespace sesame::spf
