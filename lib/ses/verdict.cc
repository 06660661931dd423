// What follows: verdict, confidence, the order of the findings, and the why-line.
#include <algorithm>
#include <tuple>

#include "ses/contradiction.h"
#include "ses/predictor.h"
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

// Does it concern the envelope sender that SES writes?
bool is_about_spf(Code code) {
  using enum Code;
  return code == mailfrom_default || code == mailfrom_fallback || code == mailfrom_reject || code == mailfrom_mx ||
         code == mailfrom_spf || code == spf_strict_never;
}

// Does it concern neither leg?
bool is_aside(Code code) {
  using enum Code;
  return code == ses_lint || code == upstream_sig_will_break || code == prediction_contradicted ||
         code == owner_settings_unknown || code == dmarc_invalid || code == dmarc_absent || code == dmarc_temperror;
}

// Fit to go on a sentence: "Publish ..." in lower case, "MX ..." and "SES ..." as they are.
std::string decapitalized(std::string text) {
  if (text.size() > 1 && !(text[1] >= 'A' && text[1] <= 'Z')) text[0] = to_lower(text[0]);
  return text;
}

std::string sentence(const Finding& finding) {
  return finding.text + "; " + decapitalized(finding.advice);
}

}  // namespace

void Predictor::report_contradiction() {
  if (!world_.observer || !identity_) return;
  const auto history = world_.observer->history_of(*identity_);
  if (!history.arrival) return;
  if (auto finding = contradiction(world_, result_, *history.arrival)) add(std::move(*finding));
}

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
  if (result_.verdict == Verdict::pass)
    result_.grade = dkim_passes_.rfc9989 != Tri::yes  ? Grade::spf_only
                    : spf_passes_.rfc9989 != Tri::yes ? Grade::dkim_only
                                                      : Grade::both_legs;
  order_findings();
  result_.confidence = confidence();
  result_.why = why();
}

// Does this finding belong to what made the verdict what it is?
bool Predictor::decides(const Finding& finding) const {
  using enum Code;
  switch (result_.verdict) {
    case Verdict::refused:
      return finding.severity == Severity::error &&
             (finding.code == null_sender || finding.code == dup_header || finding.code == from_unverified ||
              finding.code == sending_blocked || finding.code == too_many_recipients || finding.code == ses_lint ||
              finding.code == mailfrom_reject || finding.code == from_ambiguous);
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
  // What is said of an aged identity may have changed, what is not understood may mean anything, and whether SES takes
  // mail by another account's leave is not ours to know.
  // RFC 8767 Section 4: an answer past its time to live is used, and may no longer hold.
  const bool stale = world_.meter && world_.meter->cost().stale > 0;
  const bool inferred =
      stale || (identity_ && (identity_->aged || !identity_->is_understood())) || foreign_return_path_;
  const auto of = [inferred](Basis basis) {
    return basis == Basis::given && !inferred ? Confidence::confirmed : Confidence::likely;
  };
  const bool dkim_given = dkim_basis_ == Basis::given, spf_given = spf_basis_ == Basis::given;
  switch (result_.verdict) {
    case Verdict::unknown:
      return Confidence::unknown;
    case Verdict::refused:
      return refusal_basis_ == Basis::given ? Confidence::confirmed : Confidence::likely;
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
             decapitalized(sentence(findings.front()));
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
  // RFC 9989 Sections 7.4 and 8.
  const auto text = start + " by " +
                    (dkim ? "DKIM d=" + result_.dkim.domain + " alone, a single point of failure"
                          : "SPF of " + result_.spf.domain + " alone, which is fragile: forwarding breaks it");
  // Why the other leg is missing.
  for (const auto& finding : result_.findings)
    if ((finding.severity == Severity::error || finding.severity == Severity::warning) && !is_aside(finding.code) &&
        is_about_spf(finding.code) == dkim)
      return text + (dkim ? ": " : "; ") + decapitalized(sentence(finding));
  const auto& [domain, usable, reason] = dkim ? std::tie(result_.spf.domain, result_.spf.usable, result_.spf.reason)
                                              : std::tie(result_.dkim.domain, result_.dkim.usable, result_.dkim.reason);
  const auto leg = std::string(dkim ? "SPF" : "DKIM") + (domain.empty() ? "" : (dkim ? " of " : " d=") + domain);
  const auto open = why_open(dkim ? spf_passes_ : dkim_passes_, leg, usable, reason);
  return text + (open.empty() ? "" : (dkim ? ": " : "; ") + open) + ".";
}

// Why it is not known whether a leg passes; "" when it is known.
std::string Predictor::why_open(const Aligned& passes, const std::string& leg, Tri usable,
                                const std::string& reason) const {
  if (passes.rfc9989 != Tri::unknown) return "";
  // What SES adds is of no use then, so the doubt is about a signature already on the message.
  if (usable == Tri::no) return doubts_.empty() ? "" : printable(doubts_.front());
  const auto undecided = std::ranges::find(result_.findings, Code::dmarc_temperror, &Finding::code);
  if (usable == Tri::yes && undecided != result_.findings.end()) return decapitalized(undecided->text);
  return "whether " + leg + " passes is not known" + (reason.empty() ? "" : " (" + printable(reason) + ")");
}

std::string Predictor::why_unknown() const {
  const auto start = "No prediction for " + (from_.domain.empty() ? "this message" : printable(from_.domain)) + ": ";
  if (!result_.findings.empty() && decides(result_.findings.front()))
    return start + decapitalized(sentence(result_.findings.front()));
  return start + (doubts_.empty() ? "DNS did not answer in time" : printable(doubts_.front())) +
         "; the mail is let pass.";
}

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

const char* to_string(Grade grade) {
  switch (grade) {
    case Grade::both_legs:
      return "both-legs";
    case Grade::dkim_only:
      return "dkim-only";
    case Grade::spf_only:
      return "spf-only";
    case Grade::none:
      break;
  }
  return "none";
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

}  // namespace sesame::ses
