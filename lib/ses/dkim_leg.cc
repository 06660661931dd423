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
    proxied,       // texts, but no CNAME
    bad_key,       // not a key that SES can sign with
    undecided,     // DNS did not say
  } state = State::undecided;
  Tri key = Tri::unknown;  // whatever the state: a receiver finds a key for SES's signature here
  std::string selector;
  std::string name;             // s._domainkey.d
  std::string expected;         // CNAME target; "" for BYODKIM
  std::string detail;           // what was found, or the status
  bool txt_only_fails = false;  // the CNAME answers, TXT does not
};

// Can it verify what SES signs, which is a=rsa-sha256? "" in `why` when it can.
Tri fits(const dkim::Key& key, std::string& why) {
  constexpr unsigned kMinBits = 1024;  // RFC 8301 Section 3.2
  using State = dkim::Key::State;
  if (key.state == State::revoked) why = "revoked (p= is empty)";
  if (key.state == State::empty) why = "empty";
  if (key.state == State::bad) why = key.reason;
  if (key.state != State::ok) return Tri::no;
  if (key.type != "rsa") {
    why = "it is of type " + key.type + ", and SES signs with RSA";
  } else if (key.bits < kMinBits) {
    why = "it has " + std::to_string(key.bits) + " bits, and receivers ask for 1024";
  } else if (!key.hashes.empty() && std::ranges::find(key.hashes, "sha256") == key.hashes.end()) {
    why = "its h= does not allow sha256";
  } else if (!key.for_email) {
    why = "its s= does not allow email";
  } else if (key.testing) {
    // RFC 6376 Section 3.6.1: no better than unsigned, which not every receiver heeds.
    why = "it is in testing (t=y)";
    return Tri::unknown;
  }
  return tri(why.empty());
}

// What the texts at the end of the name say.
void judge_texts(const dns::Answer& answer, Selector& selector) {
  using State = Selector::State;
  std::size_t fitting = 0, empty = 0;
  bool unfit_for_sure = true;
  for (const auto& text : answer.texts) {
    const auto key = dkim::parse_key(text);
    std::string why;
    const auto fit = fits(key, why);
    if (fit == Tri::yes) ++fitting;
    if (fit != Tri::no) unfit_for_sure = false;
    if (key.state == dkim::Key::State::empty) ++empty;
    if (!why.empty()) selector.detail = why;
  }
  selector.state = State::bad_key;
  if (unfit_for_sure) {
    selector.key = Tri::no;
    if (empty == answer.texts.size()) selector.state = State::idle;
  } else if (answer.texts.size() > 1) {
    // RFC 6376 Section 3.6.2.2: of several records a receiver may take any.
    selector.key = Tri::unknown;
    selector.detail = std::to_string(answer.texts.size()) + " TXT records stand at the name";
  } else {
    selector.key = fitting == 1 ? Tri::yes : Tri::unknown;
    if (fitting == 1) selector.state = State::key;
  }
}

Selector look_at(const Surroundings& world, const std::string& token, std::string_view domain,
                 const std::string& zone) {
  Selector selector;
  selector.selector = token;
  selector.name = dkim::key_name(token, domain);
  if (!zone.empty()) selector.expected = token + "." + zone;
  const auto answer = world.resolver.lookup(selector.name, dns::Type::txt, world.deadline);
  const auto& cnames = answer->cnames;
  if (dns::is_temporary(answer->status)) {
    selector.detail = dns::to_string(answer->status);
    const auto alias = world.resolver.lookup(selector.name, dns::Type::cname, world.deadline);
    selector.txt_only_fails = alias->status == dns::Status::ok;
    return selector;
  }
  selector.key = Tri::no;
  if (dns::is_absent(answer->status)) {
    // Where the CNAME is there, Amazon's end holds nothing: a selector that is not in use.
    selector.state = cnames.empty() ? Selector::State::missing : Selector::State::idle;
  } else {
    judge_texts(*answer, selector);
  }
  if (zone.empty()) return selector;
  // The way may lead over other names, if it ends where it should.
  const bool arrives = std::ranges::any_of(cnames, [&](const auto& to) { return iequals(to, selector.expected); });
  if (!cnames.empty() && !arrives) {
    selector.state = Selector::State::wrong_target;
    selector.detail = cnames.front();
  } else if (cnames.empty() && selector.state != Selector::State::missing) {
    selector.state = Selector::State::proxied;
  }
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
    const auto keys = [&](Tri key) { return std::ranges::count(selectors, key, &Selector::key); };
    if (keys(Tri::unknown) > 0) return Tri::unknown;
    return tri(keys(Tri::yes) > 0);
  }
};

