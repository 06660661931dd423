// What SES will not take.
#include <algorithm>

#include "ses/dkim_state.h"
#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

// Stands behind what is said of a state that is too old to be relied on.
std::string unless_changed(const std::optional<std::int64_t>& as_of) {
  return ", unless that has changed since" + (as_of ? " " + timestamp(*as_of) : std::string(" the snapshot was made"));
}

bool is_simulator(const mail::Mailbox& mailbox) {
  // https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
  return mailbox.domain == "simulator.amazonses.com";
}

}  // namespace

const mail::Field* Predictor::field_named(std::string_view name) const {
  const auto found =
      std::ranges::find_if(submission_.fields, [&](const mail::Field& field) { return mail::is_named(field, name); });
  return found == submission_.fields.end() ? nullptr : &*found;
}

void Predictor::check_refusals() {
  note_owners();
  if (submission_.envelope.sender_known && submission_.envelope.mail_from.empty())
    refuse(make_finding(Code::null_sender, {}));
  for (const auto& duplicate : duplicates(submission_.fields))
    refuse(make_finding(Code::dup_header, {{"name", duplicate.name}, {"count", std::to_string(duplicate.count)}}));
  if (submission_.envelope.recipients.size() > kMaxRecipients)
    refuse(
        make_finding(Code::too_many_recipients, {{"count", std::to_string(submission_.envelope.recipients.size())}}));
  check_standing();
  check_address_fields();
}

// Another account's identity, named by ARN: its settings are not visible from here.
// https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html
void Predictor::note_owners() {
  for (const auto name : {"X-SES-SOURCE-ARN", "X-SES-FROM-ARN", "X-SES-RETURN-PATH-ARN"}) {
    const auto* field = field_named(name);
    if (!field || foreign_identity_) continue;
    // The last of them speaks of the envelope sender only.
    (std::string_view(name) == "X-SES-RETURN-PATH-ARN" ? foreign_return_path_ : foreign_identity_) = true;
    const std::string arn(trim(field->value));
    add(make_finding(Code::owner_settings_unknown, {{"arn", arn.empty() ? "none named" : arn}}));
  }
}

// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
void Predictor::check_standing() {
  const auto& account = world_.account;
  const auto& standing = account.standing;
  const auto block = [&](std::string reason, Tri certain) {
    refuse(make_finding(Code::sending_blocked,
                        {{"identity", account.name.empty() ? "The account" : "The account " + account.name},
                         {"reason", std::move(reason)},
                         {"unless", standing.aged ? unless_changed(standing.as_of) : ""}}),
           certain);
  };
  const auto certain = standing.aged ? Tri::unknown : Tri::yes;
  if (standing.enforcement_status == "SHUTDOWN") {
    block("AWS has shut down its sending in " + account.region + " (EnforcementStatus SHUTDOWN)", certain);
  } else if (!standing.sending_enabled) {
    block("sending is switched off for it in " + account.region, certain);
  } else if (!standing.unread_state.empty()) {
    block("SES says of it in " + account.region + " " + not_known(standing.unread_state), Tri::unknown);
  }
  if (!standing.production_access) check_sandbox();
}

