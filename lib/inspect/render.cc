#include "inspect/render.h"

#include <algorithm>
#include <span>

#include "inspect/event.h"
#include "inspect/prediction_json.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

using json = Json;

json spf_value(const spf::Outcome& outcome) {
  return {{"result", spf::to_string(outcome.result)}, {"identity", spf::to_string(outcome.identity)},
          {"domain", text_or_null(outcome.domain)},   {"mechanism", text_or_null(outcome.mechanism)},
          {"explanation", outcome.explanation},       {"reason", outcome.reason},
          {"lookup_terms", outcome.lookup_terms},     {"void_lookups", outcome.void_lookups}};
}

json dkim_value(const dkim::Outcome& outcome) {
  return {{"result", dkim::to_string(outcome.result)},
          {"domain", text_or_null(outcome.domain)},
          {"selector", text_or_null(outcome.selector)},
          {"identity", text_or_null(outcome.identity)},
          {"algorithm", text_or_null(outcome.algorithm)},
          {"testing", outcome.testing},
          {"reason", outcome.reason}};
}

json dkim_array(const policy::Report& report) {
  auto array = json::array();
  for (const auto& outcome : report.dkim) array.push_back(dkim_value(outcome));
  return array;
}

json dmarc_value(const dmarc::Outcome& outcome, const mail::Author& author) {
  const auto& discovery = outcome.discovery;
  const bool found = discovery.state == dmarc::Discovery::State::found;
  json value{{"result", dmarc::to_string(outcome.result)},
             {"policy", found ? json(dmarc::to_string(discovery.policy)) : json(nullptr)},
             {"disposition",
              dmarc::to_string(outcome.result == dmarc::Result::fail ? discovery.disposition : dmarc::Policy::none)},
             {"from_domain", author.usable() ? json(author.domain()) : json(nullptr)},
             {"org_domain", text_or_null(discovery.org_domain)},
             {"record_domain", text_or_null(discovery.record_domain)},
             {"aligned", {{"dkim", tri_json(outcome.dkim_aligned)}, {"spf", tri_json(outcome.spf_aligned)}}},
             {"reason", outcome.reason}};
  return value;
}

json body_value(const mail::BareLineEnds& ends) {
  return {{"bare_cr", ends.cr}, {"bare_lf", ends.lf}};
}

// The first of them: a hostile header has room for thousands.
std::span<const policy::Repair> listed(const std::vector<policy::Repair>& repairs) {
  constexpr std::size_t kMaxListed = 20;
  return std::span(repairs).first(std::min(repairs.size(), kMaxListed));
}

json repair_array(std::span<const policy::Repair> repairs) {
  auto array = json::array();
  for (const auto& [reason, place] : repairs)
    array.push_back({{"reason", reason}, {"field", printable(place.name)}, {"occurrence", place.occurrence}});
  return array;
}

// What SES's part in a received message shows; null when it did not come through it.
json arrival_value(const policy::Report& report) {
  if (!report.arrival) return nullptr;
  const auto& arrival = *report.arrival;
  return {{"domain", from_domain(report)},
          {"signed_domain", text_or_null(arrival.signed_domain)},
          {"selector", text_or_null(arrival.selector)},
          {"dkim_aligned", arrival.dkim_aligned},
          {"spf_aligned", arrival.spf_aligned},
          {"mail_from_domain", text_or_null(arrival.mail_from_domain)},
          {"region", text_or_null(arrival.region)},
          {"time", timestamp(arrival.time)}};
}

std::string finding_codes(const std::vector<ses::Finding>& findings) {
  std::vector<std::string> codes;
  for (const auto& finding : findings) codes.emplace_back(ses::to_string(finding.code));
  return join(codes, ",");
}

// "pass aligned", "unknown", "-": what a leg comes to, in the eyes of RFC 9989.
std::string leg_word(const std::string& domain, Tri usable, Tri aligned) {
  if (domain.empty()) return "-";
  if (usable == Tri::unknown) return domain + ":unknown";
  if (usable == Tri::no) return domain + ":unusable";
  return domain + (aligned == Tri::yes ? ":aligned" : aligned == Tri::no ? ":unaligned" : ":unknown");
}

