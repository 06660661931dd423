#include "policy/report.h"

#include "util/text.h"

namespace sesame::policy {
namespace {

std::string dkim_summary(const Report& report) {
  if (report.dkim.empty()) return "no DKIM signature";
  std::vector<std::string> parts;
  for (const auto* signature : notable_signatures(report)) {
    auto text =
        "DKIM d=" + (signature->domain.empty() ? "?" : signature->domain) + " is " + dkim::to_string(signature->result);
    if (!signature->reason.empty()) text += " (" + signature->reason + ")";
    parts.push_back(std::move(text));
  }
  return join(parts, ", ");
}

std::string spf_summary(const Report& report) {
  if (!report.spf_mail_from) return "SPF not evaluated";
  const auto& spf = *report.spf_mail_from;
  auto text = "SPF of " + (spf.domain.empty() ? "the sender" : spf.domain) + " is " + spf::to_string(spf.result);
  if (!spf.reason.empty()) text += " (" + spf.reason + ")";
  return text;
}

std::string inbound_why(const Report& report) {
  const auto& dmarc = report.dmarc;
  if (!report.author.usable()) return "DMARC cannot be evaluated: " + report.author.problem + ".";
  const auto domain = printable(dmarc.discovery.domain);
  switch (dmarc.result) {
    case dmarc::Result::pass:
      return "DMARC passes for " + domain + " by " + (dmarc.dkim_aligned == Tri::yes ? "DKIM d=" : "SPF of ") +
             dmarc.aligned_domain + ".";
    case dmarc::Result::none:
      if (!dmarc.discovery.problems.empty())
        return "There is no DMARC policy for " + domain + " that can be used: " + join(dmarc.discovery.problems, "; ") +
               ".";
      return "There is no DMARC policy for " + domain + ".";
    case dmarc::Result::fail:
      return "DMARC fails for " + domain + " (p=" + dmarc::to_string(dmarc.discovery.policy) +
             "): nothing that passes aligns; " + dkim_summary(report) + "; " + spf_summary(report) + ".";
    case dmarc::Result::temperror:
    case dmarc::Result::permerror:
      break;
  }
  return "DMARC of " + domain + " is undecided: " + (dmarc.reason.empty() ? report.dns.failed : dmarc.reason) + ".";
}

}  // namespace

const char* to_string(Direction direction) {
  switch (direction) {
    case Direction::outbound:
      return "outbound";
    case Direction::inbound:
      return "inbound";
    case Direction::ignored:
      break;
  }
  return "ignored";
}

std::vector<const dkim::Outcome*> notable_signatures(const Report& report) {
  std::vector<const dkim::Outcome*> notable;
  std::size_t unpassed = 0;
  for (const auto& signature : report.dkim)
    if (signature.result == dkim::Result::pass || ++unpassed <= kMaxUnpassed) notable.push_back(&signature);
  return notable;
}

std::string why(const Report& report) {
  constexpr std::size_t kMaxSentence = 900;
  if (report.direction == Direction::ignored) return "Ignored by configuration.";
  if (!report.prediction) return printable(inbound_why(report), kMaxSentence);
  const auto over = report.limits.empty() ? "" : "The message is over a limit: " + join(report.limits, ", ") + ". ";
  return printable(over + report.prediction->why, kMaxSentence);
}

}  // namespace sesame::policy
