#include "ses/predict.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "dkim/key.h"
#include "ses/legs.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

int rank(const Finding& finding) {
  switch (finding.severity) {
    case Severity::error:
      return 1;
    case Severity::warning:
      return 2;
    case Severity::unknown:
      return 3;
    case Severity::info:
      break;
  }
  return 4;
}

// One vintage of receiver: its policy, and how it sees each leg.
class Receiver {
 public:
  Receiver(const Surroundings& world, dmarc::Vintage vintage, std::shared_ptr<const dmarc::PublicSuffixList> suffixes,
           const std::string& from_domain)
      : evaluator_(world.resolver, vintage, std::move(suffixes), world.deadline),
        discovery_(evaluator_.discover(from_domain)) {}

  const dmarc::Discovery& discovery() const { return discovery_; }
  bool decided() const {
    return discovery_.state == dmarc::Discovery::State::found || discovery_.state == dmarc::Discovery::State::absent;
  }
  dmarc::Mode dkim_mode() const { return discovery_.record.adkim; }
  dmarc::Mode spf_mode() const { return discovery_.record.aspf; }

  Tri aligned(const std::string& domain, dmarc::Mode mode) {
    return domain.empty() ? Tri::no : evaluator_.aligned(discovery_, domain, mode);
  }

  // The name without whose answer it is not known whether `domain` aligns.
  std::string doubt(const std::string& domain) {
    return evaluator_.organizational_domain(discovery_.org_domain.empty() ? discovery_.domain : domain).reason;
  }

  DmarcPrediction conclude(Tri any_leg) const {
    using Result = DmarcPrediction::Result;
    DmarcPrediction prediction;
    prediction.discovery = discovery_;
    prediction.policy = discovery_.policy;
    if (discovery_.state == dmarc::Discovery::State::absent) {
      prediction.result = Result::none;
    } else if (decided()) {
      prediction.result = any_leg == Tri::yes ? Result::pass : any_leg == Tri::no ? Result::fail : Result::unknown;
    }
    return prediction;
  }

 private:
  dmarc::Evaluator evaluator_;
  dmarc::Discovery discovery_;
};

struct Both {
  Tri rfc9989 = Tri::no;
  Tri rfc7489 = Tri::no;
};

const mail::Field* find_field(std::span<const mail::Field> fields, std::string_view name) {
  for (const auto& field : fields)
    if (mail::is_named(field, name)) return &field;
  return nullptr;
}

// Builds one prediction. The steps are called in the order in which they stand.
class Predictor {
 public:
  Predictor(dns::Resolver& resolver, const Account& account, const Submission& submission,
            std::shared_ptr<const dmarc::PublicSuffixList> suffixes, Deadline deadline)
      : world_{resolver, account, deadline}, submission_(submission), suffixes_(std::move(suffixes)) {
    result_.region = account.region;
  }

  Prediction run() && {
    check_refusals();
    if (submission_.author.usable()) {
      from_ = submission_.author.mailboxes.front();
      choose_identity();
      judge_legs();
      conclude_dmarc();
    } else {
      auto finding = make_finding(Code::from_ambiguous, {{"reason", submission_.author.problem}});
      // https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html: From is required.
      find_field(submission_.fields, "From") ? add(std::move(finding)) : refuse(std::move(finding));
      result_.rfc9989.result = result_.rfc7489.result = DmarcPrediction::Result::fail;
    }
    conclude();
    return std::move(result_);
  }

 private:
  void add(Finding finding) { result_.findings.push_back(std::move(finding)); }
  void refuse(Finding finding) {
    refused_ = Tri::yes;
    add(std::move(finding));
  }

