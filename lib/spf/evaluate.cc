#include "spf/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "dns/name.h"
#include "spf/fetch.h"
#include "spf/lookup.h"
#include "spf/map_dns.h"
#include "spf/parse.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

using Kind = Mechanism::Kind;

// What came of one mechanism.
struct Match {
  enum class Kind { no, yes, error };
  Kind kind = Kind::no;
  Result result = Result::none;  // of an error
  std::string reason;            // of an error, or what to remark about a match
};

Match no_match() {
  return {};
}
Match error(Result result, std::string reason) {
  return {Match::Kind::error, result, std::move(reason)};
}
Match temperror(const Context& context, const dns::Answer& answer) {
  return error(Result::temperror, failure_reason(context, answer));
}

// A verdict without a match.
Verdict unmatched(Result result, std::string reason) {
  return {result, std::move(reason)};
}

MacroValue values(Context& context, const std::string& domain) {
  return [&context, &domain](char letter) { return macro_value(context, letter, domain); };
}

// RFC 7208 Section 4.8: the <target-name>. Nothing when the name cannot exist in DNS, which leaves the mechanism
// without a match, or cannot be expanded (RFC 8616 Section 4).
std::optional<std::string> target_name(Context& context, const MacroString& spec, const std::string& domain) {
  if (spec.empty()) return domain;
  const auto expanded = expand_domain(spec, values(context, domain));
  if (!expanded || expanded->empty()) return std::nullopt;
  auto name = dns::canonical(*expanded);
  if (name && name->empty()) return std::nullopt;  // the root, below which every name is
  return name;
}

// A network so wide that whoever publishes it lets in strangers.
bool is_wide(const Network& network) {
  return network.prefix < (network.base.is_v4() ? 8u : 16u);
}

// Holds the client against one more network; all are remembered, also after a match.
void compare(Context& context, const Network& network, Match& match) {
  context.compared.push_back(network);
  if (match.kind == Match::Kind::yes || !network.contains(context.client)) return;
  match.kind = Match::Kind::yes;
  if (is_wide(network)) match.reason = fmt::format("all of {} passes", network.to_string());
}

// The client against the addresses of a name: A or AAAA, with the prefix length for the client's family.
Match compare_addresses(Context& context, const std::string& name, const Mechanism& mechanism) {
  const auto answer = ask(context, name, address_type(context));
  if (map_dns(*answer) == Result::temperror) return temperror(context, *answer);
  count_void(context, answer);
  const auto prefix = context.client.is_v4() ? mechanism.prefix4 : mechanism.prefix6;
  Match match;
  for (const auto& address : answer->addresses) compare(context, Network::of(address, prefix), match);
  return match;
}

// RFC 7208 Section 5.1.
Match match_all() {
  return {Match::Kind::yes, Result::none, "every address passes"};
}

// RFC 7208 Section 5.2, with the table of what the included result means.
Match match_include(Context& context, const Mechanism& mechanism, const std::string& domain) {
  const auto expanded = expand_domain(mechanism.domain, values(context, domain));
  if (!expanded) return no_match();
  auto verdict = check_host(context, *expanded);
  switch (verdict.result) {
    case Result::pass:
      return {Match::Kind::yes, Result::none, std::move(verdict.reason)};
    case Result::fail:
    case Result::softfail:
    case Result::neutral:
      return no_match();
    case Result::temperror:
    case Result::permerror:
      return error(verdict.result, std::move(verdict.reason));
    case Result::none:
      break;
  }
  return error(Result::permerror,
               fmt::format("{} includes a domain without policy: {}", printable(domain), verdict.reason));
}

// RFC 7208 Section 5.3.
Match match_a(Context& context, const Mechanism& mechanism, const std::string& domain) {
  const auto name = target_name(context, mechanism.domain, domain);
  return name ? compare_addresses(context, *name, mechanism) : no_match();
}

