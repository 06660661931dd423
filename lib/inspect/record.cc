#include "inspect/record.h"

#include <algorithm>
#include <utility>

#include "inspect/event.h"
#include "util/text.h"

namespace sesame::inspect {
namespace {

using history::Alignment;

// What one message may keep in memory until it is written, in octets: one that takes more becomes a row at once.
constexpr std::size_t kMaxHeld = history::kMaxStory / 2;

std::string text(std::string_view value) {
  constexpr std::size_t kMark = 6;  // what printable() adds at most to what it cuts
  return printable(value, history::kMaxText - kMark);
}

Alignment alignment(Tri dkim, Tri spf) {
  if (dkim == Tri::yes) return spf == Tri::yes ? Alignment::both : Alignment::dkim;
  if (spf == Tri::yes) return Alignment::spf;
  return dkim == Tri::no && spf == Tri::no ? Alignment::none : Alignment::unknown;
}

Alignment predicted_alignment(const ses::Prediction& prediction) {
  return alignment(both(prediction.dkim.usable, prediction.dkim.aligned.rfc9989),
                   both(prediction.spf.usable, prediction.spf.aligned.rfc9989));
}

Alignment found_alignment(const policy::Report& report) {
  const auto& dmarc = report.dmarc;
  if (dmarc.result == dmarc::Result::pass || dmarc.result == dmarc::Result::fail)
    return alignment(dmarc.dkim_aligned, dmarc.spf_aligned);
  if (dmarc.result != dmarc::Result::none || !report.author.usable()) return Alignment::unknown;
  // Where no record says how, a domain aligns with itself, and of others nobody has looked.
  const auto& author = report.author.domain();
  const bool dkim = std::ranges::any_of(report.dkim, [&](const dkim::Outcome& each) {
    return each.result == dkim::Result::pass && each.domain == author;
  });
  const auto& spf = report.spf_mail_from;
  return alignment(dkim ? Tri::yes : Tri::unknown,
                   spf && spf->result == spf::Result::pass && spf->domain == author ? Tri::yes : Tri::unknown);
}

// Of an ordered list of findings, what made the verdict what it is; a pass has nothing to blame.
std::string deciding_code(const std::vector<ses::Finding>& findings, bool passes) {
  return passes || findings.empty() ? "" : ses::to_string(findings.front().code);
}

// Each once, as many as fit.
std::string codes_of(const std::vector<ses::Finding>& findings) {
  std::string list;
  std::vector<ses::Code> seen;
  for (const auto& finding : findings) {
    if (std::ranges::find(seen, finding.code) != seen.end()) continue;
    seen.push_back(finding.code);
    const std::string code = ses::to_string(finding.code);
    if (list.size() + 1 + code.size() > history::kMaxText) break;
    list += (list.empty() ? "" : ",") + code;
  }
  return list;
}

// With "left_out" where not everything had room.
std::string story_of(const policy::Report& report, const policy::Decision& decision, const history::Row& row) {
  const auto without = [](Json value, const char* what) {
    value["left_out"] = what;
    return dump(value, -1);
  };
  constexpr std::size_t kRoom = history::kMaxStory - 64;  // for "left_out"
  auto event = event_value(report, decision);
  auto size = dump(event, -1).size();
  if (size > kRoom)
    return without({{"event", "message"}, {"queue_id", row.queue_id}, {"direction", row.direction}, {"why", row.why}},
                   "event");
  auto records = Json::array();
  for (const auto& answer : report.answers) {
    records.push_back(record_value(*answer));
    size += dump(records.back(), -1).size() + 1;
    if (size > kRoom) return without(std::move(event), "records");
  }
  event["records"] = std::move(records);
  return dump(event, -1);
}

void put_verdict(history::Row& row, const policy::Report& report) {
  const bool inbound = report.direction == policy::Direction::inbound;
  const auto& findings = !inbound && report.prediction ? report.prediction->findings : report.findings;
  row.codes = codes_of(findings);
  if (inbound) {
    const auto result = report.dmarc.result;
    row.verdict = dmarc::to_string(result);
    row.alignment = found_alignment(report);
    row.code = deciding_code(findings, result == dmarc::Result::pass);
    if (result == dmarc::Result::fail) row.disposition = dmarc::to_string(report.dmarc.discovery.disposition);
    return;
  }
  const auto prediction = report.prediction.value_or(ses::Prediction{});
  row.verdict = ses::to_string(prediction.verdict);
  row.alignment = report.prediction ? predicted_alignment(prediction) : Alignment::unknown;
  row.code = deciding_code(findings, prediction.verdict == ses::Verdict::pass);
  row.account = text(prediction.account);
  row.region = text(prediction.region);
  row.identity = text(prediction.identity);
}

history::Row row_of(const policy::Report& report, const policy::Decision& decision, const Took& took,
                    std::int64_t time_us) {
  history::Row row;
  row.time = time_us;
  row.queue_id = text(report.envelope.queue_id);
  row.direction = policy::to_string(report.direction);
  row.from_domain = text(from_domain(report));
  row.mail_from = text(report.envelope.mail_from);
  row.message_id = text(report.message_id);
  if (report.envelope.client) row.client = report.envelope.client->to_string();
  put_verdict(row, report);
  row.forwarder = text(decision.trusted_forwarder);
  row.action = policy::to_string(decision.action);
  row.why = text(policy::why(report));
  row.waited_us = took.waited_us;
  row.took_us = took.whole_us;
  row.story = story_of(report, decision, row);
  return row;
}

class Judged final : public history::Source {
 public:
  Judged(policy::Report&& report, policy::Decision&& decision, const Took& took, std::int64_t time_us,
         std::size_t octets)
      : report_(std::move(report)), decision_(std::move(decision)), took_(took), time_us_(time_us), octets_(octets) {}
  history::Row row() const override { return row_of(report_, decision_, took_, time_us_); }
  std::size_t octets() const override { return octets_; }

