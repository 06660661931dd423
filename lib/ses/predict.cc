#include "ses/predict.h"

#include <algorithm>
#include <utility>

#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// What becomes of the leg depends on settings that are not known.
template <typename Leg>
void leave_open(Leg& leg, Aligned& passes, const std::string& reason) {
  leg.usable = Tri::unknown;
  leg.aligned = passes = {Tri::unknown, Tri::unknown};
  leg.reason = reason;
}

std::string doubt_about(const Identity& rival) {
  if (rival.verified_for_sending)
    return "the authors are covered by several identities, and whose settings apply is not known";
  return "whether " + rival.name + " has been verified since is not known, and its settings would apply then";
}

}  // namespace

Prediction Predictor::run() && {
  check_refusals();
  if (submission_.author.usable()) {
    from_ = submission_.author.mailboxes.front();
    choose_identity();
    choose_configuration_set();
    judge_legs();
    conclude_dmarc();
  } else {
    choose_configuration_set();
    report_unclear_author();
  }
  check_shape();
  report_contradiction();
  conclude();
  return std::move(result_);
}

Prediction Predictor::undescribed() && {
  const auto& account = world_.account;
  const auto what = "no SES identity is known for the account" + (account.name.empty() ? "" : " " + account.name) +
                    (account.region.empty() ? "" : " in " + account.region);
  leave_open(result_.dkim, dkim_passes_, what);
  leave_open(result_.spf, spf_passes_, what);
  result_.why = "No prediction: " + what + "; list those it has under [[ses.identity]] or run sesame sync.";
  return std::move(result_);
}

void Predictor::report_unclear_author() {
  using Result = DmarcPrediction::Result;
  const auto& author = submission_.author;
  // Receivers that do not end a line there, or read over such an octet, may see one author, and the mail pass.
  if (author.contested) undecided_by_.push_back(Code::from_ambiguous);
  result_.rfc9989.result = result_.rfc7489.result = author.contested ? Result::unknown : Result::fail;
  // https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html: From is required.
  if (author.fields == 0) refused_ = either(refused_, author.contested ? Tri::unknown : Tri::yes);
  add(make_finding(Code::from_ambiguous,
                   {{"reason", author.problem}, {"who", author.contested ? "some receivers" : "receivers"}}));
}

void Predictor::choose_identity() {
  if (foreign_identity_) return;
  identity_ = world_.account.covering(from_);
  if (!identity_) return;
  result_.identity = identity_->name;
  result_.identity_kind = identity_->is_address() ? Prediction::Kind::address : Prediction::Kind::domain;
  result_.as_of = identity_->as_of;
}

void Predictor::judge_legs() {
  Receiver walk(world_, dmarc::Vintage::rfc9989, from_.domain);
  Receiver list(world_, dmarc::Vintage::rfc7489, from_.domain);
  if (foreign_identity_) {
    leave_open(result_.dkim, dkim_passes_, "the identity belongs to another account");
    leave_open(result_.spf, spf_passes_, "the identity belongs to another account");
  } else if (identity_) {
    judge_dkim(walk, list);
  } else {
    report_other_regions(Tri::no);
  }
  judge_upstream(walk, list);
  if (identity_) {
    judge_spf(walk, list);
    report_spf_alignment(walk, list);
  }
  report_policy(walk, list);
  report_apex();
  walk_ = std::move(walk).conclude(either(dkim_passes_.rfc9989, spf_passes_.rfc9989));
  list_ = std::move(list).conclude(either(dkim_passes_.rfc7489, spf_passes_.rfc7489));
}

void Predictor::judge_dkim(Receiver& walk, Receiver& list) {
  auto signature = predict_signature(world_, *identity_, from_);
  report_override(signature);
  report_foreign(signature);
  report_other_regions(signature.usable);
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
  if (const auto* other = rival()) {
    leave_open(leg, dkim_passes_, doubt_about(*other));
    doubts_.push_back(doubt_about(*other));
  }
}

// Another identity whose settings may apply: whose do to mail of several authors is not documented, and what was not
// verified long ago may be by now.
const Identity* Predictor::rival() const {
  for (const auto& author : submission_.author.mailboxes)
    for (const auto* other : {world_.account.covering(author), world_.account.may_cover(author)})
      if (other && other != identity_) return other;
  return nullptr;
}

// Which settings apply when another identity covers the envelope sender is not documented.
void Predictor::add_sender_settings(SesMailFrom& outcome) {
  if (foreign_return_path_) {
    if (outcome.refused == Tri::yes) outcome.refused = Tri::unknown;
    outcome.doubt = "whether the MAIL FROM settings of " + identity_->name +
                    " or those of another account's identity apply is not known";
    return;
  }
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
    const auto& spf = domain.spf;
    const Aligned passes{both(spf.passes, aligned.rfc9989), both(spf.passes, aligned.rfc7489)};
    if (first) {
      leg = {domain.domain, spf.worst, spf.passes, aligned, spf.reason};
      spf_passes_ = passes;
    } else {
      leg.result = worse(leg.result, spf.worst);
      leg.usable = agree(leg.usable, spf.passes);
      leg.aligned = {agree(leg.aligned.rfc9989, aligned.rfc9989), agree(leg.aligned.rfc7489, aligned.rfc7489)};
      spf_passes_ = {agree(spf_passes_.rfc9989, passes.rfc9989), agree(spf_passes_.rfc7489, passes.rfc7489)};
    }
    first = false;
  }
  if (outcome.possible.size() > 1) leg.reason = outcome.doubt;
  if (foreign_return_path_) leave_open(leg, spf_passes_, outcome.doubt);
  if (const auto* other = rival()) {
    leave_open(leg, spf_passes_, doubt_about(*other));
    outcome.refused = agree(outcome.refused, predict_mail_from(world_, *other, from_).refused);
    outcome.doubt = doubt_about(*other);
  }
  spf_basis_ = outcome.basis;
  if (refused_ != Tri::yes && outcome.refused == Tri::yes) refusal_basis_ = outcome.basis;
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
  return world.account.is_described() ? std::move(predictor).run() : std::move(predictor).undescribed();
}

}  // namespace sesame::ses
