#include "ses/identity.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dns/name.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

constexpr std::string_view kSharedZone = "dkim.amazonses.com";
constexpr std::string_view kReplica = "AWS_SES_";

// Regions whose Easy DKIM records point to a zone of their own; all others share one. Used only where the API's
// SigningHostedZone is not known.
// https://docs.aws.amazon.com/general/latest/gr/ses.html
constexpr std::array kRegionsWithOwnZone = {
    std::string_view("af-south-1"),     std::string_view("ap-northeast-3"), std::string_view("ap-south-2"),
    std::string_view("ap-southeast-3"), std::string_view("ap-southeast-5"), std::string_view("ca-west-1"),
    std::string_view("eu-central-2"),   std::string_view("eu-south-1"),     std::string_view("il-central-1"),
    std::string_view("me-central-1"),   std::string_view("us-gov-east-1"),
};

// The local part an address identity covers besides its own: what stands before "+label".
std::string_view without_label(std::string_view local) {
  return local.substr(0, local.find('+'));
}

}  // namespace

const char* to_string(Status status) {
  switch (status) {
    case Status::not_started:
      return "NOT_STARTED";
    case Status::pending:
      return "PENDING";
    case Status::success:
      return "SUCCESS";
    case Status::failed:
      return "FAILED";
    case Status::temporary_failure:
      return "TEMPORARY_FAILURE";
  }
  return "?";
}

const char* to_string(OnMxFailure behavior) {
  return behavior == OnMxFailure::reject_message ? "REJECT_MESSAGE" : "USE_DEFAULT_VALUE";
}

std::optional<Status> parse_status(std::string_view word) {
  using enum Status;
  for (const auto status : {not_started, pending, success, failed, temporary_failure})
    if (word == to_string(status)) return status;
  return std::nullopt;
}

std::optional<OnMxFailure> parse_on_mx_failure(std::string_view word) {
  for (const auto behavior : {OnMxFailure::use_default_value, OnMxFailure::reject_message})
    if (word == to_string(behavior)) return behavior;
  return std::nullopt;
}

bool is_region(std::string_view word) {
  const auto accepts = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; };
  return !word.empty() && std::ranges::all_of(word, accepts) && is_alpha(word.front()) && is_digit(word.back()) &&
         std::ranges::count(word, '-') >= 2;
}

bool is_origin(std::string_view word) {
  if (word == "AWS_SES" || word == "EXTERNAL") return true;
  if (!word.starts_with(kReplica)) return false;
  const auto accepts = [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; };
  return std::ranges::all_of(word, accepts) && is_region(parent_region(word));
}

