// Whose settings apply to a domain, and what follows from its records.
#include "ses/examine.h"

#include <algorithm>
#include <array>

#include "dkim/key.h"
#include "dmarc/walk.h"
#include "ses/examiner.h"
#include "ses/observed.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// To whom the message is that is foretold: one whom SES takes mail to even in the sandbox.
// https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
constexpr std::string_view kReader = "success@simulator.amazonses.com";

// Who writes it: an address that is no identity of its own, since the question is about the domain.
mail::Mailbox author_of(const Account& account, const std::string& subject) {
  const auto at = subject.rfind('@');
  if (at != std::string::npos) return {subject.substr(0, at), subject.substr(at + 1)};
  constexpr std::array<std::string_view, 3> kLocals = {"postmaster", "hostmaster", "news"};
  const auto is_identity = [&](std::string_view local) {
    const auto* identity = account.covering({std::string(local), subject});
    return identity && identity->is_address();
  };
  const auto local = std::ranges::find_if_not(kLocals, is_identity);
  return {std::string(local != kLocals.end() ? *local : kLocals.front()), subject};
}

std::string place_of(const Identity& identity) {
  return identity.account.empty() ? identity.region : identity.account + "/" + identity.region;
}

Prediction predict_for(const Surroundings& world, const mail::Mailbox& from) {
  mail::Envelope envelope;
  envelope.mail_from = from.address();
  envelope.recipients.emplace_back(kReader);
  const mail::Fields fields{{"From", " " + from.address()}, {"To", " " + std::string(kReader)}};
  mail::Author author;
  author.fields = 1;
  author.mailboxes = {from};
  author.domains = {from.domain};
  return predict(world, {envelope, fields, author, {}});
}

bool is_about_dmarc(Code code) {
  return code == Code::dmarc_absent || code == Code::dmarc_invalid || code == Code::dmarc_temperror;
}

// What comes of others is told behind them.
void put_causes_first(std::vector<Finding>& findings) {
  using enum Code;
  static const std::vector<Code> kRecords = {dkim_records_flap,  dkim_txt_servfail,      dns_dnssec_bogus,
                                             dkim_cname_missing, dkim_name_doubled,      dkim_cname_target,
                                             dkim_cname_proxied, dns_delegation_mismatch};
  static const std::vector<Code> kDkim = [] {
    auto all = kRecords;
    all.insert(all.end(), {dkim_no_key, dkim_key_bad, dkim_pending, dkim_failed, dkim_lost, dkim_revoked, dkim_disabled,
                           dkim_switching, deed_replica, region_not_set_up, identity_address_override});
    return all;
  }();
  static const std::vector<Code> kBothLegs = [] {
    auto all = kDkim;
    all.insert(all.end(), {only_amazonses_signature, dkim_strict_parent, orgdomain_split, mailfrom_default,
                           mailfrom_fallback, mailfrom_mx, mailfrom_spf, spf_strict_never});
    return all;
  }();
  const std::vector<std::pair<Code, std::vector<Code>>> consequences = {{dkim_pending, kRecords},
                                                                        {dkim_failed, kRecords},
                                                                        {dkim_lost, kRecords},
                                                                        {only_amazonses_signature, kDkim},
                                                                        {mailfrom_fallback, {mailfrom_mx}},
                                                                        {mailfrom_reject, {mailfrom_mx}},
                                                                        {dmarc_none_aligned, kBothLegs}};
  for (const auto& [code, causes] : consequences) {
    const auto at = std::ranges::find(findings, code, &Finding::code);
    auto behind = at;
    for (auto each = at; each != findings.end(); ++each)
      if (std::ranges::find(causes, each->code) != causes.end()) behind = each + 1;
    if (behind != at) std::rotate(at, at + 1, behind);
  }
}

// What is said of a message in transit: here there is none.
void reword(Examination& examination) {
  constexpr std::string_view kTransit = "; the mail is let pass.", kAdvice = "Let the mail pass; ";
  auto& why = examination.prediction.why;
  if (why.ends_with(kTransit)) why.replace(why.size() - kTransit.size(), kTransit.size(), ".");
  // Of a finding it stands in the middle of the sentence.
  constexpr std::string_view kWithin = "; let the mail pass";
  if (const auto at = why.find(kWithin); at != std::string::npos) why.erase(at, kWithin.size());
  for (auto& finding : examination.findings)
    if (finding.advice.starts_with(kAdvice)) {
      finding.advice.erase(0, kAdvice.size());
      finding.advice.front() = to_upper(finding.advice.front());
    }
}

}  // namespace

const char* to_string(RecordVerdict verdict) {
  switch (verdict) {
    case RecordVerdict::ok:
      return "ok";
    case RecordVerdict::info:
      return "info";
    case RecordVerdict::warning:
      return "warning";
    case RecordVerdict::error:
      return "error";
    case RecordVerdict::unknown:
      break;
  }
  return "unknown";
}

