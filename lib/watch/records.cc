#include "watch/records.h"

#include <algorithm>
#include <tuple>

#include "ses/needs.h"

namespace sesame::watch {
namespace {

using dns::Type;

// Of what is the identity's own; empty when nothing is.
std::vector<Record> records_of(const ses::Account& account, const ses::Identity& identity) {
  std::vector<Record> records;
  const auto needs = ses::needs_of(account, identity);
  for (const auto& key : needs.keys) {
    const bool aliased = !key.target.empty();
    const auto types = aliased ? std::vector{Type::cname, Type::txt} : std::vector{Type::txt};
    records.push_back({Part::dkim, key.name, types, key.target, aliased ? needs.zone_by_region : ""});
  }
  if (!needs.mail_from.empty()) {
    records.push_back({Part::mail_from_mx, needs.mail_from, {Type::mx}, needs.feedback});
    records.push_back({Part::mail_from_spf, needs.mail_from, {Type::txt}, ""});
  }
  if (records.empty() && identity.is_address()) return records;
  const std::string domain(identity.domain());
  records.push_back({Part::dmarc, "_dmarc." + domain, {Type::txt}, ""});
  records.push_back({Part::zone, domain, {Type::ns, Type::soa}, ""});
  // SPF of either MAIL FROM ends at Amazon's own record.
  const auto usual = ses::default_mail_from(identity.region);
  if (usual != "amazonses.com") records.push_back({Part::amazon, usual, {Type::txt}, ""});
  records.push_back({Part::amazon, "amazonses.com", {Type::txt}, ""});
  return records;
}

}  // namespace

const char* to_string(Part part) {
  switch (part) {
    case Part::dkim:
      return "DKIM";
    case Part::mail_from_mx:
      return "MAIL FROM MX";
    case Part::mail_from_spf:
      return "MAIL FROM SPF";
    case Part::dmarc:
      return "DMARC";
    case Part::zone:
      return "zone";
    case Part::amazon:
      break;
  }
  return "Amazon SES";
}

std::vector<Subject> subjects_of(const ses::Accounts& accounts) {
  std::vector<Subject> subjects;
  for (const auto& account : accounts.all())
    for (const auto& identity : account.identities) {
      // An account is there once for each of its regions, with the same identities.
      if (identity.region != account.region) continue;
      auto records = records_of(account, identity);
      if (!records.empty())
        subjects.push_back(
            {identity.name, identity.account, identity.region, std::string(identity.domain()), std::move(records)});
    }
  const auto place = [](const Subject& subject) { return std::tie(subject.account, subject.identity, subject.region); };
  std::ranges::sort(subjects, {}, place);
  const auto same = [&](const Subject& a, const Subject& b) { return place(a) == place(b); };
  subjects.erase(std::unique(subjects.begin(), subjects.end(), same), subjects.end());
  return subjects;
}

}  // namespace sesame::watch
