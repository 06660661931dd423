// What DNS said while a message was judged.
#include <algorithm>

#include "inspect/event.h"
#include "inspect/render.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

constexpr std::size_t kMaxDatum = 65'535;  // RFC 1035 Section 4.2.2: no packet is longer
constexpr std::size_t kMaxListed = 20;     // records of one answer, on a line of text

std::string record_text(const std::string& queue_id, const dns::Answer& answer) {
  std::string line;
  put(line, "queue_id", queue_id);
  put(line, "dns", answer.name);
  put(line, "type", dns::to_string(answer.type));
  put(line, "status", dns::to_string(answer.status));
  put(line, "ttl", std::to_string(answer.ttl));
  if (answer.stale) put(line, "stale", "true");
  for (const auto& name : answer.cnames) put(line, "cname", name);
  auto data = dns::data_of(answer);
  const auto left_out = data.size() - std::min(data.size(), kMaxListed);
  data.resize(data.size() - left_out);
  for (const auto& datum : data) put(line, "data", datum);
  if (left_out > 0) put(line, "left_out", std::to_string(left_out));
  return line;
}

}  // namespace

Json record_value(const dns::Answer& answer) {
  Json value{{"name", printable(answer.name)},
             {"type", dns::to_string(answer.type)},
             {"status", dns::to_string(answer.status)},
             {"ttl", answer.ttl},
             {"data", Json::array()},
             {"stale", answer.stale}};
  if (!answer.cnames.empty()) value["cnames"] = Json::array();
  for (const auto& name : answer.cnames) value["cnames"].push_back(printable(name));
  for (const auto& datum : dns::data_of(answer)) value["data"].push_back(printable(datum, kMaxDatum));
  return value;
}

std::vector<std::string> log_text_records(const policy::Report& report) {
  std::vector<std::string> lines;
  for (const auto& answer : report.answers) lines.push_back(record_text(report.envelope.queue_id, *answer));
  return lines;
}

std::vector<std::string> log_json_records(const policy::Report& report) {
  std::vector<std::string> lines;
  for (const auto& answer : report.answers) {
    Json line{{"time", timestamp(report.time)}, {"event", "dns_answer"}, {"queue_id", report.envelope.queue_id}};
    line.update(record_value(*answer));
    lines.push_back(dump(line, -1));
  }
  return lines;
}

}  // namespace sesame::inspect
