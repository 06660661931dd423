// What a received message tells of SES, if it came through it.
//
// Whom to believe what:
//  - X-SES-Outgoing proves nothing: anybody writes it.
//  - A signature of d=amazonses.com that passes proves that SES once sent this header and body. Anybody who has the
//    message can send it again, and take away signatures that stand beside it.
//  - SPF that passes for the envelope sender that SES wrote, from an address of amazonses.com's own record, proves that
//    SES itself delivered: nobody was in between, and what is missing was never there.
//  - A signature of the author's domain proves itself when it passes. It is SES's own when its key is Amazon's, or the
//    domain's and it was made with Amazon's: above it, at the same time, over fields that SES writes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dkim/dkim.h"
#include "dns/resolver.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "ses/history.h"
#include "spf/spf.h"

namespace sesame::ses {

struct Received {
  const mail::Envelope& envelope;
  std::span<const mail::Field> fields;
  const mail::Author& author;
  std::span<const dkim::Outcome> dkim;  // as verified, top first
  const spf::Outcome* spf = nullptr;    // of MAIL FROM; null: not evaluated
  bool dkim_aligned = false;            // by what passed
  bool spf_aligned = false;
  std::int64_t now = 0;  // unix seconds
  dns::Resolver& resolver;
  Deadline deadline;
};

struct Sighting {
  // none: the message says that it came through SES, and nothing proves it.
  enum class Proof { none, signature, delivery } proof = Proof::none;
  Arrival arrival;
};

// The region of SES that sent the message, by the Message-ID it wrote; "" when there is none, or not one. Proves
// nothing.
std::string region_of(std::span<const mail::Field> fields);
// Nothing when the message does not say that it came through SES, or has not exactly one author.
std::optional<Sighting> sight(const Received& mail);

}  // namespace sesame::ses
