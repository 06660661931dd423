// The records beside those of DKIM: MAIL FROM, DMARC, and SPF where people look for it.
#include <algorithm>

#include "dmarc/walk.h"
#include "dns/name.h"
#include "ses/examiner.h"
#include "ses/legs.h"
#include "spf/parse.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

RecordVerdict verdict_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return RecordVerdict::error;
    case Severity::warning:
      return RecordVerdict::warning;
    case Severity::info:
      return RecordVerdict::info;
    case Severity::unknown:
      break;
  }
  return RecordVerdict::unknown;
}

// The SPF records among the texts at a name, or why there is none.
std::string spf_found(const dns::Answer& answer) {
  if (answer.status != dns::Status::ok) return describe(answer);
  std::vector<std::string> found;
  for (const auto& text : answer.texts)
    if (spf::is_spf_record(text)) found.push_back(printable(text));
  return found.empty() ? "no SPF record" : join(found, " and ");
}

bool has_spf(const dns::Answer& answer) {
  return std::ranges::any_of(answer.texts, [](const auto& text) { return spf::is_spf_record(text); });
}

}  // namespace

std::string feedback_mx(const std::string& region) {
  return "10 feedback-smtp." + region + ".amazonses.com";
}

std::string describe(const dns::Answer& answer) {
  if (dns::is_undecided(answer)) return dns::status_text(answer);
  if (dns::is_absent(answer.status)) return std::string("nothing (") + dns::to_string(answer.status) + ")";
  std::vector<std::string> data = answer.names;
  for (const auto& text : answer.texts) data.push_back(printable(text));
  for (const auto& mx : answer.exchanges)
    data.push_back(std::to_string(mx.preference) + " " + (mx.host.empty() ? "." : mx.host));
  return join(data, ", ");
}

void Examiner::check_mail_from() {
  if (!result_.identity || result_.identity->mail_from.domain.empty()) return;
  const auto& identity = *result_.identity;
  const auto& domain = identity.mail_from.domain;
  const auto mx = ask(domain, dns::Type::mx);
  RecordCheck check{kMailFromPurpose,  domain, dns::Type::mx, feedback_mx(identity.region), describe(*mx),
                    RecordVerdict::ok, {}};
  // The leg has judged it.
  for (const auto& each : predict_mail_from(world_, identity, from_).findings)
    if (each.code == Code::mailfrom_mx) {
      check.verdict = verdict_of(each.severity);
      check.code = each.code;
    }
  if (dns::is_undecided(*mx)) check.verdict = RecordVerdict::unknown;
  add(std::move(check));

  const auto texts = ask(domain, dns::Type::txt);
  const auto spf = spf_over_ses_ranges(world_, domain);
  check = {kMailFromPurpose, domain, dns::Type::txt, kSpfOfSes, spf_found(*texts), RecordVerdict::ok, {}};
  if (spf.passes == Tri::no) check.verdict = RecordVerdict::error;
  if (spf.passes == Tri::unknown)
    check.verdict =
        spf.foreseeable && spf.worst != spf::Result::temperror ? RecordVerdict::error : RecordVerdict::unknown;
  if (dns::is_undecided(*texts)) check.verdict = RecordVerdict::unknown;
  if (check.verdict == RecordVerdict::error) check.code = Code::mailfrom_spf;
  add(std::move(check));
}

void Examiner::check_dmarc() {
  auto names = dmarc::walk_names(from_.domain);
  if (std::ranges::find(names, zone_of(from_.domain)) == names.end()) names.push_back(zone_of(from_.domain));
  for (const auto& name : names) check_dmarc_at(name);
}

// One name of the walk. What is above the author's domain is told only where something stands or should.
void Examiner::check_dmarc_at(const std::string& name) {
  const auto record_name = "_dmarc." + name;
  const auto answer = ask(record_name, dns::Type::txt);
  RecordCheck check{"DMARC", record_name, dns::Type::txt, "", describe(*answer), RecordVerdict::info, {}};
  const bool newer = by_walk_.state == dmarc::Discovery::State::found && by_walk_.record_domain == name;
  const bool older = by_list_.state == dmarc::Discovery::State::found && by_list_.record_domain == name;
  const auto is_unusable = [&](const std::string& problem) { return problem.starts_with(record_name + ":"); };
  const bool nowhere = by_walk_.state == dmarc::Discovery::State::absent;
  if (dns::is_undecided(*answer)) {
    check.verdict = RecordVerdict::unknown;
    if (has(Code::dmarc_temperror)) check.code = Code::dmarc_temperror;
  } else if (std::ranges::any_of(by_walk_.problems, is_unusable) ||
             std::ranges::any_of(by_list_.problems, is_unusable)) {
    check.verdict = RecordVerdict::warning;
    check.code = Code::dmarc_invalid;
  } else if (newer || older) {
    check.verdict = RecordVerdict::ok;
    if (!newer || !older) check.purpose = newer ? "DMARC (RFC 9989)" : "DMARC (RFC 7489)";
  } else if (nowhere && name == zone_of(from_.domain)) {
    check.verdict = RecordVerdict::warning;
    check.code = Code::dmarc_absent;
    check.expected = "v=DMARC1; p=...";
  }
  const bool nothing_to_say = check.verdict == RecordVerdict::info && dns::is_absent(answer->status);
  if (!nothing_to_say || name == from_.domain) add(std::move(check));
}

// Where people put what is never asked for: the envelope sender is never at the domain itself.
void Examiner::check_apex() {
  const auto& identity = result_.identity;
  if (identity && identity->mail_from.domain == from_.domain) return;
  const auto answer = ask(from_.domain, dns::Type::txt);
  RecordCheck check{"SPF of the domain, which mail through SES never uses",
                    from_.domain,
                    dns::Type::txt,
                    "",
                    spf_found(*answer),
                    RecordVerdict::info,
                    {}};
  const bool includes = std::ranges::any_of(answer->texts, [](const auto& text) {
    return spf::is_spf_record(text) && lower(text).find("include:amazonses.com") != std::string::npos;
  });
  // Whoever has put it at the right place as well knows.
  const auto& envelope = result_.prediction.spf.domain;
  const bool misplaced = includes && identity && !envelope.empty() && envelope != identity->mail_from.domain;
  if (misplaced && !has(Code::spf_apex_irrelevant))
    result_.findings.push_back(
        make_finding(Code::spf_apex_irrelevant, {{"domain", from_.domain}, {"envelope", envelope}}));
  if (has(Code::spf_apex_irrelevant)) check.code = Code::spf_apex_irrelevant;
  if (dns::is_undecided(*answer)) check.verdict = RecordVerdict::unknown;
  add(std::move(check));
}

// The records that Amazon keeps.
void Examiner::check_amazon(const std::string& name) {
  const auto answer = world_.resolver.lookup(name, dns::Type::txt, world_.deadline);
  const auto verdict = dns::is_undecided(*answer) ? RecordVerdict::unknown
                       : has_spf(*answer)         ? RecordVerdict::ok
                                                  : RecordVerdict::error;
  add({"SPF of Amazon, where a fault is not yours", name, dns::Type::txt, "", spf_found(*answer), verdict, {}});
}

}  // namespace sesame::ses
