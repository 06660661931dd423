// SES's own DKIM signature: will it be there, and will receivers find its key?
#include <algorithm>

#include "dkim/key.h"
#include "ses/legs.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// One selector of the identity, as DNS has it.
struct Selector {
  enum class State {
    key,           // as it should be, and holds a key
    idle,          // as it should be, without a key: not in use
    missing,       // no record
    wrong_target,  // a CNAME to somewhere else
    proxied,       // a key, but no CNAME
    bad_key,       // revoked or not to be parsed
    undecided,     // DNS did not say
  } state = State::undecided;
  std::string selector;
  std::string name;             // s._domainkey.d
  std::string expected;         // CNAME target; "" for BYODKIM
  std::string detail;           // what was found, or the status
  bool txt_only_fails = false;  // the CNAME answers, TXT does not
};

Selector::State key_state(const dns::Answer& answer, std::string& detail) {
  bool idle = false;
  for (const auto& text : answer.texts) {
    const auto key = dkim::parse_key(text);
    if (key.state == dkim::Key::State::ok) return Selector::State::key;
    idle = idle || key.state == dkim::Key::State::empty;
    detail = key.state == dkim::Key::State::revoked ? "revoked (p= is empty)" : key.reason;
  }
  return idle ? Selector::State::idle : Selector::State::bad_key;
}

Selector look_at(const Surroundings& world, const std::string& token, std::string_view domain,
                 const std::string& zone) {
  Selector selector;
  selector.selector = token;
  selector.name = dkim::key_name(token, domain);
  if (!zone.empty()) selector.expected = token + "." + zone;
  const auto answer = world.resolver.lookup(selector.name, dns::Type::txt, world.deadline);
  if (dns::is_temporary(answer->status)) {
    selector.detail = dns::to_string(answer->status);
    const auto alias = world.resolver.lookup(selector.name, dns::Type::cname, world.deadline);
    selector.txt_only_fails = alias->status == dns::Status::ok;
    return selector;
  }
  if (!zone.empty() && !answer->cnames.empty() && !iequals(answer->cnames.front(), selector.expected)) {
    selector.state = Selector::State::wrong_target;
    selector.detail = answer->cnames.front();
    return selector;
  }
  if (dns::is_absent(answer->status)) {
    // The CNAME is there; Amazon's end holds nothing: a selector that is not in use.
    selector.state = answer->cnames.empty() ? Selector::State::missing : Selector::State::idle;
    return selector;
  }
  selector.state = key_state(*answer, selector.detail);
  if (!zone.empty() && answer->cnames.empty()) selector.state = Selector::State::proxied;
  return selector;
}

// All selectors of one identity.
struct KeyRecords {
  std::vector<Selector> selectors;

  std::size_t count(Selector::State state) const {
    return static_cast<std::size_t>(std::ranges::count(selectors, state, &Selector::state));
  }
  std::vector<std::string> names(Selector::State state) const {
    std::vector<std::string> result;
    for (const auto& selector : selectors)
      if (selector.state == state) result.push_back(selector.name);
    return result;
  }
  // Something SES needs is gone or wrong: it may stop signing at any moment.
  bool contradicted() const {
    using State = Selector::State;
    return count(State::missing) + count(State::wrong_target) + count(State::proxied) + count(State::bad_key) > 0;
  }
  bool undecided() const { return count(Selector::State::undecided) > 0; }
  // If SES signs: will a receiver find the key? The selector in use is one whose TXT holds a key.
  Tri verifies() const {
    using State = Selector::State;
    if (undecided()) return Tri::unknown;
    if (count(State::key) + count(State::proxied) == 0) return Tri::no;
    return count(State::bad_key) > 0 ? Tri::unknown : Tri::yes;
  }
};

std::string selector_list(const KeyRecords& records) {
  std::vector<std::string> words;
  for (const auto& selector : records.selectors)
    if (selector.state == Selector::State::key) words.push_back(selector.selector);
  return join(words, " and ");
}

void report_missing(const KeyRecords& records, std::vector<Finding>& findings) {
  std::vector<std::string> ready;
  for (const auto& selector : records.selectors)
    if (selector.state == Selector::State::missing)
      ready.push_back(selector.name + (selector.expected.empty() ? " TXT \"p=...\"" : " CNAME " + selector.expected));
  if (ready.empty()) return;
  findings.push_back(
      make_finding(Code::dkim_cname_missing, {{"count", std::to_string(ready.size())},
                                              {"of", std::to_string(records.selectors.size())},
                                              {"names", join(records.names(Selector::State::missing), ", ")},
                                              {"records", join(ready, ", ")}}));
}

void report_records(const KeyRecords& records, const Identity& identity, std::string_view domain,
                    std::vector<Finding>& findings) {
  report_missing(records, findings);
  for (const auto& selector : records.selectors) {
    using enum Selector::State;
    if (selector.state == wrong_target)
      findings.push_back(
          make_finding(Code::dkim_cname_target,
                       {{"name", selector.name}, {"found", selector.detail}, {"expected", selector.expected}}));
    if (selector.state == proxied)
      findings.push_back(
          make_finding(Code::dkim_cname_proxied, {{"name", selector.name}, {"expected", selector.expected}}));
    if (selector.state == bad_key)
      findings.push_back(make_finding(Code::dkim_key_bad, {{"name", selector.name}, {"reason", selector.detail}}));
    if (selector.txt_only_fails)
      findings.push_back(make_finding(Code::dkim_txt_servfail, {{"name", selector.name}, {"status", selector.detail}}));
  }
  if (!records.selectors.empty() && records.count(Selector::State::idle) == records.selectors.size())
    findings.push_back(make_finding(Code::dkim_no_key, {{"domain", std::string(domain)}, {"region", identity.region}}));
}