// RFC 7208 Section 5.4. A name without MX is not taken for its own.
Match match_mx(Context& context, const Mechanism& mechanism, const std::string& domain) {
  const auto name = target_name(context, mechanism.domain, domain);
  if (!name) return no_match();
  const auto answer = ask(context, *name, dns::Type::mx);
  if (map_dns(*answer) == Result::temperror) return temperror(context, *answer);
  count_void(context, answer);
  auto exchanges = answer->exchanges;
  std::erase_if(exchanges, [](const auto& exchange) { return exchange.host.empty(); });  // RFC 7505: no addresses
  // RFC 7208 Section 4.6.4. Judged before any is asked, and then asked by preference, so that the order of the answer
  // decides nothing.
  if (exchanges.size() > kMaxNames)
    return error(Result::permerror,
                 fmt::format("{} has {} MX names, more than {}", printable(*name), exchanges.size(), kMaxNames));
  std::ranges::sort(exchanges, {}, [](const auto& exchange) { return std::tie(exchange.preference, exchange.host); });
  for (const auto& exchange : exchanges) {
    auto match = compare_addresses(context, exchange.host, mechanism);
    if (match.kind != Match::Kind::no) return match;
  }
  return no_match();
}

// RFC 7208 Section 5.5.
Match match_ptr(Context& context, const Mechanism& mechanism, const std::string& domain) {
  const auto target = target_name(context, mechanism.domain, domain);
  if (!target) return no_match();
  const auto& names = client_names(context);
  const bool found = std::ranges::any_of(names, [&](const auto& name) { return dns::is_at_or_below(name, *target); });
  return found ? Match{Match::Kind::yes, Result::none, {}} : no_match();
}

// RFC 7208 Section 5.6.
Match match_network(Context& context, const Mechanism& mechanism) {
  Match match;
  compare(context, mechanism.network, match);
  return match;
}

// RFC 7208 Section 5.7: always A, whatever the client is.
Match match_exists(Context& context, const Mechanism& mechanism, const std::string& domain) {
  const auto name = target_name(context, mechanism.domain, domain);
  if (!name) return no_match();
  const auto answer = ask(context, *name, dns::Type::a);
  if (map_dns(*answer) == Result::temperror) return temperror(context, *answer);
  count_void(context, answer);
  return answer->status == dns::Status::ok ? Match{Match::Kind::yes, Result::none, {}} : no_match();
}

Match dispatch(Context& context, const Mechanism& mechanism, const std::string& domain) {
  switch (mechanism.kind) {
    case Kind::all:
      return match_all();
    case Kind::include:
      return match_include(context, mechanism, domain);
    case Kind::a:
      return match_a(context, mechanism, domain);
    case Kind::mx:
      return match_mx(context, mechanism, domain);
    case Kind::ptr:
      return match_ptr(context, mechanism, domain);
    case Kind::ip4:
    case Kind::ip6:
      return match_network(context, mechanism);
    case Kind::exists:
      return match_exists(context, mechanism, domain);
  }
  return no_match();
}

bool causes_lookups(Kind kind) {
  return kind != Kind::all && kind != Kind::ip4 && kind != Kind::ip6;
}

// RFC 7208 Section 4.6.4: counts a term that causes look-ups, and the PTR look-up of each %{p} in it. Nothing when that
// is still allowed.
std::optional<Match> count_term(Context& context, const MacroString& spec, const std::string& domain) {
  context.lookup_terms += 1 + count_letter(spec, 'p');
  if (context.lookup_terms <= kMaxLookupTerms) return std::nullopt;
  return error(Result::permerror, fmt::format("the record of {} needs more than {} terms with DNS look-ups",
                                              printable(domain), kMaxLookupTerms));
}