 private:
  policy::Report report_;
  policy::Decision decision_;
  Took took_;
  std::int64_t time_us_;
  std::size_t octets_;
};

class Written final : public history::Source {
 public:
  explicit Written(history::Row row) : row_(std::move(row)) {}
  history::Row row() const override { return row_; }
  std::size_t octets() const override { return sizeof(row_) + row_.story.size() + row_.why.size() + row_.codes.size(); }

 private:
  history::Row row_;
};

std::size_t size_of(const dns::Answer& answer) {
  auto size = sizeof(answer) + answer.addresses.size() * sizeof(IpAddress);
  for (const auto* list : {&answer.texts, &answer.names, &answer.cnames})
    for (const auto& each : *list) size += sizeof(each) + each.size();
  for (const auto& mx : answer.exchanges) size += sizeof(mx) + mx.host.size();
  return size;
}

// About what it keeps in memory, where a message or a zone decides how much that is.
std::size_t size_of(const policy::Report& report, const policy::Decision& decision) {
  auto size = sizeof(report) + report.envelope.mail_from.size() + report.envelope.helo.size();
  for (const auto& each : report.dkim)
    size += sizeof(each) + each.domain.size() + each.selector.size() + each.identity.size() + each.algorithm.size() +
            each.reason.size();
  for (const auto& each : report.author.mailboxes) size += sizeof(each) + each.local.size() + each.domain.size();
  for (const auto* repairs : {&report.repairs, &decision.repairs})
    for (const auto& each : *repairs) size += sizeof(each) + each.place.name.size();
  size += report.forged_results.size() * sizeof(policy::Place);
  for (const auto& answer : report.answers) size += size_of(*answer);
  return size;
}

// With the memory it has; an assignment would keep that.
template <class T>
void drop(T& whole) {
  T().swap(whole);
}

// What no row tells.
void lighten(policy::Report& report, policy::Decision& decision) {
  drop(report.envelope.recipients);
  drop(report.envelope.relays);
  drop(report.forged_predictions);
  drop(report.arc.sets);
  if (report.spf_mail_from) drop(report.spf_mail_from->compared);
  report.spf_helo.reset();
  for (auto& each : report.dkim) drop(each.signed_fields);
  drop(decision.edits);
}

}  // namespace

std::unique_ptr<const history::Source> record_of(policy::Report report, policy::Decision decision, const Took& took,
                                                 std::int64_t time_us) {
  lighten(report, decision);
  const auto size = size_of(report, decision);
  if (size > kMaxHeld) return std::make_unique<Written>(row_of(report, decision, took, time_us));
  return std::make_unique<Judged>(std::move(report), std::move(decision), took, time_us, size);
}

}  // namespace sesame::inspect