// "duplicate:Subject:2,ses-field:X-SES-SOURCE-ARN:1"
std::string repairs_text(const std::vector<policy::Repair>& repairs) {
  std::vector<std::string> texts;
  for (const auto& [reason, place] : listed(repairs))
    texts.push_back(reason + ":" + printable(place.name) + ":" + std::to_string(place.occurrence));
  if (texts.size() < repairs.size()) texts.push_back("+" + std::to_string(repairs.size() - texts.size()));
  return join(texts, ",");
}

void put_inbound(std::string& line, const policy::Report& report) {
  put(line, "spf", report.spf_mail_from ? spf::to_string(report.spf_mail_from->result) : "none");
  std::vector<std::string> signatures;
  for (const auto* outcome : policy::notable_signatures(report))
    signatures.push_back((outcome->domain.empty() ? "?" : outcome->domain) + ":" + dkim::to_string(outcome->result));
  put(line, "dkim", signatures.empty() ? "none" : join(signatures, ","));
  if (report.arc.result != arc::Result::none) put(line, "arc", arc::to_string(report.arc.result));
  put(line, "dmarc", dmarc::to_string(report.dmarc.result));
  put(line, "dmarc_rfc7489", dmarc::to_string(report.dmarc_rfc7489.result));
  if (report.dmarc.discovery.state == dmarc::Discovery::State::found)
    put(line, "policy", dmarc::to_string(report.dmarc.discovery.policy));
  if (!report.forged_results.empty()) put(line, "forged_removed", std::to_string(report.forged_results.size()));
  if (const auto& arrival = report.arrival)
    put(line, "ses", from_domain(report) + ":" + (arrival->selector.empty() ? "-" : arrival->selector));
  if (!report.findings.empty()) put(line, "findings", finding_codes(report.findings));
}

// How long before the message the API told the identity's state.
std::optional<std::int64_t> snapshot_age(const ses::Prediction& prediction, std::int64_t time) {
  return prediction.as_of ? std::optional(time - *prediction.as_of) : std::nullopt;
}

json aged_prediction(const ses::Prediction& prediction, std::int64_t time) {
  auto value = prediction_value(prediction);
  if (const auto age = snapshot_age(prediction, time)) value["snapshot_age_s"] = *age;
  return value;
}

void put_outbound(std::string& line, const ses::Prediction& prediction, std::int64_t time) {
  if (!prediction.account.empty()) put(line, "account", prediction.account);
  if (!prediction.region.empty()) put(line, "region", prediction.region);
  if (!prediction.configuration_set.empty()) put(line, "configuration_set", prediction.configuration_set);
  put(line, "identity", prediction.identity.empty() ? "none" : prediction.identity);
  put(line, "dkim_leg", leg_word(prediction.dkim.domain, prediction.dkim.usable, prediction.dkim.aligned.rfc9989));
  put(line, "spf_leg", leg_word(prediction.spf.domain, prediction.spf.usable, prediction.spf.aligned.rfc9989));
  put(line, "verdict", ses::to_string(prediction.verdict));
  put(line, "verdict_rfc7489", ses::to_string(prediction.rfc7489.result));
  put(line, "grade", ses::to_string(prediction.grade));
  put(line, "confidence", ses::to_string(prediction.confidence));
  if (const auto age = snapshot_age(prediction, time)) put(line, "snapshot_age_s", std::to_string(*age));
  put(line, "findings", finding_codes(prediction.findings));
}

}  // namespace

std::string from_domain(const policy::Report& report) {
  return report.author.usable() ? report.author.domain() : std::string();
}

