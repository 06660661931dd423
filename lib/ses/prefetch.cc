// The questions of a prediction, asked before anybody waits for them.
#include "dkim/key.h"
#include "ses/key_records.h"
#include "ses/legs.h"

namespace sesame::ses {
namespace {

void prefetch_keys(dns::Resolver& resolver, const Account& account, const Identity& identity) {
  const auto* signer = signer_of(account, identity);
  if (!signer) return;
  const auto settings = signing_settings(account, *signer);
  for (const auto& token : settings.dkim.tokens)
    resolver.prefetch(dkim::key_name(token, settings.domain()), dns::Type::txt);
}

void prefetch_default(dns::Resolver& resolver, const Identity& identity, const mail::Mailbox& from) {
  resolver.prefetch(default_mail_from(identity.region), dns::Type::txt);
  if (!identity.mail_from.domain.empty()) return;
  // Their SPF records, which play no part: report_apex().
  resolver.prefetch(from.domain, dns::Type::txt);
  if (identity.domain() != from.domain) resolver.prefetch(identity.domain(), dns::Type::txt);
}

void prefetch_custom(dns::Resolver& resolver, const Identity& identity) {
  const auto& settings = identity.mail_from;
  const auto fallback = default_mail_from(identity.region);
  const bool open = identity.aged || !settings.unread_state.empty();
  const bool bad = settings.status.value_or(Status::success) != Status::success;
  const bool rejects =
      settings.behavior_on_mx_failure == OnMxFailure::reject_message && settings.unread_behavior.empty();
  if (!bad || open || rejects) resolver.prefetch(settings.domain, dns::Type::txt);
  if ((bad || open) && !rejects) resolver.prefetch(fallback, dns::Type::txt);
  // Without a feedback host of its own it falls back.
  resolver.prefetch_then(settings.domain, dns::Type::mx, [=](dns::Resolver& then, const dns::Answer& answer) {
    if (answer.exchanges.size() != 1 && !rejects) then.prefetch(fallback, dns::Type::txt);
  });
}

}  // namespace

void prefetch(dns::Resolver& resolver, const Account& account, const mail::Mailbox& from) {
  if (!account.is_described()) return;
  dmarc::prefetch(resolver, from.domain);
  const auto* identity = account.covering(from);
  if (!identity) return;
  prefetch_ranges(resolver);
  prefetch_keys(resolver, account, *identity);
  if (identity->mail_from.domain.empty() || !identity->mail_from.unread_domain.empty()) {
    prefetch_default(resolver, *identity, from);
  } else {
    prefetch_custom(resolver, *identity);
  }
}

}  // namespace sesame::ses
