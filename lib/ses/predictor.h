// How a prediction is put together. Inside this folder only: predict.cc judges the legs, upstream.cc the signatures
// already on the message, coverage.cc where From's identity stands amiss, refusals.cc what SES will not take, lint.cc
// what it or a later hop may spoil, alignment.cc what receivers will see, verdict.cc what follows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ses/legs.h"
#include "ses/predict.h"

namespace sesame::ses {

// One vintage of receiver: its policy, and how it sees each leg.
class Receiver {
 public:
  Receiver(const Surroundings& world, dmarc::Vintage vintage, const std::string& from_domain)
      : evaluator_(world.resolver, vintage, vintage == dmarc::Vintage::rfc7489 ? world.suffixes : nullptr,
                   world.deadline),
        discovery_(evaluator_.discover(from_domain)) {}

  const dmarc::Discovery& discovery() const { return discovery_; }
  bool decided() const {
    return discovery_.state == dmarc::Discovery::State::found || discovery_.state == dmarc::Discovery::State::absent;
  }
  dmarc::Mode dkim_mode() const { return discovery_.record.adkim; }
  dmarc::Mode spf_mode() const { return discovery_.record.aspf; }

  Tri aligned(const std::string& domain, dmarc::Mode mode) {
    if (domain.empty()) return Tri::no;
    const auto found = evaluator_.aligned(discovery_, domain, mode);
    // A record that did not answer may ask for either mode.
    return decided() ? found : agree(found, evaluator_.aligned(discovery_, domain, dmarc::Mode::strict));
  }

  // The name without whose answer it is not known whether `domain` aligns.
  std::string doubt(const std::string& domain) {
    return evaluator_.organizational_domain(discovery_.org_domain.empty() ? discovery_.domain : domain).reason;
  }

  DmarcPrediction conclude(Tri any_leg) && {
    using Result = DmarcPrediction::Result;
    DmarcPrediction prediction;
    prediction.policy = discovery_.policy;
    if (discovery_.state == dmarc::Discovery::State::absent) {
      prediction.result = Result::none;
    } else if (decided()) {
      prediction.result = any_leg == Tri::yes ? Result::pass : any_leg == Tri::no ? Result::fail : Result::unknown;
    }
    prediction.discovery = std::move(discovery_);
    return prediction;
  }

 private:
  dmarc::Evaluator evaluator_;
  dmarc::Discovery discovery_;
};

// Builds one prediction. The steps are called in the order in which they stand.
class Predictor {
 public:
  Predictor(const Surroundings& world, const Submission& submission) : world_(world), submission_(submission) {
    result_.account = world.account.name;
    result_.region = world.account.region;
    result_.configuration_set = submission.configuration_set;
  }

  Prediction run() &&;
  // Where no identity is known, nothing is known of the account, so nothing of the message's fate.
  Prediction undescribed() &&;

 private:
  void add(Finding finding) { result_.findings.push_back(std::move(finding)); }
  // `certain`: yes, or unknown where what is said of the account may have changed since.
  void refuse(Finding finding, Tri certain = Tri::yes) {
    refused_ = either(refused_, certain);
    if (certain == Tri::yes) refusal_basis_ = Basis::given;
    if (certain == Tri::unknown) finding.severity = Severity::unknown;
    add(std::move(finding));
  }
  // The first of that name, which is the one that SES reads; null when there is none.
  const mail::Field* field_named(std::string_view name) const;

  void check_refusals();
  void note_owners();
  void check_standing();
  void check_sandbox();
  bool identities_are_aged() const;
  void check_verified(std::string_view field, const std::optional<mail::Mailbox>& mailbox, std::string_view as_written);
  void check_address_fields();
  void check_shape();
  void lint(std::string what, std::string effect, std::string remedy);
  void report_unclear_author();
  void choose_identity();
  void choose_configuration_set();
  void judge_legs();
  void judge_dkim(Receiver& walk, Receiver& list);
  void judge_upstream(Receiver& walk, Receiver& list);
  void judge_surviving(const dkim::Outcome& upstream, const Aligned& aligned);
  void report_breaking(const dkim::Outcome& upstream, const Aligned& aligned, const std::string& field);
  void report_tracked(const dkim::Outcome& upstream, const Aligned& aligned);
  bool is_tracked() const;
  bool is_plain_text() const;
  void judge_spf(Receiver& walk, Receiver& list);
  const Identity* rival() const;
  void add_sender_settings(SesMailFrom& outcome);
  void report_mail_from(SesMailFrom outcome);
  void report_override(const SesSignature& signature);
  void report_foreign(SesSignature& signature);
  void report_other_regions(Tri usable);
  std::vector<std::string> set_up_elsewhere(std::string& domain) const;
  void report_apex();
  void report_dkim_alignment(Receiver& walk, Receiver& list);
  void report_spf_alignment(Receiver& walk, Receiver& list);
  void report_split(const std::string& domain, const Aligned& aligned, dmarc::Mode mode, const Receiver& list);
  void report_unusable_records(const dmarc::Discovery& walk, const dmarc::Discovery& list);
  void report_policy(Receiver& walk, Receiver& list);
  void report_undecided_alignment(Receiver& walk);
  void conclude_dmarc();
  void report_contradiction();
  void conclude();
  bool decides(const Finding& finding) const;
  void order_findings();
  Confidence confidence() const;
  std::string why() const;
  std::string why_pass() const;
  std::string why_open(const Aligned& passes, const std::string& leg, Tri usable, const std::string& reason) const;
  std::string why_unknown() const;

  const Surroundings& world_;
  const Submission& submission_;
  Prediction result_;
  mail::Mailbox from_;
  const Identity* identity_ = nullptr;
  Tri refused_ = Tri::no;
  Basis refusal_basis_ = Basis::given;
  bool foreign_identity_ = false;     // sending authorization: another account's settings apply
  bool foreign_return_path_ = false;  // the same of the envelope sender only
  Aligned dkim_passes_, spf_passes_;
  Basis dkim_basis_ = Basis::given, spf_basis_ = Basis::given;
  std::vector<Code> undecided_by_;   // what a leg found that is itself undecided
  std::vector<std::string> doubts_;  // what made it undecided, where no finding says so
  std::optional<DmarcPrediction> walk_, list_;
};

}  // namespace sesame::ses