// In the sandbox recipients must be verified, too.
// https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
void Predictor::check_sandbox() {
  const auto& account = world_.account;
  const auto& unread = account.standing.unread_access;
  const auto sandbox = (unread.empty() ? "it is in the sandbox in "
                                       : "SES says " + not_known(unread) + ", so it may be in the sandbox in ") +
                       account.region;
  if (submission_.envelope.recipients.empty()) {
    refuse(make_finding(
               Code::sending_blocked,
               {{"identity", account.name.empty() ? "The account" : "The account " + account.name},
                {"reason", sandbox + ", where recipients must be verified, and those of this message are not known"},
                {"unless", account.standing.aged ? unless_changed(account.standing.as_of) : ""}}),
           Tri::unknown);
    return;
  }
  const std::string* unverified = nullptr;
  bool readable = false, perhaps = !unread.empty();
  for (const auto& recipient : submission_.envelope.recipients) {
    const auto mailbox = mail::parse_path(recipient);
    const auto* identity = mailbox ? account.covering(*mailbox) : nullptr;
    if ((mailbox && is_simulator(*mailbox)) || (identity && identity->verified_for_sending)) continue;
    perhaps = perhaps || (mailbox && account.may_cover(*mailbox));
    unverified = &recipient;
    readable = mailbox.has_value();
    if (readable) break;
  }
  if (!unverified) return;
  // Who lists the senders by hand need not have listed the recipients; and another account's identity may cover them.
  const bool listed = std::ranges::any_of(account.identities, [&](const Identity& each) {
    return each.region == account.region && each.as_of.has_value();
  });
  const bool aged = identities_are_aged();
  const bool certain = readable && listed && !aged && !perhaps && !foreign_identity_;
  refuse(make_finding(Code::sending_blocked,
                      {{"identity", account.name.empty() ? "The account" : "The account " + account.name},
                       {"reason", sandbox + ", where the recipient " + *unverified +
                                      (certain ? " is not verified" : " is not known to be verified")},
                       {"unless", aged ? unless_changed(account.standing.as_of) : ""}}),
         certain ? Tri::yes : Tri::unknown);
}

// Then an identity that is not listed may have been made since.
bool Predictor::identities_are_aged() const {
  const auto& account = world_.account;
  return account.aged || account.standing.aged || std::ranges::any_of(account.identities, [&](const Identity& each) {
           return each.region == account.region && each.aged;
         });
}

// From, Sender, Return-Path and the envelope sender must each be covered by a verified identity.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
void Predictor::check_address_fields() {
  // Of the ARNs this one speaks of every address, X-SES-FROM-ARN of From only.
  if (field_named("X-SES-SOURCE-ARN")) return;
  if (!foreign_identity_)
    for (const auto& mailbox : submission_.author.mailboxes) check_verified("From", mailbox, mailbox.address());
  const auto& sender = submission_.envelope.mail_from;
  if (!sender.empty() && !foreign_return_path_) check_verified("envelope sender", mail::parse_path(sender), sender);
  for (const auto name : {"Sender", "Return-Path"}) {
    const auto* field = field_named(name);
    if (!field || (foreign_return_path_ && mail::is_named(*field, "Return-Path"))) continue;
    const auto mailboxes = mail::parse_mailboxes(field->value);
    if (!mailboxes) continue;
    for (const auto& mailbox : *mailboxes) check_verified(name, mailbox, mailbox.address());
  }
}

void Predictor::check_verified(std::string_view field, const std::optional<mail::Mailbox>& mailbox,
                               std::string_view as_written) {
  const auto* identity = mailbox ? world_.account.covering(*mailbox) : nullptr;
  if (identity && identity->verified_for_sending) return;
  const auto* perhaps = mailbox ? world_.account.may_cover(*mailbox) : nullptr;
  const bool aged = perhaps || (identity ? identity->aged : identities_are_aged());
  const auto certain = aged || foreign_identity_ ? Tri::unknown : Tri::yes;
  const auto unless = perhaps && !perhaps->unread_verification.empty()
                          ? "; SES says of " + perhaps->name + " " + not_known(perhaps->unread_verification)
                      : aged ? unless_changed(identity ? identity->as_of : world_.account.standing.as_of)
                             : "";
  const auto finding = make_finding(Code::from_unverified, {{"field", std::string(field)},
                                                            {"address", std::string(as_written)},
                                                            {"region", world_.account.region},
                                                            {"unless", unless}});
  const auto same = [&](const Finding& other) { return other.text == finding.text; };
  if (std::ranges::any_of(result_.findings, same)) return;
  if (identity)
    refuse(
        make_finding(Code::sending_blocked,
                     {{"identity", identity->name}, {"reason", "it is not verified for sending"}, {"unless", unless}}),
        certain);
  refuse(finding, certain);
}

}  // namespace sesame::ses