  void check_refusals();
  void check_verified(std::string_view field, const std::optional<mail::Mailbox>& mailbox, std::string_view as_written);
  void check_address_fields();
  void choose_identity();
  void judge_legs();
  void judge_dkim(Receiver& walk, Receiver& list);
  void judge_upstream(Receiver& walk, Receiver& list);
  void judge_spf(Receiver& walk, Receiver& list);
  void add_sender_settings(SesMailFrom& outcome);
  void report_mail_from(SesMailFrom outcome);
  void report_override(const SesSignature& signature);
  void report_dkim_alignment(Receiver& walk, Receiver& list);
  void report_spf_alignment(Receiver& walk, Receiver& list);
  void report_split(const std::string& domain, const Aligned& aligned, dmarc::Mode mode, const Receiver& list);
  void report_unusable_records(const dmarc::Discovery& walk, const dmarc::Discovery& list);
  void report_policy(Receiver& walk, Receiver& list);
  void report_undecided_alignment(Receiver& walk);
  void conclude_dmarc();
  void conclude();
  bool decides(const Finding& finding) const;
  void order_findings();
  Confidence confidence() const;
  std::string why() const;
  std::string why_pass() const;
  std::string why_unknown() const;

  Surroundings world_;
  const Submission& submission_;
  std::shared_ptr<const dmarc::PublicSuffixList> suffixes_;
  Prediction result_;
  mail::Mailbox from_;
  const Identity* identity_ = nullptr;
  Tri refused_ = Tri::no;
  bool foreign_identity_ = false;  // sending authorization: another account's settings apply
  Both dkim_passes_, spf_passes_;
  Basis dkim_basis_ = Basis::given, spf_basis_ = Basis::given;
  std::vector<Code> undecided_by_;   // what a leg found that is itself undecided
  std::vector<std::string> doubts_;  // what made it undecided, where no finding says so
  std::optional<DmarcPrediction> walk_, list_;
};

// ---- what SES will refuse ------------------------------------------------------------------------------------------

void Predictor::check_refusals() {
  // Another account's identity, named by ARN: its settings are not visible from here.
  // https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html
  for (const auto name : {"X-SES-SOURCE-ARN", "X-SES-FROM-ARN"}) {
    const auto* field = find_field(submission_.fields, name);
    if (!field || foreign_identity_) continue;
    foreign_identity_ = true;
    add(make_finding(Code::owner_settings_unknown, {{"arn", std::string(trim(field->value))}}));
  }
  if (submission_.envelope.mail_from.empty()) refuse(make_finding(Code::null_sender, {}));
  for (const auto& duplicate : duplicates(submission_.fields))
    refuse(make_finding(Code::dup_header, {{"name", duplicate.name}, {"count", std::to_string(duplicate.count)}}));
  if (submission_.envelope.recipients.size() > kMaxRecipients)
    refuse(
        make_finding(Code::too_many_recipients, {{"count", std::to_string(submission_.envelope.recipients.size())}}));
  if (!foreign_identity_) check_address_fields();
}

// From, Sender, Return-Path and the envelope sender must each be covered by a verified identity.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
void Predictor::check_address_fields() {
  for (const auto& mailbox : submission_.author.mailboxes) check_verified("From", mailbox, mailbox.address());
  if (!submission_.envelope.mail_from.empty())
    check_verified("envelope sender", mail::parse_path(submission_.envelope.mail_from), submission_.envelope.mail_from);
  for (const auto name : {"Sender", "Return-Path"}) {
    const auto* field = find_field(submission_.fields, name);
    if (!field) continue;
    const auto mailboxes = mail::parse_mailboxes(field->value);
    if (!mailboxes) continue;
    for (const auto& mailbox : *mailboxes) check_verified(name, mailbox, mailbox.address());
  }
}

void Predictor::check_verified(std::string_view field, const std::optional<mail::Mailbox>& mailbox,
                               std::string_view as_written) {
  const auto* identity = mailbox ? world_.account.covering(*mailbox) : nullptr;
  if (identity && identity->verified_for_sending) return;
  const auto finding = make_finding(
      Code::from_unverified,
      {{"field", std::string(field)}, {"address", std::string(as_written)}, {"region", world_.account.region}});
  const auto same = [&](const Finding& other) { return other.text == finding.text; };
  if (std::ranges::any_of(result_.findings, same)) return;
  if (identity)
    refuse(make_finding(Code::sending_blocked,
                        {{"identity", identity->name}, {"reason", "it is not verified for sending"}}));
  refuse(finding);
}

