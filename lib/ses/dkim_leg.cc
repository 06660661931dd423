// SES's own DKIM signature: will it be there, and will receivers find its key?
#include <algorithm>
#include <iterator>
#include <memory>

#include "dns/name.h"
#include "ses/dkim_state.h"
#include "ses/key_records.h"
#include "ses/legs.h"
#include "ses/observed.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using State = Selector::State;

constexpr unsigned kGoodBits = 2048;

void append(std::vector<Finding>& findings, std::vector<Finding> more) {
  std::ranges::move(more, std::back_inserter(findings));
}

// What the records show by themselves; what their servers were seen to do is told already.
std::vector<Finding> untold_faults(const KeyRecords& records, const Observed& observed, const Identity& settings) {
  std::vector<Finding> findings;
  report_records(records, settings, findings);
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.code == Code::dkim_txt_servfail && std::ranges::any_of(observed.txt_fails, [&](const auto& name) {
             return finding.text.starts_with(name + ":");
           });
  });
  return findings;
}

// Does it tell of the domain's name servers, whoever signs?
bool is_about_servers(const Finding& finding) {
  using enum Code;
  return finding.code == dkim_records_flap || finding.code == dns_dnssec_bogus ||
         finding.code == dns_delegation_mismatch || finding.code == dkim_txt_servfail;
}

Finding only_amazonses(const Identity& identity, const mail::Mailbox& from) {
  const std::string domain(identity.domain());
  return make_finding(Code::only_amazonses_signature,
                      {{"from", from.domain},
                       {"remedy", is_begun(identity.dkim) ? "Mend DKIM of " + domain + " as the other findings say"
                                                          : "Set up Easy DKIM for " + domain}});
}

// What the records are worth if SES signs as long as it finds them.
struct Judgement {
  Tri usable = Tri::unknown;
  Basis basis = Basis::inferred;
  std::string reason;
};

// Whatever another name server says, is it the same for the signature? Only what Amazon's own servers answer is.
bool alike_everywhere(const KeyRecords& records) {
  return std::ranges::all_of(records.selectors, [](const Selector& selector) {
    return selector.state == State::idle && !selector.expected.empty();
  });
}

// `findings` are those of the records.
Judgement judge(const KeyRecords& records, const Observed& observed, const Identity& settings,
                const std::vector<Finding>& findings) {
  Judgement judgement;
  const auto verifies = records.verifies();
  const bool agrees = records.right() && verifies != Tri::no && !observed.some_failed && !settings.aged;
  judgement.usable = verifies;
  if (observed.servers_differ && !alike_everywhere(records)) {
    judgement.usable = Tri::unknown;
    judgement.reason = findings.front().text;
  } else if (observed.bogus || records.contradicted()) {
    // SES may have noticed and stopped signing, or not yet.
    judgement.usable = agree(verifies, Tri::no);
    judgement.reason = findings.front().text;
  } else if (verifies == Tri::no) {
    judgement.reason = "no selector holds a key";
  } else if (verifies == Tri::unknown) {
    for (const auto& selector : records.selectors)
      if (selector.state == State::undecided) judgement.reason = "TXT " + selector.name + ": " + selector.detail;
  } else if (settings.dkim.status && agrees) {
    judgement.basis = Basis::given;
  }
  return judgement;
}

// What SES has made of records that were gone, by its clocks alone.
void heed_clocks(const Observed& observed, const KeyRecords& records, Judgement& judgement) {
  const auto goes_on = observed.clocks.goes_on;
  if (goes_on == Tri::yes) return;
  judgement.basis = Basis::inferred;
  // Where this look-up finds what the last look missed, SES may find it too.
  const bool found_now = records.right() && observed.clocks.phase != Clocks::Phase::revoked;
  const auto usable = goes_on == Tri::no && !found_now ? Tri::no : agree(judgement.usable, Tri::no);
  if (usable != judgement.usable && !observed.outcome.empty()) judgement.reason = observed.outcome.front().text;
  judgement.usable = usable;
}

// The selectors are not told. One that SES has lately signed with stands in for them if it is by its CNAME one of Easy
// DKIM: any other may belong to whoever else signs for the domain.
Judgement judge_unnamed(const Surroundings& world, const Observed& observed, const Identity& given,
                        const Identity& settings, std::shared_ptr<const KeyRecords>& records) {
  Judgement judgement;
  if (!settings.dkim.unread_keys.empty()) {
    judgement.reason = "SES says of the DKIM of " + settings.name + " " + not_known(settings.dkim.unread_keys);
    return judgement;
  }
  judgement.reason = "the DKIM tokens of " + settings.name + " in " + settings.region +
                     " are not known; name them in dkim.tokens or run sesame sync";
  if (!observed.signed_by) return judgement;
  const auto& seen = *observed.signed_by;
  judgement.reason += "; SES signed mail at " + timestamp(seen.time) + " with selector " + seen.selector;
  if (settings.dkim.is_external()) return judgement;
  auto known = settings;
  known.dkim.tokens = {seen.selector};
  auto stand_in = look_up_keys(world, given, known);
  const bool holds = stand_in->selectors.front().state == State::key && !observed.servers_differ && !observed.bogus;
  if (!holds) return judgement;
  records = std::move(stand_in);
  return {Tri::yes, Basis::inferred, ""};
}

