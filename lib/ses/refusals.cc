// What SES will not take.
#include <algorithm>

#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

const mail::Field* find_field(std::span<const mail::Field> fields, std::string_view name) {
  for (const auto& field : fields)
    if (mail::is_named(field, name)) return &field;
  return nullptr;
}

}  // namespace

void Predictor::check_refusals() {
  // Another account's identity, named by ARN: its settings are not visible from here.
  // https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html
  for (const auto name : {"X-SES-SOURCE-ARN", "X-SES-FROM-ARN"}) {
    const auto* field = find_field(submission_.fields, name);
    if (!field || foreign_identity_) continue;
    foreign_identity_ = true;
    add(make_finding(Code::owner_settings_unknown, {{"arn", std::string(trim(field->value))}}));
  }
  if (submission_.envelope.sender_known && submission_.envelope.mail_from.empty())
    refuse(make_finding(Code::null_sender, {}));
  for (const auto& duplicate : duplicates(submission_.fields))
    refuse(make_finding(Code::dup_header, {{"name", duplicate.name}, {"count", std::to_string(duplicate.count)}}));
  if (submission_.envelope.recipients.size() > kMaxRecipients)
    refuse(
        make_finding(Code::too_many_recipients, {{"count", std::to_string(submission_.envelope.recipients.size())}}));
  if (!foreign_identity_) check_address_fields();
}

// From, Sender, Return-Path and the envelope sender must each be covered by a verified identity.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
void Predictor::check_address_fields() {
  for (const auto& mailbox : submission_.author.mailboxes) check_verified("From", mailbox, mailbox.address());
  if (!submission_.envelope.mail_from.empty())
    check_verified("envelope sender", mail::parse_path(submission_.envelope.mail_from), submission_.envelope.mail_from);
  for (const auto name : {"Sender", "Return-Path"}) {
    const auto* field = find_field(submission_.fields, name);
    if (!field) continue;
    const auto mailboxes = mail::parse_mailboxes(field->value);
    if (!mailboxes) continue;
    for (const auto& mailbox : *mailboxes) check_verified(name, mailbox, mailbox.address());
  }
}

void Predictor::check_verified(std::string_view field, const std::optional<mail::Mailbox>& mailbox,
                               std::string_view as_written) {
  const auto* identity = mailbox ? world_.account.covering(*mailbox) : nullptr;
  if (identity && identity->verified_for_sending) return;
  const auto finding = make_finding(
      Code::from_unverified,
      {{"field", std::string(field)}, {"address", std::string(as_written)}, {"region", world_.account.region}});
  const auto same = [&](const Finding& other) { return other.text == finding.text; };
  if (std::ranges::any_of(result_.findings, same)) return;
  if (identity)
    refuse(make_finding(Code::sending_blocked,
                        {{"identity", identity->name}, {"reason", "it is not verified for sending"}}));
  refuse(finding);
}

}  // namespace sesame::ses
