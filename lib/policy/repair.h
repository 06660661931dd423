// What is mended on outbound mail so that SES takes it. Everything is off unless configured; pure, no I/O.
// contrib/doc/repairs.md says what each repair does, and what none of them does.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "mail/envelope.h"
#include "mail/field.h"
#include "policy/report.h"
#include "util/ip.h"

namespace sesame::policy {

struct RepairRules {
  bool duplicate_fields = false;            // surplus duplicates of a field SES wants once, when they say the same
  bool upstream_signatures = false;         // DKIM-Signature fields that SES breaks, or refuses the message for
  bool ses_fields = false;                  // X-SES-* of clients that are not trusted
  std::vector<Network> ses_fields_trusted;  // those that are
  bool own_fields = false;                  // Sesame-Prediction, and Authentication-Results under our names
  bool any() const { return duplicate_fields || upstream_signatures || ses_fields || own_fields; }
};

// Is this a field that tells SES what to do, or does it hide one?
bool tells_ses(const mail::Field& field);

// May this client set such fields? Never one whose address the MTA does not tell: it cannot be told from a client whose
// address was lost. Postfix says 127.0.0.1 of sendmail(1).
bool may_set_ses_fields(const mail::Envelope& envelope, const RepairRules& rules);

// What header and envelope alone call for, top first. `own`: the fields that bear our names, or hide one that does.
std::vector<Repair> plan_field_repairs(std::span<const mail::Field> fields, const mail::Envelope& envelope,
                                       std::span<const Place> own, const RepairRules& rules);

// The signatures on a message, as they verify on it without the fields that are removed anyway.
struct Signatures {
  std::span<const dkim::Outcome> outcomes;  // one for each DKIM-Signature field, top first
  const mail::Author& author;
  std::shared_ptr<const dmarc::PublicSuffixList> suffixes;  // null: none
};

// `planned`, and beside it what the signatures call for, top first.
std::vector<Repair> plan_signature_repairs(std::span<const mail::Field> fields, const Signatures& signatures,
                                           std::span<const Repair> planned, const RepairRules& rules);

// The message without these fields; views of the octets of the others.
std::vector<mail::Field> mended(std::span<const mail::Field> fields, std::span<const Repair> repairs);
// What verifies on it: without the outcomes of the signatures among these fields.
std::vector<dkim::Outcome> mended(std::vector<dkim::Outcome> outcomes, std::span<const Repair> repairs);

// For a message whose repairs the MTA did not perform: none are reported, and nothing is predicted, as the prediction
// was of another message.
void forget_repairs(Report& report);

}  // namespace sesame::policy
