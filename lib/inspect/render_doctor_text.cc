// Examinations for people at a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "inspect/layout.h"
#include "inspect/render_doctor.h"
#include "ses/faults.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

using ses::Examination;

const char* yes_no(Tri value) {
  return value == Tri::yes ? "yes" : value == Tri::no ? "no" : "?";
}

std::string verdict_text(const Examination& examination) {
  const auto& prediction = examination.prediction;
  const auto grade = prediction.grade == ses::Grade::both_legs   ? "by DKIM and by SPF"
                     : prediction.grade == ses::Grade::dkim_only ? "by DKIM alone"
                                                                 : "by SPF alone, which forwarding breaks";
  const auto mail = "mail from " + examination.subject + " through SES";
  switch (prediction.verdict) {
    case ses::Verdict::pass:
      return fmt::format("pass ({}): {} passes DMARC {}", ses::to_string(prediction.confidence), mail, grade);
    case ses::Verdict::fail:
      return fmt::format("fail ({}): {} fails DMARC", ses::to_string(prediction.confidence), mail);
    case ses::Verdict::none:
      return "none: no DMARC policy applies to " + mail;
    case ses::Verdict::refused:
      return "refused: SES will not take mail from " + examination.subject;
    case ses::Verdict::unknown:
      break;
  }
  return "undecided: whether " + mail + " passes DMARC cannot be told";
}

std::string place_of(const Examination& examination) {
  return examination.account.empty() ? examination.region : examination.account + "/" + examination.region;
}

std::string identity_text(const Examination& examination) {
  const auto place = place_of(examination);
  std::string text;
  if (!examination.identity)
    text = examination.source == ses::Source::none ? "not known" : "none covers it in " + place;
  else
    text = fmt::format("{} ({}) in {}", examination.identity->name,
                       examination.identity->is_address() ? "address" : "domain", place);
  switch (examination.source) {
    case ses::Source::none:
      break;
    case ses::Source::arguments:
      text += ", as the arguments say";
      if (examination.identity->mail_from.domain.empty()) text += "; without --mail-from the default is assumed";
      break;
    case ses::Source::configuration:
      text += ", as the configuration says";
      break;
    case ses::Source::snapshot: {
      const auto as_of = *examination.identity->as_of;
      text += fmt::format(", as SES said at {} ({} ago{})", timestamp(as_of), duration(examination.time - as_of),
                          examination.identity->aged ? ", too old to be relied on" : "");
    }
  }
  if (!examination.elsewhere.empty()) text += "; also in " + join(examination.elsewhere, ", ");
  return text;
}

// The record that a finding is about, among those with its code; null when it is about none.
const ses::RecordCheck* record_of(const ses::Finding& finding, const Examination& examination) {
  const auto about = [&](const ses::RecordCheck& record) {
    return record.code == finding.code && finding.text.find(record.name) != std::string::npos;
  };
  const auto found = std::ranges::find_if(examination.records, about);
  return found == examination.records.end() ? nullptr : &*found;
}

std::string finding_text(const ses::Finding& finding, const std::vector<std::string>& likewise) {
  constexpr std::size_t kUnder = 11;
  const auto more = likewise.empty() ? "" : "; likewise " + join(likewise, ", ");
  return entry(ses::to_string(finding.severity),
               fmt::format("{}: {}{}.", ses::to_string(finding.code), finding.text, more), kUnder) +
         entry("", "-> " + finding.advice, kUnder);
}

// One entry for the records that the same is said of.
std::string findings(const Examination& examination) {
  std::string text;
  const auto& all = examination.findings;
  for (auto at = all.begin(); at != all.end(); ++at) {
    const auto alike = [&](const ses::Finding& other) {
      return other.code == at->code && other.severity == at->severity && record_of(other, examination);
    };
    std::vector<std::string> likewise;
    if (record_of(*at, examination)) {
      if (std::find_if(all.begin(), at, alike) != at) continue;
      for (auto other = at + 1; other != all.end(); ++other)
        if (alike(*other)) likewise.push_back(record_of(*other, examination)->name);
    }
    text += finding_text(*at, likewise);
  }
  return text.empty() ? "" : "\nFindings\n" + text;
}

