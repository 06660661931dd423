#include "story.h"

#include <fmt/core.h>

#include <algorithm>

#include "table.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr std::size_t kName = 16;       // where the text behind a name begins
constexpr std::size_t kMaxValue = 600;  // octets of one datum
constexpr std::size_t kMaxEntry = 2000;
constexpr std::size_t kMaxListed = 100;

// "  Name        text"
std::string entry(std::string_view name, std::string_view text) {
  return paragraph(printable(text, kMaxEntry), fmt::format("  {:{}}", name, kName - 2), std::string(kName, ' '));
}

// What stands there, as one fit for a terminal; "" for null and for what is not there.
std::string word(const Json& value, const char* key) {
  const auto at = value.find(key);
  if (!value.is_object() || at == value.end() || at->is_null()) return "";
  return printable(at->is_string() ? at->get<std::string>() : at->dump(-1, ' ', true, Json::error_handler_t::replace),
                   kMaxValue);
}

const Json& part(const Json& value, const char* key) {
  static const Json nothing;
  const auto at = value.find(key);
  return value.is_object() && at != value.end() ? *at : nothing;
}

// The elements of a list; none where it is no list.
std::vector<Json> elements(const Json& value, const char* key) {
  const auto& list = part(value, key);
  if (!list.is_array()) return {};
  const auto count = std::min(list.size(), kMaxListed);
  return {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::string yes_no(const std::string& value, const char* yes, const char* no) {
  return value == "true" ? yes : value == "false" ? no : "unknown";
}

// "usable, aligned; reason"
std::string leg_text(const Json& leg, const std::string& result) {
  const auto domain = word(leg, "domain");
  if (domain.empty()) return "none" + (word(leg, "reason").empty() ? "" : ": " + word(leg, "reason"));
  const auto& aligned = part(leg, "aligned");
  const auto now = yes_no(word(aligned, "rfc9989"), "aligned", "not aligned");
  const auto before = yes_no(word(aligned, "rfc7489"), "aligned", "not aligned");
  auto text = domain + ": " + (result.empty() ? "" : result + ", ") +
              yes_no(word(leg, "usable"), "will pass", "will not pass") + ", " +
              (now == "unknown" ? "alignment unknown" : now);
  if (before != now) text += " (for receivers of RFC 7489: " + before + ")";
  return text + (word(leg, "reason").empty() ? "" : "; " + word(leg, "reason"));
}

std::string with_reason(std::string text, const Json& value) {
  const auto reason = word(value, "reason");
  return reason.empty() ? text : text + "; " + reason;
}

std::string dmarc_text(const Json& dmarc) {
  auto text = word(dmarc, "result");
  if (const auto policy = word(dmarc, "policy"); !policy.empty()) text += ", p=" + policy;
  if (const auto record = word(dmarc, "record_domain"); !record.empty()) text += " at _dmarc." + record;
  return with_reason(std::move(text), dmarc);
}

// The event of an outbound message has its legs, that of an inbound one what was found of each standard.
std::string outbound_alignment(const Json& story) {
  const auto& legs = part(story, "legs");
  const auto& dmarc = part(story, "dmarc");
  return entry("DKIM", leg_text(part(legs, "dkim"), "")) +
         entry("SPF", leg_text(part(legs, "spf"), word(part(legs, "spf"), "result"))) +
         entry("DMARC", dmarc_text(part(dmarc, "rfc9989"))) + entry("  RFC 7489", dmarc_text(part(dmarc, "rfc7489")));
}

std::string inbound_alignment(const Json& story) {
  std::string text;
  for (const auto& signature : elements(story, "dkim"))
    text += entry("DKIM", with_reason(word(signature, "domain") + " " + word(signature, "selector") + ": " +
                                          word(signature, "result"),
                                      signature));
  if (text.empty()) text = entry("DKIM", "no signature");
  const auto& spf = part(story, "spf");
  text += entry("SPF",
                spf.is_null() ? "not evaluated" : with_reason(word(spf, "domain") + ": " + word(spf, "result"), spf));
  text += entry("DMARC", dmarc_text(part(story, "dmarc")));
  const auto& aligned = part(part(story, "dmarc"), "aligned");
  return text + entry("", "aligned: DKIM " + yes_no(word(aligned, "dkim"), "yes", "no") + ", SPF " +
                              yes_no(word(aligned, "spf"), "yes", "no"));
}

std::string findings_text(const Json& story) {
  std::string text;
  for (const auto& finding : elements(story, "findings")) {
    text += fmt::format("  {} ({})\n", word(finding, "code"), word(finding, "severity"));
    text += paragraph(word(finding, "text"), "    ", "    ");
    text += paragraph(word(finding, "advice"), "    To do: ", "           ");
  }
  return text.empty() ? "" : "\nFindings\n" + text;
}

std::string record_text(const Json& record) {
  auto text = fmt::format("  {} {}: {}", word(record, "name"), word(record, "type"), word(record, "status"));
  if (word(record, "ttl") != "") text += ", ttl " + word(record, "ttl");
  if (word(record, "stale") == "true") text += ", past its time to live";
  text = paragraph(text, "  ", "    ");
  for (const auto* list : {"cnames", "data"})
    for (const auto& datum : elements(record, list))
      if (datum.is_string())
        text += paragraph(
            (list == std::string_view("cnames") ? "alias of " : "") + printable(datum.get<std::string>(), kMaxValue),
            "      ", "      ");
  return text;
}

std::string records_text(const Json& story) {
  std::string text;
  for (const auto& record : elements(story, "records")) text += record_text(record);
  return text.empty() ? "" : "\nDNS as it was\n" + text;
}

std::string milliseconds(std::int64_t microseconds) {
  return fmt::format("{}.{:03} ms", microseconds / 1000, microseconds % 1000);
}

std::string from_text(const history::Row& row) {
  return row.from_domain.empty() ? "(no usable From)" : row.from_domain;
}

std::string identity_text(const history::Row& row) {
  auto text = dash(row.identity);
  if (!row.account.empty()) text += ", account " + row.account;
  return text + (row.region.empty() ? "" : ", " + row.region);
}

// What every row has.
std::string heading(const history::Row& row, const Json& story) {
  const auto grade = word(story, "grade"), confidence = word(story, "confidence");
  auto verdict = row.verdict + (confidence.empty() ? "" : " (" + confidence + ")");
  if (!grade.empty() && grade != "none") verdict += ", rests on " + grade;
  const auto first = fmt::format("Message {}, {}, judged {} UTC by {}", dash(row.queue_id), row.direction,
                                 moment_text(row.time), dash(row.host));
  auto text = paragraph(printable(first, kMaxEntry), "", "  ") + "\n";
  text += entry("From", from_text(row)) + entry("Sender", "<" + row.mail_from + ">") +
          entry("Message-ID", dash(row.message_id)) + entry("Client", row.client.empty() ? "(local)" : row.client);
  if (row.direction == "outbound") text += entry("SES identity", identity_text(row));
  text += entry("Verdict", verdict) + entry("Why", row.why);
  if (!row.disposition.empty()) text += entry("Asked for", row.disposition + ", by the owner of the domain");
  if (!row.forwarder.empty()) text += entry("Forwarder", row.forwarder + " is trusted: the policy was not applied");
  text += entry("Action", row.action);
  return text + entry("Took", milliseconds(row.took_us) + " from MAIL to the answer, " + milliseconds(row.waited_us) +
                                  " of it waiting for DNS at the end");
}

std::string rest(const Json& story) {
  std::string text;
  for (const auto& repair : elements(story, "repairs"))
    text += entry("Removed", word(repair, "field") + " (" + word(repair, "reason") + ")");
  for (const auto& limit : elements(story, "limits"))
    if (limit.is_string()) text += entry("Over a limit", printable(limit.get<std::string>(), kMaxValue));
  if (const auto failed = word(story, "dns_failed"); !failed.empty()) text += entry("DNS failed", failed);
  if (const auto left_out = word(story, "left_out"); !left_out.empty())
    text += entry("Not kept", "the " + left_out + ": too much for one message");
  return text;
}

}  // namespace

Json story_of(const history::Row& row) {
  auto story = Json::parse(row.story, nullptr, false);
  return story.is_object() ? story : Json(nullptr);
}

std::string story_text(const history::Row& row) {
  const auto story = story_of(row);
  auto text = heading(row, story);
  if (story.is_null()) return text + "\nNothing more is kept of it.\n";
  text += rest(story) + "\nAlignment (" + history::to_string(row.alignment) + ")\n";
  text += row.direction == "outbound" ? outbound_alignment(story) : inbound_alignment(story);
  return text + findings_text(story) + records_text(story);
}

}  // namespace sesame::cli
