#include "ses/predict.h"

#include <algorithm>
#include <utility>

#include "dkim/key.h"
#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {

Prediction Predictor::run() && {
  check_refusals();
  if (submission_.author.usable()) {
    from_ = submission_.author.mailboxes.front();
    choose_identity();
    judge_legs();
    conclude_dmarc();
  } else {
    auto finding = make_finding(Code::from_ambiguous, {{"reason", submission_.author.problem}});
    // https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html: From is required.
    submission_.author.fields > 0 ? add(std::move(finding)) : refuse(std::move(finding));
    result_.rfc9989.result = result_.rfc7489.result = DmarcPrediction::Result::fail;
  }
  conclude();
  return std::move(result_);
}

Prediction Predictor::undescribed() && {
  result_.dkim.usable = result_.spf.usable = Tri::unknown;
  result_.dkim.aligned = result_.spf.aligned = {Tri::unknown, Tri::unknown};
  result_.dkim.reason = result_.spf.reason = "the configuration names no SES identity";
  result_.why =
      "No prediction: the configuration names no SES identity; list those of the account under [[ses.identity]].";
  return std::move(result_);
}

void Predictor::choose_identity() {
  if (foreign_identity_) return;
  identity_ = world_.account.covering(from_);
  if (!identity_) return;
  result_.identity = identity_->name;
  result_.identity_kind = identity_->is_address() ? Prediction::Kind::address : Prediction::Kind::domain;
}

void Predictor::judge_legs() {
  Receiver walk(world_, dmarc::Vintage::rfc9989, from_.domain);
  Receiver list(world_, dmarc::Vintage::rfc7489, from_.domain);
  if (foreign_identity_) {
    result_.dkim.usable = result_.spf.usable = Tri::unknown;
    result_.dkim.aligned = result_.spf.aligned = {Tri::unknown, Tri::unknown};
    result_.dkim.reason = result_.spf.reason = "the identity belongs to another account";
    dkim_passes_ = spf_passes_ = {Tri::unknown, Tri::unknown};
  } else if (identity_) {
    judge_dkim(walk, list);
  }
  judge_upstream(walk, list);
  if (identity_) {
    judge_spf(walk, list);
    report_spf_alignment(walk, list);
  }
  report_policy(walk, list);
  walk_ = walk.conclude(either(dkim_passes_.rfc9989, spf_passes_.rfc9989));
  list_ = list.conclude(either(dkim_passes_.rfc7489, spf_passes_.rfc7489));
}

void Predictor::judge_dkim(Receiver& walk, Receiver& list) {
  auto signature = predict_signature(world_, *identity_, from_);
  report_override(signature);
  auto& leg = result_.dkim;
  leg.domain = signature.domain;
  leg.source = "ses";
  leg.usable = signature.usable;
  leg.reason = signature.reason;
  leg.aligned = {walk.aligned(leg.domain, walk.dkim_mode()), list.aligned(leg.domain, list.dkim_mode())};
  dkim_passes_ = {both(leg.usable, leg.aligned.rfc9989), both(leg.usable, leg.aligned.rfc7489)};
  dkim_basis_ = signature.basis;
  if (both(leg.usable, leg.aligned.rfc9989) == Tri::unknown && leg.usable == Tri::unknown)
    doubts_.push_back(signature.reason);
  // Where d= cannot align, that decides, and no record.
  report_dkim_alignment(walk, list);
  for (auto& finding : signature.findings) {
    if (dkim_passes_.rfc9989 == Tri::unknown) undecided_by_.push_back(finding.code);
    add(std::move(finding));
  }
}

// An address with an identity of its own does not use the settings of its domain.
void Predictor::report_override(const SesSignature& signature) {
  if (!identity_->is_address()) return;
  const auto* domain = world_.account.covering_domain(identity_->domain());
  if (!domain) return;
  const bool domain_signs =
      domain->dkim.signing_enabled && domain->dkim.status.value_or(Status::success) == Status::success;
  const bool loses_dkim = domain_signs && signature.usable != Tri::yes;
  const bool loses_mail_from = !domain->mail_from.domain.empty() && identity_->mail_from.domain.empty();
  if (!loses_dkim && !loses_mail_from) return;
  const bool open = loses_dkim && signature.usable == Tri::unknown;
  const auto severity = open ? Severity::unknown : loses_dkim ? Severity::error : Severity::warning;
  add(make_finding(Code::identity_address_override, severity,
                   {{"address", identity_->name},
                    {"effect", open ? "whether it signs as " + domain->name + " does is not known"
                                    : "its settings apply, not those of " + domain->name}}));
}