std::string summary_text(const Examination& examination) {
  const auto count = [&](ses::Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(examination.findings, severity, &ses::Finding::severity));
  };
  std::vector<std::string> parts;
  if (const auto errors = count(ses::Severity::error)) parts.push_back(plural(errors, "error"));
  if (const auto warnings = count(ses::Severity::warning)) parts.push_back(plural(warnings, "warning"));
  const auto silent = static_cast<std::size_t>(
      std::ranges::count(examination.records, ses::RecordVerdict::unknown, &ses::RecordCheck::verdict));
  if (silent) parts.push_back(plural(silent, "record") + " not known");
  return fmt::format("{}: {}{}\n", examination.subject, ses::to_string(examination.state),
                     parts.empty() ? "" : ", " + join(parts, ", "));
}

std::string needed_text(const Examination& examination) {
  const bool here = !examination.region.empty();
  return fmt::format(
      "the DKIM tokens{}. They are in the SES console (Identities, {}, Authentication): --region {} --token T1 "
      "--token T2 --token T3. Or a configuration with the identity (--config), or a snapshot by sesame sync.",
      here ? "" : " and the region", examination.domain, here ? examination.region : "REGION");
}

std::string head(const Examination& examination) {
  std::string text = summary_text(examination) + entry("Verdict", verdict_text(examination)) +
                     entry("Why", examination.prediction.why) + entry("Identity", identity_text(examination));
  if (examination.sandbox)
    text += entry("Sandbox",
                  "only verified recipients, and the mailbox simulator: the account has no production "
                  "access in " +
                      examination.region);
  if (examination.source == ses::Source::none) text += entry("Needed", needed_text(examination));
  if (examination.dns.stale > 0) text += entry("DNS", stale_text(examination.dns));
  return text + findings(examination);
}

std::string record_text(const ses::RecordCheck& record) {
  constexpr std::size_t kUnder = 11;
  const auto found = printable(record.found, 400);
  const auto name = fmt::format("{} {}", dns::to_string(record.type), record.name);
  std::string text;
  if (record.verdict == ses::RecordVerdict::ok || record.expected.empty() || record.expected == found) {
    const auto line = fmt::format("  {:<8} {}: {}", ses::to_string(record.verdict), name, found);
    text = line.size() <= kWidth
               ? line + "\n"
               : fmt::format("  {:<8} {}:\n", ses::to_string(record.verdict), name) + entry("", "  " + found, kUnder);
  } else {
    text = fmt::format("  {:<8} {}\n", ses::to_string(record.verdict), name) +
           entry("", "  expected  " + record.expected, kUnder) + entry("", "  found     " + found, kUnder);
  }
  if (record.code) text += entry("", std::string("  (") + ses::to_string(*record.code) + ")", kUnder);
  return text;
}

std::string records(const Examination& examination) {
  std::string text;
  std::string purpose;
  for (const auto& record : examination.records) {
    if (record.purpose != purpose) text += "\nRecords: " + record.purpose + "\n";
    purpose = record.purpose;
    text += record_text(record);
  }
  return text;
}

std::string alignment(const Examination& examination) {
  if (examination.alignment.empty()) return "";
  std::size_t width = 0;
  const auto name = [](const ses::AlignmentCheck& check) {
    return check.identifier + (check.identifier.ends_with('=') ? "" : " ") + check.domain;
  };
  for (const auto& check : examination.alignment) width = std::max(width, name(check).size());
  std::string text = fmt::format("\nAlignment with {}\n  {:<{}}  {:<20}  {}\n", examination.domain, "", width,
                                 "by RFC 9989", "by RFC 7489");
  text += fmt::format("  {:<{}}  {:<8} {:<11}  {:<8} {}\n", "", width, "relaxed", "strict", "relaxed", "strict");
  using dmarc::Mode;
  const auto cell = [](Tri aligned, std::optional<Mode> asked, Mode mode) {
    return std::string(yes_no(aligned)) + (asked == mode ? " *" : "");
  };
  for (const auto& check : examination.alignment) {
    const auto newer = check.mode_rfc9989, older = check.mode_rfc7489;
    text +=
        fmt::format("  {:<{}}  {:<8} {:<11}  {:<8} {}\n", name(check), width,
                    cell(check.relaxed.rfc9989, newer, Mode::relaxed), cell(check.strict.rfc9989, newer, Mode::strict),
                    cell(check.relaxed.rfc7489, older, Mode::relaxed), cell(check.strict.rfc7489, older, Mode::strict));
  }
  return text + "  * what the policy asks for\n";
}

std::string receivers_text(const ses::DmarcPrediction& prediction) {
  std::string text = ses::to_string(prediction.result);
  if (prediction.discovery.state == dmarc::Discovery::State::found)
    text += fmt::format(", p={} at _dmarc.{}", dmarc::to_string(prediction.policy), prediction.discovery.record_domain);
  return text;
}

