#include "watch/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "dkim/key.h"
#include "dmarc/dmarc.h"
#include "dns/name.h"
#include "ses/needs.h"
#include "spf/parse.h"
#include "spf/spf.h"
#include "util/text.h"

namespace sesame::watch {
namespace {

constexpr std::string_view kAmazon = "amazonses.com";

std::string listed(std::string_view word, const std::vector<std::string>& parts) {
  return parts.empty() ? std::string() : fmt::format("{} {}", word, join(parts, ", "));
}

std::vector<std::string> spf_records(const dns::Answer& answer) {
  std::vector<std::string> records;
  std::ranges::copy_if(answer.texts, std::back_inserter(records), spf::is_spf_record);
  return records;
}

// Does it name SES, by include: or redirect=?
bool names_amazon(const spf::Record& record) {
  const auto is_amazon = [](const spf::MacroString& domain) {
    const auto* name = domain.size() == 1 ? std::get_if<std::string>(&domain.front()) : nullptr;
    return name && dns::is_at_or_below(lower(*name), kAmazon);
  };
  return (record.redirect && is_amazon(*record.redirect)) ||
         std::ranges::any_of(record.directives, [&](const spf::Directive& directive) {
           return directive.mechanism.kind == spf::Mechanism::Kind::include &&
                  directive.qualifier == spf::Result::pass && is_amazon(directive.mechanism.domain);
         });
}

// One address that SES sends from, by Amazon's own record; nothing when that does not tell.
std::optional<IpAddress> an_address_of_ses(dns::Resolver& resolver, Deadline deadline) {
  const auto records = spf_records(*resolver.lookup(kAmazon, dns::Type::txt, deadline));
  const auto record = records.size() == 1 ? spf::parse_record(records.front()) : failure("");
  if (!record) return std::nullopt;
  for (const auto& directive : record->directives)
    if (directive.mechanism.kind == spf::Mechanism::Kind::ip4 && directive.qualifier == spf::Result::pass)
      return directive.mechanism.network.first();
  return std::nullopt;
}

bool passes_ses(const std::string& domain, dns::Resolver& resolver, Deadline deadline) {
  const auto client = an_address_of_ses(resolver, deadline);
  if (!client) return false;
  spf::Options options;
  options.deadline = deadline;
  return spf::check_mail_from(resolver, {*client, std::string(kAmazon), "message-id@" + domain}, options).result ==
         spf::Result::pass;
}

Quality policy(const dns::Answer& answer, std::string& answered) {
  std::vector<dmarc::Record> records;
  for (const auto& text : answer.texts)
    if (auto record = dmarc::parse_record(text)) records.push_back(std::move(*record));
  if (records.empty()) {
    if (!answer.texts.empty()) answered += ", no DMARC record";
    return Quality::absent;
  }
  // RFC 9989 Section 4.7: a record without p= counts where it asks for reports.
  const auto& first = records.front();
  return records.size() == 1 && (first.p || !first.rua.empty()) ? Quality::good : Quality::wrong;
}

}  // namespace

std::string text_of(const dns::Answer& answer) {
  std::vector<std::string> parts;
  if (!answer.cnames.empty()) parts.push_back(listed("CNAME", answer.cnames));
  std::vector<std::string> data = answer.names;
  for (const auto& text : answer.texts) data.push_back("\"" + text + "\"");
  for (const auto& mx : answer.exchanges) data.push_back(fmt::format("{} {}", mx.preference, mx.host));
  if (!data.empty()) parts.push_back(listed(dns::to_string(answer.type), data));
  const bool leads_out = answer.status == dns::Status::nodata && !answer.cnames.empty();
  if (answer.status != dns::Status::ok && !leads_out) parts.emplace_back(dns::to_string(answer.status));
  if (answer.stale) parts.emplace_back("from an earlier time, since no answer came now");
  // What printable() marks as cut is over its limit by the mark.
  return printable(join(parts, "; "), kMaxAnswerText - 3);
}

Yardstick::Yardstick(const Record& record, dns::Resolver& resolver, Deadline deadline) : record_(record) {
  find_way(resolver, deadline);
}

void Yardstick::find_way(dns::Resolver& resolver, Deadline deadline) {
  if (record_.part == Part::zone) return;
  const auto type = record_.part == Part::mail_from_mx ? dns::Type::mx : dns::Type::txt;
  const auto answer = resolver.lookup(record_.name, type, deadline);
  if (dns::is_undecided(*answer)) way_state_ = Way::unknown;
  if (record_.part == Part::mail_from_spf) {
    const auto records = spf_records(*answer);
    const auto record = records.size() == 1 ? spf::parse_record(records.front()) : failure("");
    if (record && !names_amazon(*record) && passes_ses(record_.name, resolver, deadline))
      passing_spf_.insert(records.front());
  }
  const bool aliased = !record_.expected.empty() && record_.part == Part::dkim;
  if (aliased && std::ranges::none_of(answer->cnames, [this](const auto& name) { return is_target(name); })) return;
  std::string ignored;
  if (!aliased && quality_of(*answer, ignored) != Quality::good) return;
  way_.insert(answer->cnames.begin(), answer->cnames.end());
}

bool Yardstick::is_target(const std::string& name) const {
  if (name == record_.expected) return true;
  const auto token = std::string_view(record_.expected).substr(0, record_.expected.find('.'));
  const ses::KeyZone guess{std::string(dns::parent(record_.expected)), record_.zone_by_region};
  return !guess.guessed_for.empty() && ses::may_lead_to(name, token, guess);
}

bool Yardstick::leads_well(const std::vector<std::string>& names) const {
  return std::ranges::any_of(names, [this](const auto& name) { return is_target(name) || way_.contains(name); });
}

Appraisal Yardstick::appraise(const dns::Answer& answer) const {
  Appraisal result{Quality::failing, text_of(answer)};
  if (dns::is_temporary(answer.status) || answer.stale) return result;
  result.quality = quality_of(answer, result.answer);
  result.answer = printable(result.answer, kMaxAnswerText - 3);
  return result;
}

Quality Yardstick::quality_of(const dns::Answer& answer, std::string& answered) const {
  if (record_.part == Part::zone) return answer.status == dns::Status::ok ? Quality::good : Quality::absent;
  if (record_.part == Part::dkim && !record_.expected.empty()) return alias(answer, answered);
  // An alias whose end is elsewhere: no better and no worse than what the resolver found there.
  if (answer.status == dns::Status::nodata && !answer.cnames.empty() && way_.contains(answer.cnames.front()))
    return Quality::good;
  if (answer.status == dns::Status::nodata && !answer.cnames.empty() && way_state_ == Way::unknown)
    return Quality::good;
  if (answer.status != dns::Status::ok) return Quality::absent;
  switch (record_.part) {
    case Part::dkim:
      return key(answer, answered);
    case Part::mail_from_mx:
      return feedback(answer);
    case Part::dmarc:
      return policy(answer, answered);
    case Part::mail_from_spf:
      return spf(answer, answered);
    default:  // Amazon's own: any SPF record
      return spf_records(answer).empty() ? Quality::absent : Quality::good;
  }
}

// Easy DKIM. Of a TXT question the data stand at Amazon's end, where a selector that is not in use has none.
Quality Yardstick::alias(const dns::Answer& answer, std::string& answered) const {
  const auto& names = answer.type == dns::Type::cname ? answer.names : answer.cnames;
  if (!names.empty()) return leads_well(names) ? Quality::good : Quality::wrong;
  if (answer.status != dns::Status::ok) return Quality::absent;
  answered += ", without the CNAME";
  return Quality::wrong;
}

Quality Yardstick::key(const dns::Answer& answer, std::string& answered) const {
  // RFC 6376 Section 3.6.2.2: of several records a receiver may take any.
  if (answer.texts.size() != 1) return Quality::wrong;
  const auto found = dkim::parse_key(answer.texts.front());
  if (found.state == dkim::Key::State::ok) return Quality::good;
  if (found.state == dkim::Key::State::bad) answered = fmt::format("{} ({})", answered.substr(0, 256), found.reason);
  return Quality::wrong;
}

// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html: exactly one, of whatever region.
Quality Yardstick::feedback(const dns::Answer& answer) const {
  constexpr std::string_view kPrefix = "feedback-smtp.", kSuffix = ".amazonses.com";
  const auto is_feedback = [&](const std::string& host) {
    return host.size() > kPrefix.size() + kSuffix.size() && host.starts_with(kPrefix) && host.ends_with(kSuffix);
  };
  return answer.exchanges.size() == 1 && is_feedback(answer.exchanges.front().host) ? Quality::good : Quality::wrong;
}

Quality Yardstick::spf(const dns::Answer& answer, std::string& answered) const {
  const auto records = spf_records(answer);
  if (records.empty()) {
    answered += ", no SPF record";
    return Quality::absent;
  }
  if (records.size() > 1) return Quality::wrong;
  const auto record = spf::parse_record(records.front());
  return record && (names_amazon(*record) || passing_spf_.contains(records.front())) ? Quality::good : Quality::wrong;
}

}  // namespace sesame::watch