// ---- the two legs --------------------------------------------------------------------------------------------------

void Predictor::choose_identity() {
  if (foreign_identity_) return;
  identity_ = world_.account.covering(from_);
  if (!identity_) return;
  result_.identity = identity_->name;
  result_.identity_kind = identity_->is_address() ? Prediction::Kind::address : Prediction::Kind::domain;
}

void Predictor::judge_legs() {
  Receiver walk(world_, dmarc::Vintage::rfc9989, nullptr, from_.domain);
  Receiver list(world_, dmarc::Vintage::rfc7489, suffixes_, from_.domain);
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
    const Both passes{both(verifies, aligned.rfc9989), both(verifies, aligned.rfc7489)};
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
    const Both passes{both(domain.usable, aligned.rfc9989), both(domain.usable, aligned.rfc7489)};
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

// ---- DMARC ---------------------------------------------------------------------------------------------------------

void Predictor::report_dkim_alignment(Receiver& walk, Receiver& list) {
  const auto& leg = result_.dkim;
  if (leg.usable == Tri::no) return;
  if (leg.aligned.rfc9989 == Tri::no && walk.dkim_mode() == dmarc::Mode::strict &&
      walk.aligned(leg.domain, dmarc::Mode::relaxed) == Tri::yes)
    add(make_finding(
        Code::dkim_strict_parent,
        {{"domain", leg.domain}, {"from", from_.domain}, {"record", "_dmarc." + walk.discovery().record_domain}}));
  report_split(leg.domain, leg.aligned, walk.dkim_mode(), list);
}

void Predictor::report_spf_alignment(Receiver& walk, Receiver& list) {
  const auto& leg = result_.spf;
  const bool custom = !leg.domain.empty() && leg.domain == identity_->mail_from.domain;
  if (custom && leg.aligned.rfc9989 == Tri::no && walk.spf_mode() == dmarc::Mode::strict &&
      walk.aligned(leg.domain, dmarc::Mode::relaxed) == Tri::yes)
    add(make_finding(
        Code::spf_strict_never,
        {{"domain", leg.domain}, {"from", from_.domain}, {"record", "_dmarc." + walk.discovery().record_domain}}));
  if (leg.domain != result_.dkim.domain) report_split(leg.domain, leg.aligned, walk.spf_mode(), list);
}

// The two vintages of receiver disagree about one domain.
void Predictor::report_split(const std::string& domain, const Aligned& aligned, dmarc::Mode mode,
                             const Receiver& list) {
  if (mode == dmarc::Mode::strict || aligned.rfc9989 == aligned.rfc7489) return;
  if (aligned.rfc9989 == Tri::unknown || aligned.rfc7489 == Tri::unknown) return;
  const bool walk_aligns = aligned.rfc9989 == Tri::yes;
  add(make_finding(Code::orgdomain_split, {{"from", from_.domain},
                                           {"domain", domain},
                                           {"org", list.discovery().org_domain},
                                           {"yes", walk_aligns ? "RFC 9989" : "RFC 7489"},
                                           {"no", walk_aligns ? "RFC 7489" : "RFC 9989"}}));
}

const char* effect_of(const dmarc::Discovery& found) {
  using State = dmarc::Discovery::State;
  return found.state == State::found    ? "find a policy"
         : found.state == State::absent ? "find no policy"
                                        : "are undecided";
}

void Predictor::report_unusable_records(const dmarc::Discovery& walk, const dmarc::Discovery& list) {
  std::vector<std::string> records;
  for (const auto& problem : walk.problems)
    // The other kind of problem, an author domain that did not answer, is no fault of a record.
    if (problem.starts_with("_dmarc.")) records.push_back(problem);
  if (records.empty()) return;
  const std::string newer = effect_of(walk), older = effect_of(list);
  add(make_finding(Code::dmarc_invalid,
                   {{"reason", join(records, "; ")},
                    {"effect", newer == older ? "receivers " + newer
                                              : "receivers of RFC 9989 " + newer + ", those of RFC 7489 " + older}}));
}

void Predictor::report_policy(Receiver& walk, Receiver& list) {
  using State = dmarc::Discovery::State;
  const auto& found = walk.discovery();
  report_unusable_records(found, list.discovery());
  if (found.state == State::absent)
    add(make_finding(Code::dmarc_absent,
                     {{"from", from_.domain}, {"org", found.org_domain.empty() ? from_.domain : found.org_domain}}));
  if (!walk.decided() || !list.decided()) {
    const bool older = walk.decided();
    add(make_finding(Code::dmarc_temperror,
                     {{"what", "The DMARC policy of " + from_.domain + (older ? " for receivers of RFC 7489" : "")},
                      {"from", from_.domain},
                      {"reason", older ? list.discovery().reason : found.reason}}));
  } else {
    report_undecided_alignment(walk);
  }
}

// The policy is known, yet a look-up that alignment needs was not answered.
void Predictor::report_undecided_alignment(Receiver& walk) {
  for (const auto& [domain, aligned, passes] :
       {std::tuple(result_.dkim.domain, result_.dkim.aligned.rfc9989, dkim_passes_.rfc9989),
        std::tuple(result_.spf.domain, result_.spf.aligned.rfc9989, spf_passes_.rfc9989)}) {
    if (aligned != Tri::unknown || passes != Tri::unknown) continue;
    const auto reason = walk.doubt(domain);
    if (reason.empty()) continue;
    add(make_finding(
        Code::dmarc_temperror,
        {{"what", "Whether " + domain + " aligns with " + from_.domain}, {"from", from_.domain}, {"reason", reason}}));
    return;
  }
}

void Predictor::conclude_dmarc() {
  result_.rfc9989 = *walk_;
  result_.rfc7489 = *list_;
  if (result_.rfc9989.result != DmarcPrediction::Result::fail) return;
  for (auto& finding : result_.findings)
    if (finding.code == Code::orgdomain_split) finding.severity = Severity::error;
  add(make_finding(Code::dmarc_none_aligned,
                   {{"from", from_.domain}, {"domain", identity_ ? std::string(identity_->domain()) : from_.domain}}));
}

// ---- the verdict ---------------------------------------------------------------------------------------------------

void Predictor::conclude() {
  using Result = DmarcPrediction::Result;
  if (refused_ == Tri::yes) {
    result_.verdict = Verdict::refused;
  } else if (refused_ == Tri::unknown) {
    result_.verdict = Verdict::unknown;
  } else {
    switch (result_.rfc9989.result) {
      case Result::pass:
        result_.verdict = Verdict::pass;
        break;
      case Result::fail:
        result_.verdict = Verdict::fail;
        break;
      case Result::none:
        result_.verdict = Verdict::none;
        break;
      case Result::unknown:
        result_.verdict = Verdict::unknown;
        break;
    }
  }
  order_findings();
  result_.confidence = confidence();
  result_.why = why();
}

// Does this finding belong to what made the verdict what it is?
bool Predictor::decides(const Finding& finding) const {
  using enum Code;
  switch (result_.verdict) {
    case Verdict::refused:
      return finding.code == null_sender || finding.code == dup_header || finding.code == from_unverified ||
             finding.code == sending_blocked || finding.code == too_many_recipients ||
             finding.code == mailfrom_reject || finding.code == from_ambiguous;
    case Verdict::none:
      return finding.code == dmarc_invalid || finding.code == dmarc_absent;
    case Verdict::unknown:
      return finding.severity == Severity::unknown ||
             (finding.severity == Severity::error &&
              std::ranges::find(undecided_by_, finding.code) != undecided_by_.end());
    default:
      return false;
  }
}

// The cause that decides stands first, then what is worst. Where nothing is wrong the order of the steps is kept.
void Predictor::order_findings() {
  if (result_.verdict == Verdict::pass) return;
  const bool fault = result_.verdict != Verdict::none;
  std::ranges::stable_sort(result_.findings, {}, [&](const Finding& f) {
    return decides(f) ? 0 : fault ? rank(f) : 1;
  });
}

Confidence Predictor::confidence() const {
  const auto of = [](Basis basis) { return basis == Basis::given ? Confidence::confirmed : Confidence::likely; };
  const bool dkim_given = dkim_basis_ == Basis::given, spf_given = spf_basis_ == Basis::given;
  switch (result_.verdict) {
    case Verdict::unknown:
      return Confidence::unknown;
    case Verdict::refused:
      return Confidence::confirmed;
    case Verdict::pass:
      return of((dkim_passes_.rfc9989 == Tri::yes && dkim_given) || (spf_passes_.rfc9989 == Tri::yes && spf_given)
                    ? Basis::given
                    : Basis::inferred);
    case Verdict::fail:
    case Verdict::none:
      break;
  }
  return of(dkim_given && spf_given ? Basis::given : Basis::inferred);
}

std::string sentence(const Finding& finding) {
  auto advice = finding.advice;
  // "Publish ..." goes on in lower case; "MX ..." and "SES ..." do not.
  if (advice.size() > 1 && !(advice[1] >= 'A' && advice[1] <= 'Z')) advice[0] = to_lower(advice[0]);
  return finding.text + "; " + advice;
}

std::string Predictor::why() const {
  const auto& findings = result_.findings;
  const auto domain = printable(from_.domain);
  switch (result_.verdict) {
    case Verdict::pass:
      return why_pass();
    case Verdict::unknown:
      return why_unknown();
    case Verdict::refused:
      return sentence(findings.front());
    case Verdict::fail:
      if (findings.front().code == Code::dmarc_none_aligned) return sentence(findings.front());
      return (domain.empty() ? std::string("DMARC will fail: ") : "DMARC will fail for " + domain + ": ") +
             sentence(findings.front());
    case Verdict::none:
      break;
  }
  return sentence(findings.front());
}

std::string Predictor::why_pass() const {
  const auto start = "DMARC will pass for " + printable(from_.domain);
  const bool dkim = dkim_passes_.rfc9989 == Tri::yes, spf = spf_passes_.rfc9989 == Tri::yes;
  if (dkim && spf)
    return start + ": DKIM d=" + result_.dkim.domain + " and SPF of " + result_.spf.domain + " both align.";
  const auto text =
      start + " by " + (dkim ? "DKIM d=" + result_.dkim.domain : "SPF of " + result_.spf.domain) + " alone";
  for (const auto& finding : result_.findings)
    if (finding.severity == Severity::error || finding.severity == Severity::warning)
      return text + ": " + sentence(finding);
  return text + ".";
}

std::string Predictor::why_unknown() const {
  const auto start = "No prediction for " + (from_.domain.empty() ? "this message" : printable(from_.domain)) + ": ";
  if (!result_.findings.empty() && decides(result_.findings.front())) return start + sentence(result_.findings.front());
  return start + (doubts_.empty() ? "DNS did not answer in time" : printable(doubts_.front())) +
         "; the mail is let pass.";
}

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::none:
      return "none";
    case Verdict::refused:
      return "refused";
    case Verdict::unknown:
      break;
  }
  return "unknown";
}

const char* to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::confirmed:
      return "confirmed";
    case Confidence::likely:
      return "likely";
    case Confidence::unknown:
      break;
  }
  return "unknown";
}

const char* to_string(DmarcPrediction::Result result) {
  using Result = DmarcPrediction::Result;
  switch (result) {
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::none:
      return "none";
    case Result::unknown:
      break;
  }
  return "unknown";
}

const char* to_string(Prediction::Kind kind) {
  switch (kind) {
    case Prediction::Kind::address:
      return "address";
    case Prediction::Kind::domain:
      return "domain";
    case Prediction::Kind::none:
      break;
  }
  return "none";
}

Prediction predict(dns::Resolver& resolver, const Account& account, const Submission& submission,
                   std::shared_ptr<const dmarc::PublicSuffixList> suffixes, Deadline deadline) {
  return Predictor(resolver, account, submission, std::move(suffixes), deadline).run();
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
