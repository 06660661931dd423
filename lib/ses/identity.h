// What is known of an SES account: names and words of the SESv2 API (GetEmailIdentity), in snake_case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/address.h"

namespace sesame::ses {

// DkimAttributes.Status and MailFromAttributes.MailFromDomainStatus.
enum class Status { not_started, pending, success, failed, temporary_failure };
enum class OnMxFailure { use_default_value, reject_message };  // MailFromAttributes.BehaviorOnMxFailure
const char* to_string(Status status);                          // "SUCCESS"
const char* to_string(OnMxFailure behavior);                   // "USE_DEFAULT_VALUE"
std::optional<Status> parse_status(std::string_view word);
std::optional<OnMxFailure> parse_on_mx_failure(std::string_view word);

struct Dkim {
  std::optional<Status> status;  // absent: inferred from DNS
  bool signing_enabled = true;
  std::string origin = "AWS_SES";   // AWS_SES, EXTERNAL (BYODKIM) or AWS_SES_<REGION> (a DEED replica of that region)
  std::vector<std::string> tokens;  // three; for EXTERNAL the one selector
  std::string signing_hosted_zone;  // "" = by region, or the parent's for a replica

  bool is_external() const { return origin == "EXTERNAL"; }
  bool is_replica() const { return origin.starts_with("AWS_SES_"); }
};

struct MailFrom {
  std::string domain;            // "" = the region's default
  std::optional<Status> status;  // absent: inferred from the MX
  OnMxFailure behavior_on_mx_failure = OnMxFailure::use_default_value;
  bool operator==(const MailFrom&) const = default;
};

struct Identity {
  std::string name;  // domain in A-labels, lower case; or address (local part as written, domain likewise)
  std::string region;
  bool verified_for_sending = true;
  Dkim dkim;
  MailFrom mail_from;

  bool is_address() const { return name.find('@') != std::string::npos; }
  // The domain, or the domain part of the address.
  std::string_view domain() const;
};

struct Account {
  std::string region;                // of the relay
  std::vector<Identity> identities;  // unique by (name, region)

  // The most specific verified identity of the account's region that covers an address: the address itself (local part
  // case-sensitive; "user+label" is covered by "user"), else the longest matching domain. Where none is verified, the
  // most specific of those that are not; null when there is none at all.
  // https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
  const Identity* covering(const mail::Mailbox& mailbox) const;
  // The same among *domain* identities only.
  const Identity* covering_domain(std::string_view domain) const;
};

// "amazonses.com" in us-east-1, "REGION.amazonses.com" elsewhere.
// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
std::string default_mail_from(std::string_view region);
// The identity whose keys a DEED replica uses; null when it is none, or its parent is not known here.
const Identity* replica_parent(const Identity& identity, const Account& account);
// Where the CNAMEs of Easy DKIM point when the API's SigningHostedZone is not known.
std::string signing_zone(const Identity& identity, const Account& account);

}  // namespace sesame::ses