const char* to_string(Source source) {
  switch (source) {
    case Source::none:
      return "none";
    case Source::arguments:
      return "arguments";
    case Source::configuration:
      return "configuration";
    case Source::snapshot:
      break;
  }
  return "snapshot";
}

const char* to_string(Examination::State state) {
  switch (state) {
    case Examination::State::fine:
      return "fine";
    case Examination::State::bad:
      return "bad";
    case Examination::State::undecided:
      break;
  }
  return "undecided";
}

Examiner::Examiner(const Examining& means, const std::string& subject)
    : means_(means),
      world_(means.world),
      from_(author_of(world_.account, subject)),
      walk_(world_.resolver, dmarc::Vintage::rfc9989, nullptr, world_.deadline),
      list_(world_.resolver, dmarc::Vintage::rfc7489, world_.suffixes, world_.deadline) {
  result_.subject = subject;
  result_.domain = from_.domain;
  result_.time = world_.now;
  result_.account = world_.account.name;
  result_.region = world_.account.region;
  result_.sandbox = !world_.account.standing.production_access;
}

Examination Examiner::run() && {
  find_identity();
  by_walk_ = walk_.discover(from_.domain);
  by_list_ = list_.discover(from_.domain);
  result_.source == Source::none ? predict_without_identity() : predict_mail();
  check_dkim();
  check_mail_from();
  check_dmarc();
  check_apex();
  check_amazon("amazonses.com");
  if (const auto usual = default_mail_from(result_.region); usual != "amazonses.com" && result_.identity)
    check_amazon(usual);
  publish_mail_from();
  publish_dmarc();
  report_bogus_zones();
  put_causes_first(result_.findings);
  reword(result_);
  conclude();
  return std::move(result_);
}

void Examiner::find_identity() {
  if (const auto* identity = world_.account.covering(from_)) result_.identity = *identity;
  const bool nothing_known = world_.account.identities.empty();
  result_.source = nothing_known                                 ? Source::none
                   : result_.identity && result_.identity->as_of ? Source::snapshot
                                                                 : means_.source;
  const auto& own = result_.identity;
  for (const auto& account : world_.accounts)
    for (const auto& identity : account.identities) {
      const bool same = own && identity.region == own->region && identity.account == own->account;
      const auto place = place_of(identity);
      // An account is there once for each of its regions, with the same identities.
      const bool told = std::ranges::find(result_.elsewhere, place) != result_.elsewhere.end();
      if (!same && !told && identity.name == (own ? own->name : result_.domain)) result_.elsewhere.push_back(place);
    }
  if (!own || !world_.observer) return;
  result_.history = history_for(world_, *own);
  result_.mail_from_clocks = mail_from_clocks_of(world_, *own, *result_.history);
}

void Examiner::predict_mail() {
  result_.prediction = predict_for(world_, from_);
  result_.findings = result_.prediction.findings;
  merge_repeats();
  if (!result_.identity) return;
  align(Identifier::dkim, std::string(result_.identity->domain()));
  const auto& custom = result_.identity->mail_from.domain;
  if (!custom.empty()) align(Identifier::mail_from, custom);
  if (custom.empty() || result_.prediction.spf.domain != custom)
    align(Identifier::mail_from, default_mail_from(result_.identity->region));
  align(Identifier::dkim, "amazonses.com");
}

// What DNS alone can tell: the policy, whatever SES would do.
void Examiner::predict_without_identity() {
  auto account = world_.account;
  Identity identity;
  identity.name = result_.domain;
  identity.region = account.region;
  identity.account = account.name;
  account.identities.edit().push_back(identity);
  const Surroundings world{.resolver = world_.resolver,
                           .account = account,
                           .deadline = world_.deadline,
                           .suffixes = world_.suffixes,
                           .now = world_.now};
  const auto supposed = predict_for(world, from_);
  auto& prediction = result_.prediction;
  prediction.account = result_.account;
  prediction.region = result_.region;
  prediction.rfc9989 = supposed.rfc9989;
  prediction.rfc7489 = supposed.rfc7489;
  prediction.dkim.usable = prediction.spf.usable = Tri::unknown;
  prediction.dkim.aligned = prediction.spf.aligned = {Tri::unknown, Tri::unknown};
  for (const auto& each : supposed.findings)
    if (is_about_dmarc(each.code)) prediction.findings.push_back(each);
  prediction.why = "What SES has set up for " + result_.domain +
                   " is not known here: its DKIM tokens and MAIL FROM cannot be found in DNS.";
  prediction.dkim.reason = prediction.spf.reason = "what SES has set up for " + result_.domain + " is not known";
  result_.findings = prediction.findings;
  align(Identifier::dkim, result_.domain);
}

