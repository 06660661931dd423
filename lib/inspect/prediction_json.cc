#include "inspect/prediction_json.h"

#include "util/clock.h"

namespace sesame::inspect {
namespace {

Json prediction_dmarc(const ses::DmarcPrediction& prediction) {
  const bool found = prediction.discovery.state == dmarc::Discovery::State::found;
  return {{"result", ses::to_string(prediction.result)},
          {"policy", found ? Json(dmarc::to_string(prediction.policy)) : Json(nullptr)},
          {"record_domain", text_or_null(prediction.discovery.record_domain)},
          {"org_domain", text_or_null(prediction.discovery.org_domain)}};
}

Json legs_value(const ses::Prediction& prediction) {
  return {{"dkim",
           {{"domain", text_or_null(prediction.dkim.domain)},
            {"source", text_or_null(prediction.dkim.source)},
            {"usable", tri_json(prediction.dkim.usable)},
            {"aligned", aligned_json(prediction.dkim.aligned)},
            {"reason", prediction.dkim.reason}}},
          {"spf",
           {{"domain", text_or_null(prediction.spf.domain)},
            {"result", spf::to_string(prediction.spf.result)},
            {"usable", tri_json(prediction.spf.usable)},
            {"aligned", aligned_json(prediction.spf.aligned)},
            {"reason", prediction.spf.reason}}}};
}

}  // namespace

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json tri_json(Tri value) {
  return value == Tri::unknown ? Json("unknown") : Json(value == Tri::yes);
}

Json aligned_json(const ses::Aligned& aligned) {
  return {{"rfc9989", tri_json(aligned.rfc9989)}, {"rfc7489", tri_json(aligned.rfc7489)}};
}

Json finding_array(const std::vector<ses::Finding>& findings) {
  auto array = Json::array();
  for (const auto& finding : findings)
    array.push_back({{"code", ses::to_string(finding.code)},
                     {"severity", ses::to_string(finding.severity)},
                     {"text", finding.text},
                     {"advice", finding.advice}});
  return array;
}

Json dns_value(const dns::Meter::Cost& cost) {
  return {{"lookups", cost.lookups}, {"queries", cost.queries}, {"ms", cost.waited.count()},
          {"failed", cost.failed},   {"stale", cost.stale},     {"stale_name", cost.stale_name}};
}

Json prediction_value(const ses::Prediction& prediction) {
  return {
      {"verdict", ses::to_string(prediction.verdict)},
      {"confidence", ses::to_string(prediction.confidence)},
      {"grade", ses::to_string(prediction.grade)},
      {"account", text_or_null(prediction.account)},
      {"region", prediction.region},
      {"identity", {{"name", text_or_null(prediction.identity)}, {"kind", ses::to_string(prediction.identity_kind)}}},
      {"configuration_set", text_or_null(prediction.configuration_set)},
      {"as_of", prediction.as_of ? Json(timestamp(*prediction.as_of)) : Json(nullptr)},
      {"legs", legs_value(prediction)},
      {"dmarc", {{"rfc9989", prediction_dmarc(prediction.rfc9989)}, {"rfc7489", prediction_dmarc(prediction.rfc7489)}}},
      {"findings", finding_array(prediction.findings)}};
}

}  // namespace sesame::inspect
