// The evidence as JSON.
#include "util/clock.h"
#include "watch/chronicle_json.h"
#include "watch/evidence.h"

namespace sesame::watch {
namespace {

using Json = nlohmann::ordered_json;

Json expected_value(const Knowledge& knowledge) {
  auto list = Json::array();
  for (const auto& subject : knowledge.subjects)
    for (const auto& record : subject.records) {
      auto types = Json::array();
      for (const auto type : record.types) types.push_back(dns::to_string(type));
      list.push_back({{"account", subject.account},
                      {"identity", subject.identity},
                      {"region", subject.region},
                      {"part", to_string(record.part)},
                      {"record", record.name},
                      {"types", types},
                      {"expected", record.expected.empty() ? Json(nullptr) : Json(record.expected)}});
    }
  return list;
}

// In the API's own words.
Json ses_value(const Knowledge& knowledge) {
  auto list = Json::array();
  for (const auto& identity : knowledge.identities) {
    if (!identity.as_of) continue;
    const auto& seen = identity.verification;
    const auto& status = identity.dkim.status;
    const auto& mail_from = identity.mail_from;
    Json soa = nullptr;
    if (!seen.primary_name_server.empty())
      soa = {{"PrimaryNameServer", seen.primary_name_server}, {"SerialNumber", seen.soa_serial}};
    list.push_back(
        {{"account", identity.account},
         {"identity", identity.name},
         {"region", identity.region},
         {"as_of", time_or_null(identity.as_of)},
         {"DkimStatus", status ? Json(ses::to_string(*status)) : Json(nullptr)},
         {"SigningEnabled", identity.dkim.signing_enabled},
         {"VerifiedForSendingStatus", identity.verified_for_sending},
         {"MailFromDomain", text_or_null(mail_from.domain)},
         {"MailFromDomainStatus", mail_from.status ? Json(ses::to_string(*mail_from.status)) : Json(nullptr)},
         {"ErrorType", text_or_null(seen.error_type)},
         {"LastCheckedTimestamp", time_or_null(seen.last_checked)},
         {"LastSuccessTimestamp", time_or_null(seen.last_success)},
         {"SOARecord", soa}});
  }
  return list;
}

Json zones_value(const Chronicle& chronicle) {
  auto list = Json::array();
  for (const auto& sight : chronicle.sights)
    list.push_back({{"account", sight.account},
                    {"identity", sight.identity},
                    {"region", sight.region},
                    {"time", sight.time ? Json(timestamp(sight.time)) : Json(nullptr)},
                    {"zones", sight.zones},
                    {"delegation_mismatch", delegation_value(sight.delegation)},
                    {"bogus_zone", text_or_null(sight.bogus_zone)}});
  return list;
}

}  // namespace

std::string evidence_json(const Chronicle& chronicle, const Knowledge& knowledge) {
  auto value = chronicle_value(chronicle);
  value["program"] = knowledge.program;
  value["expected"] = expected_value(knowledge);
  value["zones"] = zones_value(chronicle);
  value["ses"] = ses_value(knowledge);
  return text_of(value);
}

}  // namespace sesame::watch
