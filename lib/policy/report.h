// Everything found out about one message, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arc/arc.h"
#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "dns/meter.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/line_ends.h"
#include "ses/predict.h"
#include "spf/spf.h"

namespace sesame::policy {

// outbound: ours, on its way to SES; inbound: received; ignored: neither judged nor touched.
enum class Direction { outbound, inbound, ignored };
const char* to_string(Direction direction);

// One field: the n-th of this name, from 1, top first, counted in the message as received.
struct Place {
  std::string name;
  std::size_t occurrence = 0;
  bool operator==(const Place&) const = default;
};

// One field that is removed so that SES takes the message as it should, and why.
struct Repair {
  std::string reason;  // "duplicate", "upstream-signature", "ses-field", "own-field"
  Place place;
  bool operator==(const Repair&) const = default;
};

struct Report {
  std::int64_t time = 0;  // unix seconds when it was judged
  Direction direction = Direction::inbound;
  mail::Envelope envelope;
  mail::Author author;
  std::string message_id;                // printable
  mail::BareLineEnds bare_ends;          // in the part of the body that was read
  std::optional<spf::Outcome> spf_helo;  // inbound with a client address
  std::optional<spf::Outcome> spf_mail_from;
  std::vector<dkim::Outcome> dkim;  // message order, top first
  arc::Outcome arc;
  dmarc::Outcome dmarc;                       // RFC 9989
  dmarc::Outcome dmarc_rfc7489;               // what a receiver of the older standard concludes
  std::optional<ses::Prediction> prediction;  // outbound
  // Fields to remove, the last one first: they are one, or hide one behind a CR or LF alone.
  std::vector<Place> forged_results;      // Authentication-Results under our id
  std::vector<Place> forged_predictions;  // Sesame-Prediction
  std::vector<Repair> repairs;            // outbound: top first; the prediction is of the message without these fields
  std::optional<ses::Arrival> arrival;    // inbound: came through SES, proven
  std::vector<ses::Finding> findings;     // inbound: what SES's part in it gives cause to say
  std::vector<std::string> limits;        // limits of ours the message went over, each with its figure
  dns::Meter::Cost dns;
  std::vector<dns::AnswerPtr> answers;  // to every question asked of DNS, in the order of asking
};

// Those to write down: all that pass, and the first of the others. A hostile header has room for thousands.
inline constexpr std::size_t kMaxUnpassed = 20;
std::vector<const dkim::Outcome*> notable_signatures(const Report& report);

// One plain sentence naming the identifier, the record and the fix.
std::string why(const Report& report);

}  // namespace sesame::policy
