#include "ses/world.h"

#include "support/stale_resolver.h"

namespace sesame::test {
namespace {

const std::string kZone = R"(
amazonses.com                   TXT   v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/25 -all
eu-west-1.amazonses.com         TXT   v=spf1 include:amazonses.com -all
t1._domainkey.example.com       CNAME t1.dkim.amazonses.com
t2._domainkey.example.com       CNAME t2.dkim.amazonses.com
t3._domainkey.example.com       CNAME t3.dkim.amazonses.com
t1.dkim.amazonses.com           TXT   p=)" +
                          kPublicKey + R"(
t2.dkim.amazonses.com           TXT   ""
t3.dkim.amazonses.com           TXT   ""
bounce.example.com              MX    10 feedback-smtp.us-east-1.amazonses.com
bounce.example.com              TXT   v=spf1 include:amazonses.com ~all
example.com                     A     192.0.2.1
_dmarc.example.com              TXT   v=DMARC1; p=reject
)";

struct Observed final : ses::Observer {
  explicit Observed(ses::History given) : history(std::move(given)) {}
  ses::History history_of(const ses::Identity&) const override { return history; }
  ses::History history;
};

}  // namespace

SesWorld::SesWorld() : resolver(kZone) {
  account.region = "us-east-1";
  account.identities.edit().reserve(16);  // what a case holds of one stays where it is when it adds another
  auto& domain = add_identity("example.com");
  domain.dkim.status = ses::Status::success;
  domain.dkim.tokens = {"t1", "t2", "t3"};
  domain.mail_from.domain = "bounce.example.com";
  domain.mail_from.status = ses::Status::success;
  envelope.mail_from = "news@example.com";
  envelope.recipients = {"reader@receiver.example"};
  from("News <news@example.com>");
  header("Subject", "hello");
}

ses::Identity& SesWorld::add_identity(const std::string& name) {
  ses::Identity identity;
  identity.name = name;
  identity.region = account.region;
  account.identities.edit().push_back(identity);
  return account.identities.edit().back();
}

void SesWorld::replace(std::string_view name, std::string_view lines) {
  resolver.zone().remove(name);
  dns(lines);
}

void SesWorld::from(const std::string& value) {
  mail::Fields others;
  for (const auto& field : fields)
    if (!mail::is_named(field, "From")) others.push_back(field);
  fields = std::move(others);
  header("From", value);
}

ses::Prediction SesWorld::predict() {
  const auto author = mail::find_author(fields);
  auto accounts = others;
  accounts.insert(accounts.begin(), account);
  const Observed observer(history.value_or(ses::History{}));
  if (cache) cache->stand_before(resolver);
  StaleResolver some_old(cache ? static_cast<dns::Resolver&>(*cache) : resolver, stale);
  dns::Meter meter(some_old, system_clock());
  const ses::Surroundings surroundings{meter, accounts.front(), Deadline::max(), dmarc::PublicSuffixList::system(),
                                       now,   accounts,         tracking,        history ? &observer : nullptr,
                                       &meter};
  return ses::predict(surroundings, {envelope, fields, author, upstream, shape, configuration_set});
}

std::vector<std::string> codes(const ses::Prediction& prediction) {
  std::vector<std::string> result;
  for (const auto& finding : prediction.findings) result.emplace_back(ses::to_string(finding.code));
  return result;
}

}  // namespace sesame::test