// What holds after every term, whatever came of it.
Match within_limits(const Context& context, Match match, const std::string& domain) {
  // RFC 7208 Section 4.6.4, void look-ups. A limit found inside an include has been named there.
  const bool named = match.kind == Match::Kind::error && match.result == Result::permerror;
  if (context.void_lookups > context.options.max_void_lookups && !named) {
    return error(Result::permerror,
                 fmt::format("the record of {} has more than {} look-ups that find nothing, the last {}",
                             printable(domain), context.options.max_void_lookups, question(*context.last_void)));
  }
  // RFC 7208 Section 4.6.4, elapsed time: a term that took its missing answers for "no match" decides nothing then.
  if (context.out_of_time && match.kind == Match::Kind::no)
    return error(Result::temperror, failure_reason(context, dns::Answer{}));
  return match;
}

Match evaluate_directive(Context& context, const Mechanism& mechanism, const std::string& domain) {
  if (!causes_lookups(mechanism.kind)) return dispatch(context, mechanism, domain);
  if (auto exceeded = count_term(context, mechanism.domain, domain)) return *exceeded;
  return within_limits(context, dispatch(context, mechanism, domain), domain);
}

// RFC 7208 Section 6.1: what the other domain says, but a domain without policy is an error.
Verdict follow_redirect(Context& context, const MacroString& spec, const std::string& domain) {
  if (auto exceeded = count_term(context, spec, domain)) return unmatched(exceeded->result, exceeded->reason);
  const auto expanded = expand_domain(spec, values(context, domain));
  if (auto match = within_limits(context, no_match(), domain); match.kind == Match::Kind::error)
    return unmatched(match.result, match.reason);
  if (!expanded)
    return unmatched(Result::permerror, printable(domain) + " redirects to a name that cannot be expanded");
  auto verdict = check_host(context, *expanded);
  if (verdict.result == Result::none) {
    verdict.result = Result::permerror;
    verdict.reason = fmt::format("{} redirects to a domain without policy: {}", printable(domain), verdict.reason);
  }
  return verdict;
}

Verdict evaluate(Context& context, const Reading& reading, std::string domain) {
  const auto& record = **reading;
  // RFC 7208 Section 4.6.2: the first match decides.
  for (const auto& directive : record.directives) {
    auto match = evaluate_directive(context, directive.mechanism, domain);
    if (match.kind == Match::Kind::no) continue;
    if (match.kind == Match::Kind::error) return unmatched(match.result, std::move(match.reason));
    Verdict verdict{directive.qualifier, {}, &directive, reading};
    if (verdict.result == Result::pass && !match.reason.empty())
      verdict.reason = fmt::format("{}: {}", printable(domain), match.reason);
    verdict.domain = std::move(domain);
    return verdict;
  }
  if (record.redirect) return follow_redirect(context, *record.redirect, domain);
  // RFC 7208 Section 4.7.
  return {Result::neutral, {}, nullptr, reading, std::move(domain)};
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Verdict check_host(Context& context, std::string_view domain) {
  // RFC 7208 Section 4.3: malformed, or not of two labels or more.
  auto name = dns::canonical(domain);
  if (!name || dns::label_count(*name) < 2)
    return unmatched(Result::none, fmt::format("\"{}\" is not a domain name of two or more labels", printable(domain)));
  Verdict failed;
  const auto record = fetch_record(context, *name, failed);
  return record ? evaluate(context, record, std::move(*name)) : failed;
}

std::string explain(Context& context, const Verdict& verdict) {
  if (verdict.result != Result::fail || !verdict.record || !(*verdict.record)->exp) return {};
  const auto name = target_name(context, *(*verdict.record)->exp, verdict.domain);
  if (!name) return {};
  // RFC 7208 Section 6.2: whatever is wrong with the explanation, it is as if there were none.
  const auto answer = ask(context, *name, dns::Type::txt);
  if (answer->status != dns::Status::ok || answer->texts.size() != 1) return {};
  const auto text = parse_macro_string(answer->texts.front(), MacroContext::explanation);
  if (!text) return {};
  const auto explanation = expand_explanation(*text, values(context, verdict.domain));
  return explanation && is_printable(*explanation) ? *explanation : std::string();
}

}  // namespace sesame::spf
