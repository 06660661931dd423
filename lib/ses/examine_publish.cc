// What to publish: every record that is missing or wrong, and those that would make the set-up complete.
#include <algorithm>
#include <array>

#include "mail/tag_list.h"
#include "ses/examiner.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using Purpose = Publishable::Purpose;

std::string first_policy(const std::string& domain) {
  return "v=DMARC1; p=none; rua=mailto:dmarc-reports@" + domain;
}

constexpr const char* kInPlace = "in place of what stands there";
constexpr std::array kAlias = {dns::Type::cname};
constexpr std::array kTextAndAlias = {dns::Type::txt, dns::Type::cname};
constexpr std::array kAnything = {dns::Type::mx, dns::Type::txt, dns::Type::cname, dns::Type::a, dns::Type::aaaa};

std::string place_note(Tri stands, const std::string& more) {
  const std::string place = stands == Tri::yes ? kInPlace : "";
  return place.empty() || more.empty() ? place + more : place + "; " + more;
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

void Examiner::publish(Publishable record) {
  const auto same = [&](const Publishable& told) { return told.name == record.name && told.type == record.type; };
  if (std::ranges::none_of(result_.publish, same)) result_.publish.push_back(std::move(record));
}

Tri Examiner::stands_at(const std::string& name, std::span<const dns::Type> types) const {
  for (const auto type : types) {
    const auto answer = world_.resolver.lookup(name, type, world_.deadline);
    if (answer->status == dns::Status::ok || !answer->cnames.empty()) return Tri::yes;
    // Who is silent is not waited for again.
    if (dns::is_undecided(*answer)) return Tri::unknown;
    if (answer->status == dns::Status::nxdomain) return Tri::no;
  }
  return Tri::no;
}

void Examiner::publish_dkim(const KeyRecords& records) {
  using enum Selector::State;
  for (const auto& selector : records.selectors) {
    const bool external = selector.expected.empty();
    const bool wrong = selector.state == missing || selector.state == wrong_target || selector.state == proxied ||
                       (external && (selector.state == bad_key || selector.state == idle));
    // A zone that is only guessed is compared first.
    if (!wrong || records.may_be_hosted_elsewhere(selector)) continue;
    if (external) {
      publish({selector.name, dns::Type::txt, "p=PUBLIC_KEY", Purpose::mends,
               place_note(stands_at(selector.name, kTextAndAlias),
                          "PUBLIC_KEY is the public half, in base64, of the key that SES was given")});
    } else {
      publish({selector.name, dns::Type::cname, selector.expected, Purpose::mends,
               place_note(stands_at(selector.name, kAnything), "")});
    }
  }
}

void Examiner::publish_mail_from() {
  if (!result_.identity) return;
  const auto& identity = *result_.identity;
  if (identity.mail_from.domain.empty()) {
    const auto* own = world_.account.covering_domain(identity.domain());
    // Nobody publishes below the domain of a mail provider.
    if (own || !identity.is_address()) propose_mail_from(own ? own->name : identity.name);
    return;
  }
  for (const auto& check : result_.records) {
    const bool wrong = check.verdict == RecordVerdict::error || check.verdict == RecordVerdict::warning;
    if (check.purpose != kMailFromPurpose || !wrong) continue;
    // Other texts than SPF may stay.
    const bool empty = check.found.starts_with("nothing") || check.found.starts_with("no ");
    const auto there = empty ? stands_at(check.name, kAlias) : Tri::yes;
    publish({check.name, check.type, check.expected, Purpose::mends, place_note(there, "")});
  }
}

// It must serve nothing else: SES refuses a second MX, and wants neither From addresses nor incoming mail there.
// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
void Examiner::propose_mail_from(const std::string& parent) {
  const auto& identity = *result_.identity;
  const std::vector<std::string> labels = {"bounce", "ses-bounce", "mailfrom", "bounce-" + identity.region};
  for (const auto& label : labels) {
    const auto domain = label + "." + parent;
    if (!is_unused(domain)) continue;
    publish({domain, dns::Type::mx, feedback_mx(identity.region), Purpose::proposes,
             "a proposal: name it as the custom MAIL FROM domain of " + identity.name + " in SES"});
    publish({domain, dns::Type::txt, kSpfOfSes, Purpose::proposes, ""});
    return;
  }
  result_.unproposed = "No custom MAIL FROM domain is proposed: of " + join(labels, ", ") + " below " + parent +
                       " none is known to be free. Choose a subdomain that serves nothing else.";
}

bool Examiner::is_unused(const std::string& name) const {
  const auto uses = [&](const Account& account) {
    return std::ranges::any_of(account.identities, [&](const Identity& each) {
      return each.mail_from.domain == name || each.domain() == name;
    });
  };
  return !uses(world_.account) && std::ranges::none_of(world_.accounts, uses) && stands_at(name, kAnything) == Tri::no;
}

void Examiner::publish_policy(const std::string& name) {
  publish({name, dns::Type::txt, first_policy(zone_of(from_.domain)), Purpose::mends,
           place_note(stands_at(name, kTextAndAlias), kReports)});
}

void Examiner::publish_dmarc() {
  const auto at_org = "_dmarc." + zone_of(from_.domain);
  if (has(Code::dmarc_absent)) return publish_policy(at_org);
  const auto found = [](const dmarc::Discovery& by) { return by.state == dmarc::Discovery::State::found; };
  for (const auto& check : result_.records) {
    if (check.code != Code::dmarc_invalid) continue;
    // Where a policy from elsewhere applies, another here might weaken it.
    const auto applies_elsewhere = [&](const dmarc::Discovery& by) {
      return found(by) && "_dmarc." + by.record_domain != check.name;
    };
    if (!applies_elsewhere(by_walk_) && !applies_elsewhere(by_list_)) publish_policy(check.name);
  }
  publish_relaxed_dmarc();
  // Both generations of receivers see one Organizational Domain once it has a record of its own, unless the walk is
  // told to end below it. What the subdomain asks for is nothing that the whole domain is ready for.
  const bool ends_below = found(by_walk_) && by_walk_.record.psd == dmarc::Record::Psd::n;
  if (has(Code::orgdomain_split) && !ends_below && stands_at(at_org, kTextAndAlias) == Tri::no) publish_policy(at_org);
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
  publish({name, dns::Type::txt, value, purpose, std::string(kInPlace) + ": relaxed alignment"});
}

}  // namespace sesame::ses