std::string outlook(const Examination& examination) {
  const auto& prediction = examination.prediction;
  const auto& dkim = prediction.dkim;
  const auto& spf = prediction.spf;
  std::string text = "\nWhat SES will do\n";
  const auto because = [](const std::string& reason) { return reason.empty() ? "" : ": " + reason; };
  std::string own;
  if (dkim.usable == Tri::yes)
    own = "with d=" + dkim.domain + ", which will verify";
  else if (dkim.usable == Tri::no)
    own =
        (dkim.domain.empty() ? "with no domain of yours" : "not with a valid d=" + dkim.domain) + because(dkim.reason);
  else
    own = "not known" + because(dkim.reason);
  text += entry("Sign", own + "; and always with d=amazonses.com");
  if (spf.domain.empty())
    text += entry("Envelope", "not known" + because(spf.reason));
  else
    text += entry("Envelope", fmt::format("MAIL FROM at {}: SPF {}, {}{}", spf.domain, spf::to_string(spf.result),
                                          spf.aligned.rfc9989 == Tri::yes  ? "aligned"
                                          : spf.aligned.rfc9989 == Tri::no ? "not aligned"
                                                                           : "alignment unknown",
                                          spf.reason.empty() ? "" : " (" + spf.reason + ")"));
  text += "\nWhat receivers will conclude\n" + entry("RFC 9989", receivers_text(prediction.rfc9989)) +
          entry("RFC 7489", receivers_text(prediction.rfc7489));
  return text;
}

enum class Needed { by_dkim, by_mail_from };

// When records that SES needs were gone, and what it makes of that.
std::string outage_text(const ses::Outage& outage, const ses::Clocks& clocks, Needed needed) {
  const bool dkim = needed == Needed::by_dkim;
  using Phase = ses::Clocks::Phase;
  auto text = join(outage.names, ", ");
  if (!outage.missing_since)
    text += " not at all name servers since " + timestamp(outage.first_bad);
  else
    text += " at no name server " +
            (outage.restored ? "from " + timestamp(*outage.missing_since) + " to " + timestamp(*outage.restored)
                             : "since " + timestamp(*outage.missing_since));
  const std::string stops = dkim ? "stopped signing" : "stopped using it";
  const std::string ends = dkim ? "revoked the set-up" : "given up on it";
  switch (clocks.phase) {
    case Phase::as_usual:
      return text + "; nothing follows from it any more";
    case Phase::may_have_stopped:
      if (outage.restored)
        return text + "; until " + timestamp(*outage.restored + ses::kNoticed) +
               " SES may not have seen that they are back";
      text += "; SES may have " + stops;
      break;
    case Phase::has_stopped:
      text += "; SES has " + stops;
      break;
    case Phase::may_be_revoked:
      return text + "; SES has " + (clocks.goes_on == Tri::no ? "" : "perhaps ") + stops + ", and may have " + ends;
    case Phase::revoked:
      return text + "; SES has " + ends;
  }
  if (clocks.phase == Phase::may_have_stopped && outage.missing_since)
    text += ", and will have by " + timestamp(clocks.stops.latest);
  return dkim ? text + "; revocation about " + timestamp(clocks.ends.earliest) +
                    (outage.missing_since ? ", at the latest " + timestamp(clocks.ends.latest) : " at the earliest")
              : text;
}

// What is wrong with the zone, whichever of its servers is asked.
std::string zone_faults(const ses::History& history) {
  std::string text;
  if (!history.bogus_zone.empty())
    text += entry("DNSSEC", printable(history.bogus_zone) +
                                " fails validation: whoever validates gets none of its records; if SES misses one it "
                                "stops signing at once, and revokes the set-up 5 days later");
  if (const auto& found = history.delegation)
    text += entry(
        "Zone",
        fmt::format("the parent delegates to {}, the zone lists {}{}", join(found->parent, ", "),
                    join(found->child, ", "),
                    found->only_on.empty() ? "" : "; " + found->name + " is only on " + join(found->only_on, ", ")));
  return text;
}

// One entry for each server and answer.
std::string server_faults(const char* when, const std::vector<ses::ServerFault>& faults) {
  std::string text;
  for (const auto& group : ses::grouped(faults)) {
    auto first = group.faults.front().first, last = group.faults.front().last;
    for (const auto& fault : group.faults) {
      first = std::min(first, fault.first);
      last = std::max(last, fault.last);
    }
    text += entry(when, fmt::format("{}: {} since {}, last at {}", group.server, ses::to_text(group), timestamp(first),
                                    timestamp(last)));
  }
  return text;
}