Code code_of(Status status) {
  switch (status) {
    case Status::pending:
      return Code::dkim_pending;
    case Status::temporary_failure:
      return Code::dkim_lost;
    default:
      return Code::dkim_failed;
  }
}

// SES will not sign for the identity, whatever DNS says.
void unsigned_for(SesSignature& signature, const Identity& identity, const mail::Mailbox& from, std::string reason) {
  signature.usable = Tri::no;
  signature.basis = Basis::given;
  signature.reason = std::move(reason);
  signature.findings.push_back(make_finding(Code::only_amazonses_signature,
                                            {{"from", from.domain}, {"domain", std::string(identity.domain())}}));
}

// The settings an address identity signs with: its own; tokens it does not list are those of its exact domain.
Identity effective(const Account& account, const Identity& identity) {
  Identity result = identity;
  if (!identity.is_address() || !identity.dkim.tokens.empty()) return result;
  const auto* domain = account.covering_domain(identity.domain());
  if (!domain || domain->name != identity.domain()) return result;
  result.dkim.tokens = domain->dkim.tokens;
  result.dkim.origin = domain->dkim.origin;
  result.dkim.signing_hosted_zone = domain->dkim.signing_hosted_zone;
  return result;
}

void judge_records(SesSignature& signature, const KeyRecords& records, const Identity& identity) {
  const auto verifies = records.verifies();
  const bool agrees = !records.contradicted() && !records.undecided();
  signature.basis = identity.dkim.status && agrees ? Basis::given : Basis::inferred;
  if (records.contradicted()) {
    // SES may have noticed and stopped signing, or not yet.
    signature.usable = agree(verifies, Tri::no);
    signature.reason = "a DKIM record that SES needs is gone or wrong";
    return;
  }
  signature.usable = verifies;
  if (verifies == Tri::yes) {
    const auto keys = records.count(Selector::State::key);
    signature.findings.insert(signature.findings.begin(),
                              make_finding(keys > 1 ? Code::dkim_rotating : Code::dkim_ok,
                                           {{"domain", signature.domain}, {"selectors", selector_list(records)}}));
    if (keys > 1)
      signature.findings.insert(
          signature.findings.begin(),
          make_finding(Code::dkim_ok, {{"domain", signature.domain}, {"selectors", selector_list(records)}}));
  } else if (verifies == Tri::no) {
    signature.reason = "no selector holds a key";
  } else {
    for (const auto& selector : records.selectors)
      if (selector.state == Selector::State::undecided)
        signature.reason = "TXT " + selector.name + ": " + selector.detail;
  }
}

SesSignature predict_with_settings(const Surroundings& world, const Identity& given, const mail::Mailbox& from) {
  const auto identity = effective(world.account, given);
  SesSignature signature;
  signature.domain = identity.domain();
  KeyRecords records;
  const auto zone = identity.dkim.is_external() ? "" : signing_zone(identity, world.account);
  for (const auto& token : identity.dkim.tokens)
    records.selectors.push_back(look_at(world, token, identity.domain(), zone));

  if (!identity.dkim.signing_enabled) {
    signature.findings.push_back(make_finding(Code::dkim_disabled, {{"identity", identity.name}}));
    report_records(records, identity, identity.domain(), signature.findings);
    unsigned_for(signature, identity, from, "DKIM signing is switched off for " + identity.name);
    return signature;
  }
  const auto status = identity.dkim.status;
  if (status && *status != Status::success) {
    if (*status != Status::not_started)
      signature.findings.push_back(
          make_finding(code_of(*status), {{"domain", std::string(identity.domain())}, {"status", to_string(*status)}}));
    report_records(records, identity, identity.domain(), signature.findings);
    unsigned_for(signature, identity, from,
                 std::string("DKIM of ") + identity.name + " is " + to_string(*status) + " in SES");
    return signature;
  }
  if (records.selectors.empty()) {
    signature.usable = Tri::unknown;
    signature.basis = Basis::inferred;
    signature.reason = "the configuration does not name the DKIM tokens of " + identity.name;
    return signature;
  }
  report_records(records, identity, identity.domain(), signature.findings);
  judge_records(signature, records, identity);
  // d= for mail from a subdomain that is no identity of its own is inferred.
  if (from.domain != signature.domain) signature.basis = Basis::inferred;
  return signature;
}

}  // namespace

SesSignature predict_signature(const Surroundings& world, const Identity& identity, const mail::Mailbox& from) {
  const bool undescribed =
      identity.is_address() && !identity.dkim.status && identity.dkim.signing_enabled && identity.dkim.tokens.empty();
  if (!undescribed) return predict_with_settings(world, identity, from);
  const auto* domain = world.account.covering_domain(identity.domain());
  if (!domain) {
    // SES has no keys for the domain of such an address.
    SesSignature signature;
    unsigned_for(signature, identity, from, identity.name + " has no DKIM of its own, and its domain is no identity");
    return signature;
  }
  // Whether an address inherits the DKIM of its domain is documented both ways.
  auto signature = predict_with_settings(world, *domain, from);
  signature.basis = Basis::inferred;
  if (signature.usable != Tri::no) {
    signature.usable = Tri::unknown;
    signature.reason = "whether " + identity.name + " inherits the DKIM of " + domain->name + " is not known";
    signature.findings.clear();
  }
  return signature;
}

}  // namespace sesame::ses