void put(std::string& line, std::string_view key, const std::string& value) {
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  const auto text = printable(value, 1000);
  if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

std::string log_text(const policy::Report& report, const policy::Decision& decision) {
  std::string line;
  put(line, "queue_id", report.envelope.queue_id);
  put(line, "direction", policy::to_string(report.direction));
  put(line, "from_domain", from_domain(report));
  put(line, "mail_from", "<" + report.envelope.mail_from + ">");
  put(line, "message_id", report.message_id);
  if (report.envelope.client) put(line, "client", report.envelope.client->to_string());
  if (report.direction == policy::Direction::inbound) put_inbound(line, report);
  if (report.prediction) put_outbound(line, *report.prediction, report.time);
  if (report.bare_ends.cr != 0) put(line, "bare_cr", std::to_string(report.bare_ends.cr));
  if (report.bare_ends.lf != 0) put(line, "bare_lf", std::to_string(report.bare_ends.lf));
  if (!decision.trusted_forwarder.empty()) put(line, "trusted_forwarder", decision.trusted_forwarder);
  put(line, "action", policy::to_string(decision.action));
  if (!decision.repairs.empty()) put(line, "repairs", repairs_text(decision.repairs));
  put(line, "dns_queries", std::to_string(report.dns.queries));
  put(line, "dns_ms", std::to_string(report.dns.waited.count()));
  if (!report.dns.failed.empty()) put(line, "dns_failed", report.dns.failed);
  if (report.dns.stale > 0) put(line, "dns_stale", std::to_string(report.dns.stale));
  put(line, "why", policy::why(report));
  return line;
}

Json event_value(const policy::Report& report, const policy::Decision& decision) {
  json event{{"time", timestamp(report.time)},
             {"event", "message"},
             {"queue_id", report.envelope.queue_id},
             {"direction", policy::to_string(report.direction)},
             {"message_id", report.message_id},
             {"from_domain", from_domain(report)},
             {"mail_from", report.envelope.mail_from},
             {"client", report.envelope.client ? json(report.envelope.client->to_string()) : json(nullptr)}};
  if (report.direction == policy::Direction::inbound) {
    if (report.spf_mail_from) event["spf"] = spf_value(*report.spf_mail_from);
    event["dkim"] = json::array();
    for (const auto* signature : policy::notable_signatures(report)) event["dkim"].push_back(dkim_value(*signature));
    event["arc"] = {{"result", arc::to_string(report.arc.result)}};
    event["dmarc"] = dmarc_value(report.dmarc, report.author);
    event["dmarc_rfc7489"] = dmarc_value(report.dmarc_rfc7489, report.author);
    event["forged_removed"] = report.forged_results.size();
    if (report.arrival) event["ses"] = arrival_value(report);
    if (!report.findings.empty()) event["findings"] = finding_array(report.findings);
  }
  if (report.prediction) event.update(aged_prediction(*report.prediction, report.time));
  if (report.bare_ends != mail::BareLineEnds{}) event["body"] = body_value(report.bare_ends);
  if (!decision.trusted_forwarder.empty()) event["trusted_forwarder"] = decision.trusted_forwarder;
  event["action"] = policy::to_string(decision.action);
  if (!decision.repairs.empty()) {
    event["repairs"] = repair_array(listed(decision.repairs));
    event["repaired"] = decision.repairs.size();
  }
  if (!report.limits.empty()) event["limits"] = report.limits;
  event["dns_queries"] = report.dns.queries;
  event["dns_ms"] = report.dns.waited.count();
  if (!report.dns.failed.empty()) event["dns_failed"] = report.dns.failed;
  if (report.dns.stale > 0) event["dns_stale"] = report.dns.stale;
  event["why"] = policy::why(report);
  return event;
}

std::string log_json(const policy::Report& report, const policy::Decision& decision) {
  return dump(event_value(report, decision), -1);
}

std::string spf_json(const spf::Outcome& outcome) {
  return dump(spf_value(outcome), 2);
}

std::string verify_json(const policy::Report& report, Standards shown) {
  json value;
  value["spf"] = report.spf_mail_from ? spf_value(*report.spf_mail_from) : json{{"result", "none"}};
  if (report.spf_helo) value["spf_helo"] = spf_value(*report.spf_helo);
  value["dkim"] = dkim_array(report);
  value["dmarc"] = dmarc_value(report.dmarc, report.author);
  if (shown == Standards::both) value["dmarc_rfc7489"] = dmarc_value(report.dmarc_rfc7489, report.author);
  value["arc"] = {{"result", arc::to_string(report.arc.result)}, {"reason", report.arc.reason}};
  value["body"] = body_value(report.bare_ends);
  value["ses"] = arrival_value(report);
  value["findings"] = finding_array(report.findings);
  value["dns"] = dns_value(report.dns);
  value["why"] = policy::why(report);
  return dump(value, 2);
}

std::string preflight_json(const policy::Report& report, const policy::Decision& decision) {
  json value = aged_prediction(report.prediction.value_or(ses::Prediction{}), report.time);
  value["action"] = policy::to_string(decision.action);
  value["repairs"] = repair_array(report.repairs);
  value["limits"] = report.limits;
  value["dns"] = dns_value(report.dns);
  value["why"] = policy::why(report);
  return dump(value, 2);
}

}  // namespace sesame::inspect