void Examiner::align(Identifier identifier, const std::string& domain) {
  const bool is_dkim = identifier == Identifier::dkim;
  const auto mode_of = [&](const dmarc::Discovery& found) -> std::optional<dmarc::Mode> {
    using DmarcState = dmarc::Discovery::State;
    if (found.state != DmarcState::found && found.state != DmarcState::absent) return std::nullopt;
    return is_dkim ? found.record.adkim : found.record.aspf;
  };
  const auto in_mode = [](std::optional<dmarc::Mode> mode, Tri relaxed, Tri strict) {
    if (!mode) return agree(relaxed, strict);
    return *mode == dmarc::Mode::strict ? strict : relaxed;
  };
  const auto aligned = [&](dmarc::Mode mode) {
    return Aligned{walk_.aligned(by_walk_, domain, mode), list_.aligned(by_list_, domain, mode)};
  };
  AlignmentCheck check;
  check.identifier = is_dkim ? "d=" : "MAIL FROM";
  check.domain = domain;
  check.mode_rfc9989 = mode_of(by_walk_);
  check.mode_rfc7489 = mode_of(by_list_);
  check.relaxed = aligned(dmarc::Mode::relaxed);
  check.strict = aligned(dmarc::Mode::strict);
  check.published = {in_mode(check.mode_rfc9989, check.relaxed.rfc9989, check.strict.rfc9989),
                     in_mode(check.mode_rfc7489, check.relaxed.rfc7489, check.strict.rfc7489)};
  result_.alignment.push_back(std::move(check));
}

dns::AnswerPtr Examiner::ask(const std::string& name, dns::Type type) {
  auto answer = world_.resolver.lookup(name, type, world_.deadline);
  if (!means_.unchecked || answer->status != dns::Status::servfail) return answer;
  // RFC 4035 Section 5.5: what fails validation is SERVFAIL, unless checking is disabled.
  if (dns::is_temporary(means_.unchecked->lookup(name, type, world_.deadline)->status)) return answer;
  const auto alias = world_.resolver.lookup(name, dns::Type::cname, world_.deadline);
  const bool leads_on = type != dns::Type::cname && alias->status == dns::Status::ok && !alias->names.empty();
  bogus_.insert(zone_of(leads_on ? alias->names.front() : name));
  return answer;
}

std::string Examiner::zone_of(std::string_view name) const {
  return world_.suffixes ? world_.suffixes->organizational_domain(name) : std::string(name);
}

// The envelope sender is made up here from the author: what is said of both is said once.
void Examiner::merge_repeats() {
  const auto what = [](const Finding& finding) {
    std::string_view text = finding.text;
    for (const std::string_view field : {"From ", "envelope sender "})
      if (text.starts_with(field)) return text.substr(field.size());
    return text;
  };
  std::vector<Finding> once;
  for (const auto& finding : result_.findings) {
    const auto same = [&](const Finding& told) { return told.code == finding.code && what(told) == what(finding); };
    if (std::ranges::none_of(once, same)) once.push_back(finding);
  }
  result_.findings = std::move(once);
}

bool Examiner::has(Code code) const {
  return std::ranges::find(result_.findings, code, &Finding::code) != result_.findings.end();
}

void Examiner::report_bogus_zones() {
  if (has(Code::dns_dnssec_bogus)) return;
  for (const auto& zone : bogus_) {
    auto cause = make_finding(Code::dns_dnssec_bogus, {{"zone", zone}});
    result_.findings.insert(result_.findings.begin(), std::move(cause));
  }
}

void Examiner::conclude() {
  using enum Examination::State;
  const auto any = [&](Severity severity) {
    return std::ranges::find(result_.findings, severity, &Finding::severity) != result_.findings.end();
  };
  const bool silent =
      std::ranges::find(result_.records, RecordVerdict::unknown, &RecordCheck::verdict) != result_.records.end();
  const bool open = silent || result_.source == Source::none || result_.prediction.verdict == Verdict::unknown;
  result_.state = any(Severity::error) ? bad : open || any(Severity::unknown) ? undecided : fine;
}

Examination examine(const Examining& means, const std::string& subject) {
  return Examiner(means, subject).run();
}

void prefetch_examination(dns::Resolver& resolver, const Account& account, const std::string& subject) {
  const auto from = author_of(account, subject);
  prefetch(resolver, account, from);
  resolver.prefetch(from.domain, dns::Type::txt);
  resolver.prefetch("amazonses.com", dns::Type::txt);
  for (const auto& name : dmarc::walk_names(from.domain)) resolver.prefetch("_dmarc." + name, dns::Type::txt);
  if (const auto* identity = account.covering(from))
    for (const auto& token : identity->dkim.tokens)
      resolver.prefetch(dkim::key_name(token, identity->domain()), dns::Type::cname);
}

}  // namespace sesame::ses
