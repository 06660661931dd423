#include <fmt/format.h>

#include <algorithm>

#include "inspect/layout.h"
#include "inspect/render.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

std::string in_parentheses(const std::string& text) {
  return text.empty() ? "" : "  (" + printable(text) + ")";
}

const char* leg_state(Tri usable) {
  switch (usable) {
    case Tri::yes:
      return "usable";
    case Tri::no:
      return "not usable";
    case Tri::unknown:
      break;
  }
  return "not known";
}

const char* aligned_state(Tri aligned) {
  switch (aligned) {
    case Tri::yes:
      return "aligned";
    case Tri::no:
      return "not aligned";
    case Tri::unknown:
      break;
  }
  return "alignment unknown";
}

// Only where there is something to say.
std::string dns_line(const dns::Meter::Cost& cost, std::size_t width) {
  if (cost.stale == 0) return "";
  return fmt::format("{:<{}} {}\n", "DNS", width, stale_text(cost));
}

std::string dmarc_line(const char* name, const dmarc::Outcome& outcome) {
  const auto& discovery = outcome.discovery;
  std::string text = fmt::format("{:<13} {}", name, dmarc::to_string(outcome.result));
  if (discovery.state == dmarc::Discovery::State::found)
    text += fmt::format("  p={} at _dmarc.{}, organizational domain {}", dmarc::to_string(discovery.policy),
                        discovery.record_domain, discovery.org_domain.empty() ? "unknown" : discovery.org_domain);
  return text + in_parentheses(outcome.reason) + "\n";
}

std::string finding_lines(const ses::Finding& finding) {
  return fmt::format("  {:<8} {}: {}.\n           {}\n", ses::to_string(finding.severity), ses::to_string(finding.code),
                     finding.text, finding.advice);
}

std::string arrival_line(const ses::Arrival& arrival) {
  const auto signature = arrival.signed_domain.empty()
                             ? std::string("no signature that SES made for the author passed")
                             : "its signature d=" + arrival.signed_domain + " s=" + arrival.selector + " passed";
  return fmt::format("{:<13} sent{} at {}; {}\n", "Amazon SES", arrival.region.empty() ? "" : " from " + arrival.region,
                     timestamp(arrival.time), signature);
}

std::string predicted_line(const char* name, const ses::DmarcPrediction& prediction) {
  std::string text = fmt::format("  {:<9} {}", name, ses::to_string(prediction.result));
  if (prediction.discovery.state == dmarc::Discovery::State::found)
    text += fmt::format("  p={} at _dmarc.{}", dmarc::to_string(prediction.policy), prediction.discovery.record_domain);
  return text + "\n";
}

}  // namespace

std::string verify_text(const policy::Report& report, Standards shown) {
  std::string text =
      fmt::format("{:<13} {}\n", "From", report.author.usable() ? report.author.domain() : report.author.problem);
  if (report.spf_mail_from) {
    const auto& spf = *report.spf_mail_from;
    text += fmt::format("{:<13} {}  {}={}{}\n", "SPF", spf::to_string(spf.result), spf::to_string(spf.identity),
                        spf.domain.empty() ? "-" : spf.domain, in_parentheses(spf.reason));
  }
  if (!report.spf_mail_from) text += fmt::format("{:<13} not evaluated, as the client's address is not given\n", "SPF");
  for (const auto& outcome : report.dkim)
    text += fmt::format("{:<13} {}  d={} s={}{}\n", "DKIM", dkim::to_string(outcome.result),
                        outcome.domain.empty() ? "-" : outcome.domain,
                        outcome.selector.empty() ? "-" : outcome.selector, in_parentheses(outcome.reason));
  if (report.dkim.empty()) text += fmt::format("{:<13} none\n", "DKIM");
  text += fmt::format("{:<13} {}{}\n", "ARC", arc::to_string(report.arc.result), in_parentheses(report.arc.reason));
  text += dmarc_line("DMARC", report.dmarc);
  if (shown == Standards::both) text += dmarc_line("DMARC 7489", report.dmarc_rfc7489);
  if (report.bare_ends != mail::BareLineEnds{})
    text += fmt::format("{:<13} {} bare CR, {} bare LF: systems may disagree on where its lines end\n", "Body",
                        report.bare_ends.cr, report.bare_ends.lf);
  if (report.arrival) text += arrival_line(*report.arrival);
  text += dns_line(report.dns, 13);
  text += fmt::format("{:<13} {}\n", "Why", policy::why(report));
  if (!report.findings.empty()) text += "Findings\n";
  for (const auto& finding : report.findings) text += finding_lines(finding);
  return text;
}