// Signatures already on the message stand for themselves, if SES leaves alone what they cover.
// https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html
void Predictor::judge_upstream(Receiver& walk, Receiver& list) {
  for (const auto& upstream : submission_.upstream) {
    if (upstream.domain.empty()) continue;
    const Aligned aligned{walk.aligned(upstream.domain, walk.dkim_mode()),
                          list.aligned(upstream.domain, list.dkim_mode())};
    const auto rewritten = std::ranges::find_if(upstream.signed_fields, is_rewritten);
    if (rewritten != upstream.signed_fields.end()) {
      const bool missed =
          upstream.result == dkim::Result::pass && aligned.rfc9989 == Tri::yes && dkim_passes_.rfc9989 != Tri::yes;
      add(make_finding(Code::upstream_sig_will_break, missed ? Severity::warning : Severity::info,
                       {{"domain", upstream.domain}, {"name", *rewritten}}));
      continue;
    }
    // RFC 6376 Section 3.6.1: under a key in testing it is no better than unsigned, which not every receiver heeds.
    const bool open =
        upstream.result == dkim::Result::temperror || (upstream.result == dkim::Result::pass && upstream.testing);
    const auto verifies = open ? Tri::unknown : tri(upstream.result == dkim::Result::pass);
    if (verifies == Tri::no) continue;
    const Aligned passes{both(verifies, aligned.rfc9989), both(verifies, aligned.rfc7489)};
    if (passes.rfc9989 == Tri::yes && dkim_passes_.rfc9989 != Tri::yes) {
      result_.dkim = {upstream.domain, "upstream", Tri::yes, aligned, ""};
      dkim_basis_ = Basis::inferred;
    }
    if (open && passes.rfc9989 == Tri::unknown)
      doubts_.push_back("the signature d=" + upstream.domain + " on the message: " + upstream.reason);
    dkim_passes_ = {either(dkim_passes_.rfc9989, passes.rfc9989), either(dkim_passes_.rfc7489, passes.rfc7489)};
  }
}

// Which settings apply when another identity covers the envelope sender is not documented.
void Predictor::add_sender_settings(SesMailFrom& outcome) {
  const auto sender = mail::parse_path(submission_.envelope.mail_from);
  const auto* other = sender ? world_.account.covering(*sender) : nullptr;
  if (!other || other == identity_ || other->mail_from == identity_->mail_from) return;
  auto alternative = predict_mail_from(world_, *other, from_);
  // Settings under which SES refuses give no envelope sender.
  if (outcome.refused == Tri::yes) outcome.possible = std::exchange(alternative.possible, {});
  if (alternative.refused == Tri::yes) alternative.possible.clear();
  for (auto& domain : alternative.possible)
    if (std::ranges::find(outcome.possible, domain.domain, &MailFromDomain::domain) == outcome.possible.end())
      outcome.possible.push_back(std::move(domain));
  outcome.refused = agree(outcome.refused, alternative.refused);
  if (alternative.basis == Basis::inferred) outcome.basis = Basis::inferred;
  outcome.doubt = "whether the MAIL FROM settings of " + identity_->name + " or those of " + other->name +
                  ", which covers the envelope sender, apply is not known";
}

void Predictor::judge_spf(Receiver& walk, Receiver& list) {
  auto outcome = predict_mail_from(world_, *identity_, from_);
  add_sender_settings(outcome);
  auto& leg = result_.spf;
  bool first = true;
  for (const auto& domain : outcome.possible) {
    const Aligned aligned{walk.aligned(domain.domain, walk.spf_mode()), list.aligned(domain.domain, list.spf_mode())};
    const Aligned passes{both(domain.usable, aligned.rfc9989), both(domain.usable, aligned.rfc7489)};
    if (first) {
      leg = {domain.domain, domain.result, domain.usable, aligned, domain.reason};
      spf_passes_ = passes;
    } else {
      leg.result = worse(leg.result, domain.result);
      leg.usable = agree(leg.usable, domain.usable);
      leg.aligned = {agree(leg.aligned.rfc9989, aligned.rfc9989), agree(leg.aligned.rfc7489, aligned.rfc7489)};
      spf_passes_ = {agree(spf_passes_.rfc9989, passes.rfc9989), agree(spf_passes_.rfc7489, passes.rfc7489)};
    }
    first = false;
  }
  if (outcome.possible.size() > 1) leg.reason = outcome.doubt;
  spf_basis_ = outcome.basis;
  refused_ = either(refused_, outcome.refused);
  report_mail_from(std::move(outcome));
}

void Predictor::report_mail_from(SesMailFrom outcome) {
  const bool open = spf_passes_.rfc9989 == Tri::unknown || outcome.refused == Tri::unknown;
  if (open && !outcome.doubt.empty()) {
    doubts_.push_back(outcome.doubt);
  } else if (open && !result_.spf.reason.empty()) {
    doubts_.push_back("SPF of " + result_.spf.domain + ": " + result_.spf.reason);
  }
  const bool alone = dkim_passes_.rfc9989 == Tri::no && spf_passes_.rfc9989 == Tri::no;
  for (auto& finding : outcome.findings) {
    if (open) undecided_by_.push_back(finding.code);
    // Without DKIM the loss of SPF alignment decides.
    if (alone && (finding.code == Code::mailfrom_default || finding.code == Code::mailfrom_fallback))
      finding.severity = Severity::error;
    add(std::move(finding));
  }
}

Prediction predict(const Surroundings& world, const Submission& submission) {
  Predictor predictor(world, submission);
  return world.account.identities.empty() ? std::move(predictor).undescribed() : std::move(predictor).run();
}

void prefetch(dns::Resolver& resolver, const Account& account, const mail::Mailbox& from) {
  dmarc::prefetch(resolver, from.domain);
  const auto* identity = account.covering(from);
  if (!identity) return;
  resolver.prefetch("amazonses.com", dns::Type::txt);
  for (const auto* settings : {identity, account.covering_domain(identity->domain())}) {
    if (!settings) continue;
    for (const auto& token : settings->dkim.tokens)
      resolver.prefetch(dkim::key_name(token, settings->domain()), dns::Type::txt);
  }
  if (identity->mail_from.domain.empty()) {
    resolver.prefetch(default_mail_from(identity->region), dns::Type::txt);
  } else {
    resolver.prefetch(identity->mail_from.domain, dns::Type::mx);
    resolver.prefetch(identity->mail_from.domain, dns::Type::txt);
  }
}

}  // namespace sesame::ses
