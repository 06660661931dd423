// What is known of an SES account: names and words of the SESv2 API (GetEmailIdentity), in snake_case.
//
// What the API said in a way that is not known here stands under `unread_...` for a reader, 'Status "SUSPENDED"'; "" =
// there is nothing such. It is not the same as what was not said: anything may hold then, and nothing is inferred.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
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
bool is_region(std::string_view word);  // of the form of "us-east-1"
bool is_origin(std::string_view word);  // Dkim::origin
// An identity's name as Identity::name has it; nothing when it can be none.
std::optional<std::string> canonical_name(std::string_view name);

struct Dkim {
  std::optional<Status> status;  // absent: inferred from DNS
  bool signing_enabled = true;
  std::string origin = "AWS_SES";   // AWS_SES, EXTERNAL (BYODKIM) or AWS_SES_<REGION> (a DEED replica of that region)
  std::vector<std::string> tokens;  // three; for EXTERNAL the one selector
  std::string signing_hosted_zone;  // "" = by region, or the parent's for a replica
  std::optional<std::int64_t> last_key_generation;  // LastKeyGenerationTimestamp, unix seconds
  std::string unread_state;                         // of Status and SigningEnabled: it may sign or not
  std::string unread_keys;                          // of the origin, the tokens and the zone: it may sign with any key

  bool is_external() const { return origin == "EXTERNAL"; }
  bool is_replica() const { return origin.starts_with("AWS_SES_"); }
};

struct MailFrom {
  std::string domain;            // "" = the region's default
  std::optional<Status> status;  // absent: inferred from the MX
  OnMxFailure behavior_on_mx_failure = OnMxFailure::use_default_value;
  std::string unread_domain, unread_state, unread_behavior;
  bool operator==(const MailFrom&) const = default;
};

// What SES saw when it last looked at the records: VerificationInfo.
struct VerificationInfo {
  std::string error_type;                    // "HOST_NOT_FOUND", "REPLICATION_ACCESS_DENIED", ...; "" = none told
  std::optional<std::int64_t> last_checked;  // unix seconds
  std::optional<std::int64_t> last_success;
  std::string primary_name_server;  // SOARecord; "" = not told
  std::int64_t soa_serial = 0;
};

// How an identity was set up before its DKIM method or tokens changed.
struct Former {
  std::string origin;
  std::vector<std::string> tokens;
  std::int64_t until = 0;  // unix seconds: when the change was seen
};

struct Identity {
  std::string name;  // domain in A-labels, lower case; or address (local part as written, domain likewise)
  std::string region;
  std::string account;  // the name the configuration gives to an AWS account; "" = the only one
  bool verified_for_sending = true;
  Dkim dkim;
  MailFrom mail_from;
  VerificationInfo verification;
  std::string configuration_set;             // ConfigurationSetName: the identity's default; "" = none
  std::optional<Former> former;              // as the snapshot remembers
  std::optional<std::int64_t> status_since;  // since when the DKIM status is what it is, as far as seen
  std::optional<std::int64_t> as_of;         // when the API said all this; absent: the configuration says so
  std::string unread_verification;           // it may be verified for sending or not; told as not verified
  // What is said of states is too old to be relied on: they may have changed since.
  bool aged = false;

  bool is_address() const { return name.find('@') != std::string::npos; }
  // True also of what was not when it was last told of, too long ago, and where it is not understood what is said.
  bool may_be_verified() const { return verified_for_sending || aged || !unread_verification.empty(); }
  bool is_understood() const;
  // The domain, or the domain part of the address.
  std::string_view domain() const;
};

// GetAccount: may the account send at all in a region? Without an answer nothing is held against it.
struct Standing {
  bool production_access = true;  // false: in the sandbox, where recipients must be verified, too
  bool sending_enabled = true;
  std::string enforcement_status = "HEALTHY";  // HEALTHY, PROBATION, SHUTDOWN
  std::optional<std::int64_t> as_of;           // unix seconds
  bool aged = false;
  std::string unread_state;   // of sending_enabled and enforcement_status: it may send or not
  std::string unread_access;  // of production_access; told as in the sandbox
};

// Identities, unique by name and region. Copies share them until one of the copies is changed.
class Identities {
 public:
  // In the order of name and region, with an index.
  static Identities sorted(std::vector<Identity> identities);
  Identities() = default;
  // Nothing is moved, so that there always is a table.
  Identities(const Identities&) = default;
  Identities& operator=(const Identities&) = default;

  auto begin() const { return table_->all.begin(); }
  auto end() const { return table_->all.end(); }
  std::size_t size() const { return table_->all.size(); }
  bool empty() const { return table_->all.empty(); }
  const Identity& operator[](std::size_t index) const { return table_->all[index]; }
  // To be changed, here and in no copy; without order and index from now on.
  std::vector<Identity>& edit();

  const Identity* find(std::string_view name, std::string_view region) const;
  // In all regions.
  std::vector<const Identity*> named(std::string_view name) const;

 private:
  std::span<const Identity> candidates(std::string_view name) const;

  struct Table {
    std::vector<Identity> all;
    std::unordered_map<std::string_view, std::span<const Identity>> by_name;  // empty: nobody made it
  };
  std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

// One AWS account as seen from one region of SES.
struct Account {
  std::string name;       // as in Identity::account
  std::string region;     // of the relay
  Identities identities;  // of all regions
  Standing standing;      // in `region`
  bool listed = false;    // the API has told all identities of `region`
  // The list of identities of `region` is too old to be relied on: there may be others since.
  bool aged = false;

  const Identity* find(std::string_view identity_name, std::string_view in_region) const {
    return identities.find(identity_name, in_region);
  }
  // Is it known which identities `region` has? The configuration names all there are, unless it names none.
  bool is_described() const;

  // The most specific verified identity of the account's region that covers an address: the address itself (local part
  // case-sensitive; "user+label" is covered by "user"), else the longest matching domain. Where none is verified, the
  // most specific of those that are not; null when there is none at all.
  // https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
  const Identity* covering(const mail::Mailbox& mailbox) const;
  // The same if all that was not verified when it was last told of, too long ago, is by now; null when nothing may.
  const Identity* may_cover(const mail::Mailbox& mailbox) const;
  // As `covering`, among *domain* identities only.
  const Identity* covering_domain(std::string_view domain) const;
};

// "amazonses.com" in us-east-1, "REGION.amazonses.com" elsewhere.
// https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
std::string default_mail_from(std::string_view region);
// "us-east-1" of the origin "AWS_SES_US_EAST_1".
std::string parent_region(std::string_view origin);
// The identity whose keys a DEED replica uses; null when it is none, or its parent is not known here.
const Identity* replica_parent(const Identity& identity, const Account& account);
// Where the CNAMEs of Easy DKIM point when the API's SigningHostedZone is not known.
std::string signing_zone(const Identity& identity, const Account& account);

}  // namespace sesame::ses