void report_weak_keys(const KeyRecords& records, std::vector<Finding>& findings) {
  // While a longer key is on its way nothing is left to do.
  if (std::ranges::any_of(records.selectors, [](const auto& s) { return s.bits >= kGoodBits; })) return;
  for (const auto& selector : records.selectors)
    if (selector.state == State::key)
      findings.push_back(
          make_finding(Code::dkim_key_weak, {{"name", selector.name}, {"bits", std::to_string(selector.bits)}}));
}

void report_health(const KeyRecords& records, const std::string& domain, std::vector<Finding>& findings) {
  std::vector<std::string> selectors;
  for (const auto& selector : records.selectors)
    if (selector.state == State::key) selectors.push_back(selector.selector);
  const auto list = join(selectors, " and ");
  report_weak_keys(records, findings);
  findings.push_back(make_finding(Code::dkim_ok, {{"domain", domain}, {"selectors", list}}));
  if (selectors.size() > 1)
    findings.push_back(make_finding(Code::dkim_rotating, {{"domain", domain}, {"selectors", list}}));
}

// SES does not sign by its own word, or may not.
void apply(const DkimState& state, SesSignature& signature) {
  signature.basis = state.signs == Tri::no ? Basis::given : Basis::inferred;
  const auto usable = state.signs == Tri::no ? Tri::no : agree(signature.usable, Tri::no);
  if (usable != signature.usable || usable == Tri::no) signature.reason = state.reason;
  signature.usable = usable;
}

// Every message bears d=amazonses.com as well, by a selector that is not known here.
void report_only_amazonses(const Identity& settings, const mail::Mailbox& from, SesSignature& signature) {
  if (signature.usable != Tri::no) return;
  if (!dns::is_at_or_below(from.domain, "amazonses.com")) {
    signature.findings.push_back(only_amazonses(settings, from));
    return;
  }
  signature.usable = Tri::unknown;
  signature.basis = Basis::inferred;
  signature.reason = "the signature d=amazonses.com, which every message bears, aligns with " + from.domain;
}

SesSignature predict_with_settings(const Surroundings& world, const Identity& given, const mail::Mailbox& from) {
  const auto settings = signing_settings(world.account, given);
  SesSignature signature;
  signature.domain = settings.domain();
  auto records = look_up_keys(world, given, settings);
  auto observed = observe(world, given, *records);
  auto faults = std::move(observed.causes);
  append(faults, untold_faults(*records, observed, settings));

  auto judgement = records->selectors.empty() ? judge_unnamed(world, observed, given, settings, records)
                                              : judge(*records, observed, settings, faults);
  heed_clocks(observed, *records, judgement);
  signature.usable = judgement.usable;
  signature.basis = judgement.basis;
  signature.reason = judgement.reason;

  auto state = read_state(world, given, settings, *records, judgement.usable);
  auto& findings = signature.findings;
  append(findings, std::move(state.deeper));
  if (state.signs == Tri::yes) {
    if (signature.usable == Tri::yes) report_health(*records, signature.domain, findings);
    append(findings, std::move(faults));
    append(findings, std::move(observed.outcome));
    if (observed.clocks.goes_on == Tri::no) report_only_amazonses(settings, from, signature);
    // d= for mail from a subdomain that is no identity of its own is inferred.
    if (from.domain != signature.domain) signature.basis = Basis::inferred;
  } else {
    // A record that is wrong is the cause, the status what came of it.
    append(findings, std::move(faults));
    append(findings, std::move(state.outcome));
    apply(state, signature);
    report_only_amazonses(settings, from, signature);
  }
  append(findings, std::move(observed.remarks));
  return signature;
}

}  // namespace

bool is_begun(const Dkim& dkim) {
  return dkim.is_external() || dkim.is_replica() || !dkim.tokens.empty() ||
         dkim.status.value_or(Status::not_started) != Status::not_started;
}

const Identity* signer_of(const Account& account, const Identity& identity) {
  const auto& dkim = identity.dkim;
  const bool undescribed = identity.is_address() && !dkim.status && dkim.signing_enabled && dkim.tokens.empty() &&
                           dkim.unread_state.empty() && dkim.unread_keys.empty();
  return undescribed ? account.covering_domain(identity.domain()) : &identity;
}

SesSignature predict_signature(const Surroundings& world, const Identity& identity, const mail::Mailbox& from) {
  const auto* domain = signer_of(world.account, identity);
  if (domain == &identity) return predict_with_settings(world, identity, from);
  if (!domain) {
    // SES has no keys for the domain of such an address.
    SesSignature signature;
    signature.reason = identity.name + " has no DKIM of its own, and its domain is no identity";
    signature.findings.push_back(only_amazonses(identity, from));
    return signature;
  }
  // Whether an address inherits the DKIM of its domain is documented both ways.
  auto signature = predict_with_settings(world, *domain, from);
  signature.basis = Basis::inferred;
  if (signature.usable != Tri::no) {
    signature.usable = Tri::unknown;
    signature.reason = "whether " + identity.name + " inherits the DKIM of " + domain->name + " is not known";
    std::erase_if(signature.findings, [](const Finding& finding) { return !is_about_servers(finding); });
  }
  return signature;
}

}  // namespace sesame::ses
