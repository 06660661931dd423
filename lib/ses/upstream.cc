// Signatures already on the message stand for themselves, if SES leaves alone what they cover.
// https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html
#include <algorithm>

#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// It weighs more where it would have carried the message.
Severity severity_of_loss(const dkim::Outcome& upstream, const Aligned& aligned, Tri dkim_passes) {
  const bool missed = upstream.result == dkim::Result::pass && aligned.rfc9989 == Tri::yes && dkim_passes != Tri::yes;
  return missed ? Severity::warning : Severity::info;
}

// Receivers differ where it rests on a key in testing (RFC 6376 Section 3.6.1) or signs a part of the body only
// (Section 8.2), and may try what was not tried here.
Tri verifies_at_receivers(const dkim::Outcome& upstream) {
  using enum dkim::Result;
  const bool untried = upstream.result == neutral && upstream.reason.starts_with("limit: ");
  if (upstream.result == temperror || upstream.result == policy || untried) return Tri::unknown;
  if (upstream.result != pass) return Tri::no;
  return upstream.testing ? Tri::unknown : Tri::yes;
}

}  // namespace

void Predictor::judge_upstream(Receiver& walk, Receiver& list) {
  for (const auto& upstream : submission_.upstream) {
    if (upstream.domain.empty()) continue;
    const Aligned aligned{walk.aligned(upstream.domain, walk.dkim_mode()),
                          list.aligned(upstream.domain, list.dkim_mode())};
    const auto rewritten = std::ranges::find_if(upstream.signed_fields, is_rewritten);
    if (rewritten != upstream.signed_fields.end()) {
      report_breaking(upstream, aligned, *rewritten);
    } else {
      judge_surviving(upstream, aligned);
    }
  }
}

void Predictor::judge_surviving(const dkim::Outcome& upstream, const Aligned& aligned) {
  auto verifies = verifies_at_receivers(upstream);
  if (verifies == Tri::no) return;
  const bool tracked = is_tracked();
  if (tracked) {
    report_tracked(upstream, aligned);
    verifies = agree(verifies, Tri::no);
  }
  const Aligned passes{both(verifies, aligned.rfc9989), both(verifies, aligned.rfc7489)};
  if (passes.rfc9989 == Tri::yes && dkim_passes_.rfc9989 != Tri::yes) {
    result_.dkim = {upstream.domain, "upstream", Tri::yes, aligned, ""};
    dkim_basis_ = Basis::inferred;
  }
  if (verifies == Tri::unknown && passes.rfc9989 == Tri::unknown)
    doubts_.push_back("the signature d=" + upstream.domain + " on the message: " +
                      (tracked ? "open and click tracking may change its body" : upstream.reason));
  dkim_passes_ = {either(dkim_passes_.rfc9989, passes.rfc9989), either(dkim_passes_.rfc7489, passes.rfc7489)};
}

void Predictor::report_breaking(const dkim::Outcome& upstream, const Aligned& aligned, const std::string& field) {
  add(make_finding(Code::upstream_sig_will_break, severity_of_loss(upstream, aligned, dkim_passes_.rfc9989),
                   {{"domain", upstream.domain},
                    {"name", field},
                    {"effect", "will not verify"},
                    {"remedy", "Do not sign " + field + " before SES"}}));
}

void Predictor::report_tracked(const dkim::Outcome& upstream, const Aligned& aligned) {
  add(make_finding(Code::upstream_sig_will_break, severity_of_loss(upstream, aligned, dkim_passes_.rfc9989),
                   {{"domain", upstream.domain},
                    {"name", "the body"},
                    {"how", " for open and click tracking (configuration set " + result_.configuration_set + ")"},
                    {"effect", "will hardly verify"},
                    {"remedy", "Send such mail through a configuration set without tracking"}}));
}

// The first header field of SES's own wins over what the relay chooses, and that over the identity's default.
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html
void Predictor::choose_configuration_set() {
  const auto* field = field_named("X-SES-CONFIGURATION-SET");
  const auto named = field ? trim(field->value) : std::string_view();
  if (!named.empty()) {
    result_.configuration_set = printable(named);
  } else if (result_.configuration_set.empty() && identity_) {
    result_.configuration_set = identity_->configuration_set;
  }
}

// Open tracking adds an image to HTML, click tracking changes its links.
bool Predictor::is_tracked() const {
  const auto& set = result_.configuration_set;
  return !set.empty() && std::ranges::find(world_.tracking, set) != world_.tracking.end() && !is_plain_text();
}

bool Predictor::is_plain_text() const {
  const auto* field = field_named("Content-Type");
  // RFC 2045 Section 5.2: text/plain is the default.
  if (!field) return true;
  const std::string_view value = field->value;
  return iequals(trim(value.substr(0, value.find(';'))), "text/plain");
}

}  // namespace sesame::ses