std::string sightings(const Examination& examination) {
  std::string text;
  const auto time = [](const std::optional<std::int64_t>& seconds) { return seconds ? timestamp(*seconds) : "never"; };
  if (examination.identity) {
    const auto& seen = examination.identity->verification;
    if (seen.last_checked || !seen.error_type.empty() || !seen.primary_name_server.empty()) {
      text +=
          "\nWhat SES saw\n" + entry("Checked", time(seen.last_checked) + ", with success " + time(seen.last_success));
      if (!seen.error_type.empty()) text += entry("Error", seen.error_type);
      if (!seen.primary_name_server.empty())
        text +=
            entry("Zone", fmt::format("primary {}, serial {}", printable(seen.primary_name_server), seen.soa_serial));
    }
  }
  if (!examination.history) return text;
  const auto& history = *examination.history;
  std::string observed;
  if (history.dkim_outage)
    observed += entry("DKIM", outage_text(*history.dkim_outage, examination.dkim_clocks, Needed::by_dkim));
  if (history.mail_from_outage)
    observed += entry("MX", outage_text(*history.mail_from_outage, examination.mail_from_clocks, Needed::by_mail_from));
  observed += zone_faults(history) + server_faults("Now", history.present) + server_faults("Before", history.past);
  if (history.arrival) {
    const auto& arrival = *history.arrival;
    observed += entry("Arrived", fmt::format("{}: signed d={} s={}, {}; MAIL FROM {}, {}", timestamp(arrival.time),
                                             arrival.signed_domain.empty() ? "-" : arrival.signed_domain,
                                             arrival.selector.empty() ? "-" : arrival.selector,
                                             arrival.dkim_aligned ? "aligned" : "not aligned",
                                             arrival.mail_from_domain.empty() ? "-" : arrival.mail_from_domain,
                                             arrival.spf_aligned ? "aligned" : "not aligned"));
  }
  const auto& counts = history.arrivals;
  if (counts.seen > 0)
    observed += entry("All", fmt::format("{} of such mail: {} aligned by DKIM, {} by SPF, {} with a broken signature",
                                         counts.seen, counts.dkim_aligned, counts.spf_aligned, counts.broken));
  return observed.empty() ? text : text + "\nWhat was observed\n" + observed;
}

std::string publish(const Examination& examination) {
  using Purpose = ses::Publishable::Purpose;
  std::string text;
  for (const auto purpose : {Purpose::mends, Purpose::proposes}) {
    std::string lines;
    for (const auto& record : examination.publish) {
      if (record.purpose != purpose) continue;
      if (!record.note.empty()) lines += "; " + record.note + "\n";
      lines += ses::zone_text(record, kWidth) + "\n";
    }
    if (purpose == Purpose::proposes && !examination.unproposed.empty()) lines += entry("", examination.unproposed, 2);
    if (!lines.empty())
      text +=
          std::string("\n") + (purpose == Purpose::mends ? "Records to publish" : "Records proposed") + "\n" + lines;
  }
  return text;
}

std::string cause(const Examination& examination) {
  const auto& all = examination.findings;
  const auto error = std::ranges::find(all, ses::Severity::error, &ses::Finding::severity);
  if (error != all.end()) return ses::to_string(error->code);
  // Then that is why nothing better can be said.
  const bool covered = examination.identity || examination.source == ses::Source::none;
  if (covered && !examination.tokens_known) return "the DKIM tokens are not known";
  return all.empty() ? "" : ses::to_string(all.front().code);
}

std::string table(std::span<const Examination> examinations) {
  std::string text = "Summary\n";
  std::size_t width = 0, place_width = 0;
  for (const auto& examination : examinations) {
    width = std::max(width, examination.subject.size());
    place_width = std::max(place_width, place_of(examination).size());
  }
  for (const auto& examination : examinations)
    text += fmt::format("  {:<10} {:<{}}  {:<{}}  {:<8} {}\n", ses::to_string(examination.state), examination.subject,
                        width, place_of(examination), place_width, ses::to_string(examination.prediction.verdict),
                        cause(examination));
  return text;
}

}  // namespace

std::string doctor_text(std::span<const ses::Examination> examinations) {
  std::string text;
  for (const auto& examination : examinations) {
    text += head(examination) + records(examination) + alignment(examination) + outlook(examination) +
            sightings(examination) + publish(examination);
    if (examinations.size() > 1) text += '\n';
  }
  if (examinations.size() > 1) text += table(examinations);
  return without_trailing_blanks(text);
}

}  // namespace sesame::inspect
