// Examinations in JSON. Those for people are in render_doctor_text.cc.
#include "inspect/render_doctor.h"

#include <algorithm>

#include "inspect/prediction_json.h"
#include "util/clock.h"

namespace sesame::inspect {
namespace {

Json time_or_null(const std::optional<std::int64_t>& time) {
  return time ? Json(timestamp(*time)) : Json(nullptr);
}

Json identity_value(const ses::Examination& examination) {
  const auto& identity = examination.identity;
  return {{"name", identity ? Json(identity->name) : Json(nullptr)},
          {"kind", !identity                ? "none"
                   : identity->is_address() ? "address"
                                            : "domain"},
          {"account", text_or_null(examination.account)},
          {"region", text_or_null(examination.region)},
          {"sandbox", examination.sandbox},
          {"tokens_known", examination.tokens_known},
          {"source", ses::to_string(examination.source)},
          {"as_of", time_or_null(identity ? identity->as_of : std::nullopt)},
          {"aged", identity && identity->aged},
          {"also_in", examination.elsewhere}};
}

Json record_array(const ses::Examination& examination) {
  auto array = Json::array();
  for (const auto& record : examination.records)
    array.push_back({{"purpose", record.purpose},
                     {"name", record.name},
                     {"type", dns::to_string(record.type)},
                     {"expected", text_or_null(record.expected)},
                     {"found", record.found},
                     {"verdict", ses::to_string(record.verdict)},
                     {"code", record.code ? Json(ses::to_string(*record.code)) : Json(nullptr)}});
  return array;
}

Json mode_or_null(const std::optional<dmarc::Mode>& mode) {
  return mode ? Json(dmarc::to_string(*mode)) : Json(nullptr);
}

Json alignment_array(const ses::Examination& examination) {
  auto array = Json::array();
  for (const auto& check : examination.alignment)
    array.push_back(
        {{"identifier", check.identifier},
         {"domain", check.domain},
         {"mode", {{"rfc9989", mode_or_null(check.mode_rfc9989)}, {"rfc7489", mode_or_null(check.mode_rfc7489)}}},
         {"aligned", aligned_json(check.published)},
         {"relaxed", aligned_json(check.relaxed)},
         {"strict", aligned_json(check.strict)}});
  return array;
}

// What SES said of its own look at the records.
Json verification_value(const ses::Examination& examination) {
  if (!examination.identity) return nullptr;
  const auto& seen = examination.identity->verification;
  if (seen.error_type.empty() && !seen.last_checked && !seen.last_success && seen.primary_name_server.empty())
    return nullptr;
  return {{"error_type", text_or_null(seen.error_type)},
          {"last_checked", time_or_null(seen.last_checked)},
          {"last_success", time_or_null(seen.last_success)},
          {"primary_name_server", text_or_null(seen.primary_name_server)},
          {"soa_serial", seen.primary_name_server.empty() ? Json(nullptr) : Json(seen.soa_serial)}};
}

Json fault_array(const std::vector<ses::ServerFault>& faults) {
  auto array = Json::array();
  for (const auto& fault : faults)
    array.push_back({{"server", fault.server},
                     {"name", fault.name},
                     {"type", dns::to_string(fault.type)},
                     {"answer", fault.answer},
                     {"transport", fault.transport},
                     {"first", timestamp(fault.first)},
                     {"last", timestamp(fault.last)},
                     {"count", fault.count}});
  return array;
}

Json arrival_value(const std::optional<ses::Arrival>& arrival) {
  if (!arrival) return nullptr;
  return {{"time", timestamp(arrival->time)},
          {"signed_domain", text_or_null(arrival->signed_domain)},
          {"selector", text_or_null(arrival->selector)},
          {"broken_domain", text_or_null(arrival->broken_domain)},
          {"broken_reason", text_or_null(arrival->broken_reason)},
          {"mail_from_domain", text_or_null(arrival->mail_from_domain)},
          {"aligned", {{"dkim", arrival->dkim_aligned}, {"spf", arrival->spf_aligned}}}};
}

// SES may never miss what some server always had: then there is no latest moment.
Json span_value(const ses::Span& span, const ses::Outage& outage) {
  return {{"earliest", timestamp(span.earliest)},
          {"latest", outage.missing_since ? Json(timestamp(span.latest)) : Json(nullptr)}};
}

Json outage_value(const std::optional<ses::Outage>& outage, const ses::Clocks& clocks) {
  if (!outage) return nullptr;
  Json value = {{"names", outage->names},
                {"first_bad", timestamp(outage->first_bad)},
                {"missing_since", time_or_null(outage->missing_since)},
                {"restored", time_or_null(outage->restored)},
                {"ses", ses::to_string(clocks.phase)},
                {"ses_stops", nullptr},
                {"ses_ends", nullptr}};
  if (clocks.phase == ses::Clocks::Phase::as_usual) return value;
  value["ses_stops"] = span_value(clocks.stops, *outage);
  value["ses_ends"] = span_value(clocks.ends, *outage);
  return value;
}

Json history_value(const ses::Examination& examination) {
  const auto& history = examination.history;
  if (!history) return nullptr;
  return {{"present", fault_array(history->present)},
          {"past", fault_array(history->past)},
          {"bogus_zone", text_or_null(history->bogus_zone)},
          {"dkim_outage", outage_value(history->dkim_outage, examination.dkim_clocks)},
          {"mail_from_outage", outage_value(history->mail_from_outage, examination.mail_from_clocks)},
          {"arrival", arrival_value(history->arrival)},
          {"arrivals",
           {{"seen", history->arrivals.seen},
            {"dkim_aligned", history->arrivals.dkim_aligned},
            {"spf_aligned", history->arrivals.spf_aligned},
            {"broken", history->arrivals.broken}}}};
}

Json publish_array(const ses::Examination& examination) {
  auto array = Json::array();
  for (const auto& record : examination.publish)
    array.push_back({{"name", record.name},
                     {"type", dns::to_string(record.type)},
                     {"value", record.value},
                     {"zone_line", ses::zone_line(record)},
                     {"proposal", record.purpose == ses::Publishable::Purpose::proposes},
                     {"note", text_or_null(record.note)}});
  return array;
}

// The prediction without its findings: those of the examination are more.
Json foreseen_value(const ses::Prediction& prediction) {
  auto value = prediction_value(prediction);
  for (const char* told : {"findings", "identity", "account", "region", "as_of"}) value.erase(told);
  value["why"] = prediction.why;
  return value;
}

Json examination_value(const ses::Examination& examination) {
  return {{"domain", examination.domain},
          {"subject", examination.subject},
          {"state", ses::to_string(examination.state)},
          {"identity", identity_value(examination)},
          {"prediction", foreseen_value(examination.prediction)},
          {"findings", finding_array(examination.findings)},
          {"records", record_array(examination)},
          {"alignment", alignment_array(examination)},
          {"ses_saw", verification_value(examination)},
          {"observed", history_value(examination)},
          {"publish", publish_array(examination)},
          {"dns", dns_value(examination.dns)},
          {"unproposed", text_or_null(examination.unproposed)}};
}

}  // namespace

std::string doctor_json(std::span<const ses::Examination> examinations, Shape shape) {
  if (shape == Shape::one) return dump(examination_value(examinations.front()), 2);
  using State = ses::Examination::State;
  Json value;
  value["domains"] = Json::array();
  for (const auto& examination : examinations) value["domains"].push_back(examination_value(examination));
  for (const auto state : {State::fine, State::bad, State::undecided})
    value["summary"][ses::to_string(state)] = std::ranges::count(examinations, state, &ses::Examination::state);
  return dump(value, 2);
}

}  // namespace sesame::inspect
