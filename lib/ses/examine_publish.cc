// What to publish: every record that is missing or wrong, and those that would make the set-up complete.
#include <algorithm>

#include "mail/tag_list.h"
#include "ses/examiner.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using Purpose = Publishable::Purpose;

std::string first_policy(const std::string& domain) {
  return "v=DMARC1; p=none; rua=mailto:dmarc-reports@" + domain;
}

constexpr const char* kReports = "choose a mailbox of yours for the reports, and a stricter p= once they are clean";

// The record with these tags set to relaxed; "" when it cannot be read.
std::string relaxed(const std::string& record, const std::vector<std::string>& tags) {
  const auto list = mail::TagList::parse(record);
  if (!list) return "";
  std::vector<std::string> parts;
  for (const auto& [name, value] : list->tags()) {
    const bool strict = std::ranges::find(tags, lower(name)) != tags.end();
    parts.push_back(name + "=" + (strict ? "r" : value));
  }
  return join(parts, "; ");
}

}  // namespace

void Examiner::publish_dkim(const KeyRecords& records) {
  using enum Selector::State;
  for (const auto& selector : records.selectors) {
    const bool external = selector.expected.empty();
    const bool wrong = selector.state == missing || selector.state == wrong_target || selector.state == proxied ||
                       (external && selector.state == bad_key);
    if (!wrong) continue;
    const bool there = selector.state != missing;
    if (external) {
      result_.publish.push_back({selector.name, dns::Type::txt, "p=PUBLIC_KEY", Purpose::mends,
                                 "PUBLIC_KEY is the public half, in base64, of the key that SES was given"});
    } else {
      result_.publish.push_back({selector.name, dns::Type::cname, selector.expected, Purpose::mends,
                                 there ? "in place of what answers there now" : ""});
    }
  }
}

void Examiner::publish_mail_from() {
  if (!result_.identity) return;
  const auto& identity = *result_.identity;
  if (identity.mail_from.domain.empty()) {
    const auto* own = world_.account.covering_domain(identity.domain());
    // Nobody publishes below the domain of a mail provider.
    if (identity.is_address() && !own) return;
    const auto domain = "bounce." + (own ? own->name : std::string(identity.domain()));
    const std::string note = "a proposal: name it as the custom MAIL FROM domain of " + identity.name + " in SES";
    result_.publish.push_back({domain, dns::Type::mx, feedback_mx(identity.region), Purpose::proposes, note});
    result_.publish.push_back({domain, dns::Type::txt, kSpfOfSes, Purpose::proposes, ""});
    return;
  }
  for (const auto& check : result_.records) {
    const bool wrong = check.verdict == RecordVerdict::error || check.verdict == RecordVerdict::warning;
    if (check.purpose != kMailFromPurpose || !wrong) continue;
    const bool empty = check.found.starts_with("nothing") || check.found.starts_with("no ");
    result_.publish.push_back(
        {check.name, check.type, check.expected, Purpose::mends, empty ? "" : "in place of what stands there"});
  }
}

void Examiner::publish_dmarc() {
  const auto org = zone_of(from_.domain);
  if (has(Code::dmarc_absent))
    result_.publish.push_back({"_dmarc." + org, dns::Type::txt, first_policy(org), Purpose::mends, kReports});
  for (const auto& check : result_.records)
    if (check.code == Code::dmarc_invalid)
      result_.publish.push_back({check.name, dns::Type::txt, first_policy(org), Purpose::mends,
                                 std::string("in place of what stands there; ") + kReports});
  publish_relaxed_dmarc();
  // Both generations of receivers see one Organizational Domain once it has a record of its own.
  if (has(Code::orgdomain_split) && by_walk_.record_domain != org)
    result_.publish.push_back({"_dmarc." + org, dns::Type::txt,
                               std::string("v=DMARC1; p=") + dmarc::to_string(by_walk_.policy), Purpose::mends, ""});
}

// Where strict alignment is what cannot be met.
void Examiner::publish_relaxed_dmarc() {
  std::vector<std::string> tags;
  if (has(Code::dkim_strict_parent)) tags.emplace_back("adkim");
  if (has(Code::spf_strict_never)) tags.emplace_back("aspf");
  if (tags.empty()) return;
  const auto name = "_dmarc." + by_walk_.record_domain;
  const auto answer = world_.resolver.lookup(name, dns::Type::txt, world_.deadline);
  const auto record =
      std::ranges::find_if(answer->texts, [](const auto& text) { return dmarc::parse_record(text).has_value(); });
  const auto value = record != answer->texts.end() ? relaxed(*record, tags) : "";
  if (value.empty()) return;
  const auto purpose = has(Code::dkim_strict_parent) ? Purpose::mends : Purpose::proposes;
  result_.publish.push_back({name, dns::Type::txt, value, purpose, "in place of what stands there: relaxed alignment"});
}

}  // namespace sesame::ses
