#include "ses/needs.h"

#include "dkim/key.h"
#include "dns/name.h"
#include "ses/examiner.h"
#include "ses/key_records.h"

namespace sesame::ses {

Needs needs_of(const Account& account, const Identity& identity) {
  Needs needs;
  if (const auto domain = dns::canonical(identity.mail_from.domain); domain && !domain->empty()) {
    needs.mail_from = *domain;
    needs.feedback = feedback_mx(identity.region);
  }
  if (&key_owner(account, identity) != &identity) return needs;
  const auto settings = signing_settings(account, identity);
  if (is_zone_by_region(account, identity) && settings.dkim.status.value_or(Status::success) == Status::success) {
    const auto* parent = replica_parent(identity, account);
    needs.zone_by_region = parent ? parent->region : identity.region;
  }
  for (const auto& token : settings.dkim.tokens) {
    const auto name = dns::canonical(dkim::key_name(token, settings.domain()));
    const auto& zone = settings.dkim.signing_hosted_zone;
    const auto target = zone.empty() ? std::optional<std::string>("") : dns::canonical(token + "." + zone);
    if (name && target) needs.keys.push_back({*name, *target});
  }
  return needs;
}

}  // namespace sesame::ses
