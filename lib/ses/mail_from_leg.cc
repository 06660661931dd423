// The envelope sender SES will write, and its SPF.
#include <algorithm>

#include "ses/legs.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// The MX of a custom MAIL FROM, as DNS has it.
struct Feedback {
  Tri right = Tri::unknown;   // exactly one feedback host of SES
  bool other_region = false;  // right, but of another region
  std::string found;          // for the reader
};

Feedback look_at_mx(const Surroundings& world, const std::string& domain, const std::string& region) {
  constexpr std::string_view kPrefix = "feedback-smtp.";
  constexpr std::string_view kSuffix = ".amazonses.com";
  const auto answer = world.resolver.lookup(domain, dns::Type::mx, world.deadline);
  if (dns::is_temporary(answer->status))
    return {Tri::unknown, false, std::string("unknown (") + dns::to_string(answer->status) + ")"};
  if (answer->exchanges.empty()) return {Tri::no, false, "absent"};
  std::vector<std::string> hosts;
  for (const auto& mx : answer->exchanges) hosts.push_back(mx.host.empty() ? "." : mx.host);
  const auto& host = hosts.front();
  const bool names_region = host.size() > kPrefix.size() + kSuffix.size();
  Feedback feedback{tri(hosts.size() == 1 && names_region && istarts_with(host, kPrefix) && iends_with(host, kSuffix)),
                    false, join(hosts, ", ")};
  feedback.other_region =
      feedback.right == Tri::yes && !iequals(host, std::string(kPrefix) + region + std::string(kSuffix));
  return feedback;
}

MailFromDomain judged(const Surroundings& world, const std::string& domain, bool custom) {
  auto spf = spf_over_ses_ranges(world, domain);
  return {domain, spf.worst, spf.passes, std::move(spf.reason), custom, spf.foreseeable};
}

void report_spf(const MailFromDomain& domain, std::vector<Finding>& findings) {
  if (!domain.custom || domain.usable == Tri::yes) return;
  // What is only undecided is the leg's reason, no fault of the record.
  if (domain.result == spf::Result::temperror) return;
  const auto severity = domain.foreseeable ? Severity::error : Severity::unknown;
  findings.push_back(
      make_finding(Code::mailfrom_spf, severity,
                   {{"domain", domain.domain},
                    {"result", domain.foreseeable ? spf::to_string(domain.result) : "no foreseeable result"},
                    {"which", domain.foreseeable && domain.usable == Tri::unknown ? "some addresses" : "addresses"},
                    {"reason", domain.reason}}));
}

// SES does not use the custom domain, or may not: falls back, or refuses.
void fall_back(const Surroundings& world, const Identity& identity, SesMailFrom& outcome, Tri certain) {
  if (identity.mail_from.behavior_on_mx_failure == OnMxFailure::reject_message) {
    outcome.refused = certain;
    return;
  }
  outcome.possible.push_back(judged(world, default_mail_from(identity.region), false));
}

}  // namespace

SesMailFrom predict_mail_from(const Surroundings& world, const Identity& identity, const mail::Mailbox& from) {
  SesMailFrom outcome;
  const auto& settings = identity.mail_from;
  const auto fallback = default_mail_from(identity.region);
  if (settings.domain.empty()) {
    outcome.possible.push_back(judged(world, fallback, false));
    outcome.findings.push_back(make_finding(
        Code::mailfrom_default, {{"default", fallback}, {"from", from.domain}, {"identity", identity.name}}));
    return outcome;
  }

  const auto mx = look_at_mx(world, settings.domain, identity.region);
  if (mx.right == Tri::no || mx.other_region)
    outcome.findings.push_back(
        make_finding(Code::mailfrom_mx, mx.other_region ? Severity::info : Severity::error,
                     {{"domain", settings.domain}, {"found", mx.found}, {"region", identity.region}}));

  if (settings.status && *settings.status != Status::success) {
    const bool rejects = settings.behavior_on_mx_failure == OnMxFailure::reject_message;
    outcome.findings.insert(outcome.findings.begin(),
                            make_finding(rejects ? Code::mailfrom_reject : Code::mailfrom_fallback,
                                         {{"domain", settings.domain},
                                          {"status", to_string(*settings.status)},
                                          {"default", fallback},
                                          {"region", identity.region}}));
    fall_back(world, identity, outcome, Tri::yes);
    if (outcome.possible.empty()) outcome.possible.push_back(judged(world, settings.domain, true));
    return outcome;
  }

  outcome.possible.push_back(judged(world, settings.domain, true));
  report_spf(outcome.possible.front(), outcome.findings);
  const bool given = settings.status.has_value();
  if (!given || mx.right != Tri::yes) outcome.basis = Basis::inferred;
  // A record that is gone contradicts SUCCESS; one that did not answer does not, but leaves nothing to infer from.
  if (mx.right == Tri::yes || (mx.right == Tri::unknown && given)) return outcome;
  fall_back(world, identity, outcome, Tri::unknown);
  outcome.doubt = "MX of " + settings.domain + " is " + mx.found + ": SES may " +
                  (outcome.possible.size() > 1 ? "use " + fallback + " instead" : "refuse the message");
  return outcome;
}

}  // namespace sesame::ses