std::optional<std::string> canonical_name(std::string_view name) {
  const auto at = name.rfind('@');
  auto domain = mail::to_ascii_domain(at == std::string_view::npos ? name : name.substr(at + 1));
  // SES has no identity for a top-level domain.
  if (!domain || dns::label_count(*domain) < 2) return std::nullopt;
  if (at == std::string_view::npos) return domain;
  const auto local = name.substr(0, at);
  const auto stray = [](char c) { return c == '@' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (local.empty() || std::ranges::any_of(local, stray)) return std::nullopt;
  return std::string(local) + "@" + *domain;
}

bool Identity::is_understood() const {
  return unread_verification.empty() && dkim.unread_state.empty() && dkim.unread_keys.empty() &&
         mail_from.unread_domain.empty() && mail_from.unread_state.empty() && mail_from.unread_behavior.empty();
}

std::string_view Identity::domain() const {
  const auto at = name.rfind('@');
  return at == std::string::npos ? std::string_view(name) : std::string_view(name).substr(at + 1);
}

namespace {

// perhaps: those that may be, too, as what is said of them is too old or not understood.
enum class Verified { only, perhaps, any };

std::pair<std::string_view, std::string_view> place_of(const Identity& identity) {
  return {identity.name, identity.region};
}

const Identity* find(const Account& account, std::string_view name, Verified verified) {
  const auto* identity = account.find(name, account.region);
  if (!identity || verified == Verified::any || identity->verified_for_sending) return identity;
  return verified == Verified::perhaps && identity->may_be_verified() ? identity : nullptr;
}

const Identity* find_address(const Account& account, std::string_view local, std::string_view domain,
                             Verified verified) {
  std::string address;
  address.reserve(local.size() + 1 + domain.size());
  address.append(local).append("@").append(domain);
  return find(account, address, verified);
}

const Identity* find_domain(const Account& account, std::string_view domain, Verified verified) {
  for (; !domain.empty(); domain = dns::parent(domain))
    if (const auto* identity = find(account, domain, verified)) return identity;
  return nullptr;
}

const Identity* find_covering(const Account& account, const mail::Mailbox& mailbox, Verified verified) {
  if (const auto* identity = find_address(account, mailbox.local, mailbox.domain, verified)) return identity;
  const auto local = without_label(mailbox.local);
  if (local.size() != mailbox.local.size())
    if (const auto* identity = find_address(account, local, mailbox.domain, verified)) return identity;
  return find_domain(account, mailbox.domain, verified);
}

}  // namespace

Identities Identities::sorted(std::vector<Identity> identities) {
  Identities result;
  std::ranges::sort(identities, {}, place_of);
  auto& [all, by_name] = *result.table_;
  all = std::move(identities);
  for (auto at = all.begin(); at != all.end();) {
    const auto end = std::ranges::find_if(at, all.end(), [&](const auto& each) { return each.name != at->name; });
    by_name.emplace(at->name, std::span(at, end));
    at = end;
  }
  return result;
}

std::vector<Identity>& Identities::edit() {
  const bool is_indexed = !table_->by_name.empty();
  if (is_indexed || table_.use_count() > 1) table_ = std::make_shared<Table>(Table{table_->all, {}});
  return table_->all;
}

// Those that may have the name: all, where there is no index.
std::span<const Identity> Identities::candidates(std::string_view name) const {
  if (table_->by_name.empty()) return table_->all;
  const auto found = table_->by_name.find(name);
  return found == table_->by_name.end() ? std::span<const Identity>() : found->second;
}

const Identity* Identities::find(std::string_view name, std::string_view region) const {
  for (const auto& each : candidates(name))
    if (each.region == region && each.name == name) return &each;
  return nullptr;
}

std::vector<const Identity*> Identities::named(std::string_view name) const {
  std::vector<const Identity*> result;
  for (const auto& each : candidates(name))
    if (each.name == name) result.push_back(&each);
  return result;
}

bool Account::is_described() const {
  return listed ||
         std::ranges::any_of(identities, [&](const Identity& each) { return each.region == region || !each.as_of; });
}

const Identity* Account::covering(const mail::Mailbox& mailbox) const {
  const auto* identity = find_covering(*this, mailbox, Verified::only);
  return identity ? identity : find_covering(*this, mailbox, Verified::any);
}

const Identity* Account::may_cover(const mail::Mailbox& mailbox) const {
  return find_covering(*this, mailbox, Verified::perhaps);
}

const Identity* Account::covering_domain(std::string_view domain) const {
  const auto* identity = find_domain(*this, domain, Verified::only);
  return identity ? identity : find_domain(*this, domain, Verified::any);
}

std::string default_mail_from(std::string_view region) {
  return region == "us-east-1" ? "amazonses.com" : std::string(region) + ".amazonses.com";
}

std::string parent_region(std::string_view origin) {
  std::string region = lower(origin.substr(kReplica.size()));
  std::ranges::replace(region, '_', '-');
  return region;
}

const Identity* replica_parent(const Identity& identity, const Account& account) {
  if (!identity.dkim.is_replica()) return nullptr;
  return account.find(identity.name, parent_region(identity.dkim.origin));
}

std::string signing_zone(const Identity& identity, const Account& account) {
  if (!identity.dkim.signing_hosted_zone.empty()) return identity.dkim.signing_hosted_zone;
  const auto* parent = replica_parent(identity, account);
  if (parent && !parent->dkim.signing_hosted_zone.empty()) return parent->dkim.signing_hosted_zone;
  const auto region = identity.dkim.is_replica() ? parent_region(identity.dkim.origin) : identity.region;
  const bool own = std::ranges::find(kRegionsWithOwnZone, region) != kRegionsWithOwnZone.end();
  return own ? "dkim." + region + ".amazonses.com" : std::string(kSharedZone);
}

}  // namespace sesame::ses