std::string selector_list(const KeyRecords& records) {
  std::vector<std::string> words;
  for (const auto& selector : records.selectors)
    if (selector.state == Selector::State::key) words.push_back(selector.selector);
  return join(words, " and ");
}

void report_missing(const KeyRecords& records, const std::string& domain, std::vector<Finding>& findings) {
  std::vector<std::string> ready;
  for (const auto& selector : records.selectors)
    if (selector.state == Selector::State::missing)
      ready.push_back(selector.name + (selector.expected.empty() ? " TXT \"p=...\"" : " CNAME " + selector.expected));
  if (ready.empty()) return;
  const auto all = records.selectors.size();
  const auto count = ready.size() == all ? "All " + std::to_string(all)
                                         : std::to_string(ready.size()) + " of the " + std::to_string(all);
  findings.push_back(
      make_finding(Code::dkim_cname_missing,
                   {{"what", all == 1 ? "The DKIM record of " + domain + " is"
                                      : count + " DKIM records of " + domain + (ready.size() == 1 ? " is" : " are")},
                    {"names", join(records.names(Selector::State::missing), ", ")},
                    {"records", join(ready, ", ")}}));
}

void report_records(const KeyRecords& records, const Identity& identity, std::string_view domain,
                    std::vector<Finding>& findings) {
  report_missing(records, std::string(domain), findings);
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

// A replica signs with the keys of its parent.
// https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-deed.html
Identity with_parents_tokens(const Account& account, const Identity& identity) {
  Identity result = identity;
  result.dkim.signing_hosted_zone = signing_zone(identity, account);
  const auto* parent = identity.dkim.tokens.empty() ? replica_parent(identity, account) : nullptr;
  if (parent) result.dkim.tokens = parent->dkim.tokens;
  return result;
}

// The settings an identity signs with. An address has its own; tokens it does not list are those of its exact domain.
Identity effective(const Account& account, const Identity& identity) {
  auto result = with_parents_tokens(account, identity);
  if (!identity.is_address() || !identity.dkim.tokens.empty()) return result;
  const auto* domain = account.covering_domain(identity.domain());
  if (!domain || domain->name != identity.domain()) return result;
  const auto source = with_parents_tokens(account, *domain);
  result.dkim.tokens = source.dkim.tokens;
  result.dkim.origin = source.dkim.origin;
  result.dkim.signing_hosted_zone = source.dkim.signing_hosted_zone;
  return result;
}

void judge_records(SesSignature& signature, const KeyRecords& records, const Identity& identity) {
  const auto verifies = records.verifies();
  const bool agrees = !records.contradicted() && !records.undecided() && verifies != Tri::no;
  signature.basis = identity.dkim.status && agrees ? Basis::given : Basis::inferred;
  if (records.contradicted()) {
    // SES may have noticed and stopped signing, or not yet.
    signature.usable = agree(verifies, Tri::no);
    signature.reason = signature.findings.front().text;
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
  const auto zone = identity.dkim.is_external() ? "" : identity.dkim.signing_hosted_zone;
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
    // A record that is wrong is the cause, the status what came of it.
    report_records(records, identity, identity.domain(), signature.findings);
    if (*status != Status::not_started)
      signature.findings.push_back(
          make_finding(code_of(*status), {{"domain", std::string(identity.domain())}, {"status", to_string(*status)}}));
    unsigned_for(signature, identity, from,
                 std::string("DKIM of ") + identity.name + " is " + to_string(*status) + " in SES");
    return signature;
  }
  if (records.selectors.empty()) {
    signature.usable = Tri::unknown;
    signature.basis = Basis::inferred;
    signature.reason = "the configuration does not name the DKIM tokens of " + identity.name + " (dkim.tokens)";
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