namespace {

// "5 minutes", "2 hours", "3 days".
std::string duration_text(std::int64_t seconds) {
  const auto count = [](std::int64_t number, const char* unit) {
    return fmt::format("{} {}{}", number, unit, number == 1 ? "" : "s");
  };
  if (seconds < 120) return count(seconds, "second");
  if (seconds < 2 * 3600) return count(seconds / 60, "minute");
  if (seconds < 2 * 86400) return count(seconds / 3600, "hour");
  return count(seconds / 86400, "day");
}

// Only where there is something to say.
std::string account_line(const ses::Prediction& prediction, std::int64_t now) {
  std::vector<std::string> parts;
  if (!prediction.account.empty()) parts.push_back(prediction.account);
  if (!prediction.configuration_set.empty()) parts.push_back("configuration set " + prediction.configuration_set);
  if (prediction.as_of)
    parts.push_back(fmt::format("state of {} ({} ago)", timestamp(*prediction.as_of),
                                duration_text(std::max<std::int64_t>(0, now - *prediction.as_of))));
  return parts.empty() ? "" : fmt::format("Account    {}\n", join(parts, ", "));
}

}  // namespace

std::string preflight_text(const policy::Report& report, const policy::Decision& decision) {
  const auto prediction = report.prediction.value_or(ses::Prediction{});
  const auto& dkim = prediction.dkim;
  const auto& spf = prediction.spf;
  std::string text =
      fmt::format("Verdict    {} ({})\n", ses::to_string(prediction.verdict), ses::to_string(prediction.confidence));
  text += fmt::format("Why        {}\n", policy::why(report));
  text += fmt::format("Identity   {} ({}) in {}\n", prediction.identity.empty() ? "none" : prediction.identity,
                      ses::to_string(prediction.identity_kind), prediction.region);
  text += account_line(prediction, report.time);
  text += fmt::format("DKIM leg   {}{}, {}{}\n", dkim.domain.empty() ? "no d= of yours" : "d=" + dkim.domain,
                      dkim.source == "upstream" ? " (already on the message)" : "", leg_state(dkim.usable),
                      dkim.domain.empty()
                          ? in_parentheses(dkim.reason)
                          : std::string(", ") + aligned_state(dkim.aligned.rfc9989) + in_parentheses(dkim.reason));
  text += fmt::format("SPF leg    {}, {}, {}{}\n", spf.domain.empty() ? "no envelope domain" : spf.domain,
                      spf::to_string(spf.result), aligned_state(spf.aligned.rfc9989), in_parentheses(spf.reason));
  text += "DMARC\n" + predicted_line("RFC 9989", prediction.rfc9989) + predicted_line("RFC 7489", prediction.rfc7489);
  text += dns_line(report.dns, 10);
  text += fmt::format("Action     {}\n", policy::to_string(decision.action));
  if (!report.repairs.empty()) text += "Repairs    all of the above is of the message without these fields\n";
  for (const auto& [reason, place] : report.repairs)
    text += fmt::format("  {:<18} {}, number {} from the top\n", reason, printable(place.name), place.occurrence);
  if (!prediction.findings.empty()) text += "Findings\n";
  for (const auto& finding : prediction.findings) text += finding_lines(finding);
  return text;
}

}  // namespace sesame::inspect
