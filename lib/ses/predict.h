// What will become of a message after Amazon SES has signed it and replaced its envelope sender.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dkim/dkim.h"
#include "dmarc/dmarc.h"
#include "dns/meter.h"
#include "dns/resolver.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/shape.h"
#include "ses/diagnose.h"
#include "ses/history.h"
#include "ses/identity.h"
#include "spf/spf.h"
#include "util/tri.h"

namespace sesame::ses {

// pass, fail and none hold for every receiver of RFC 9989; refused: SES will not take the message.
enum class Verdict { pass, fail, none, unknown, refused };
// confirmed: status given and DNS agrees; likely: inferred; unknown: undecided.
enum class Confidence { confirmed, likely, unknown };
const char* to_string(Verdict verdict);
const char* to_string(Confidence confidence);

struct Aligned {
  Tri rfc9989 = Tri::no;
  Tri rfc7489 = Tri::no;
};

struct DkimLeg {
  std::string domain;    // d= of the identity, signed with or not; "" when no identity covers From
  std::string source;    // "ses", or "upstream" when only a signature already on the message carries it; "" when none
  Tri usable = Tri::no;  // it will be there and verify
  Aligned aligned;       // of d= with From, whatever `usable` says
  std::string reason;    // why it is not usable, or not known to be
};

struct SpfLeg {
  std::string domain;                      // of the envelope sender as SES will write it
  spf::Result result = spf::Result::none;  // the worst over all address ranges of amazonses.com's own record
  Tri usable = Tri::no;                    // passes for every range: yes; for none: no
  Aligned aligned;
  std::string reason;
};

struct DmarcPrediction {
  enum class Result { pass, fail, none, unknown } result = Result::unknown;
  dmarc::Policy policy = dmarc::Policy::none;  // published for the author domain, before t=
  dmarc::Discovery discovery;
};
const char* to_string(DmarcPrediction::Result result);

// What a pass rests on: both legs, DKIM alone (a single point of failure), or SPF alone, which forwarding breaks.
// RFC 9989 Sections 7.4 and 8.
enum class Grade { none, both_legs, dkim_only, spf_only };
const char* to_string(Grade grade);  // "both-legs"

struct Prediction {
  Verdict verdict = Verdict::unknown;
  Grade grade = Grade::none;  // of a pass
  Confidence confidence = Confidence::unknown;
  std::string identity;  // name of the identity whose settings apply; "" when none
  enum class Kind { address, domain, none } identity_kind = Kind::none;
  std::string account;  // as the configuration names it
  std::string region;
  std::string configuration_set;      // "" = not known
  std::optional<std::int64_t> as_of;  // when the API told the identity's state, unix seconds; absent: configured
  DkimLeg dkim;
  SpfLeg spf;
  DmarcPrediction rfc9989, rfc7489;
  std::vector<Finding> findings;  // the cause that decides first
  std::string why;                // one plain sentence: the identifier, the record and the fix
};
const char* to_string(Prediction::Kind kind);

// The message as the relay hands it over.
struct Submission {
  const mail::Envelope& envelope;
  std::span<const mail::Field> fields;
  const mail::Author& author;
  std::span<const dkim::Outcome> upstream;  // signatures already on the message, as verified here
  mail::Shape shape = {};
  std::string configuration_set = {};  // that the relay chooses; "" = not known
};

// What a prediction may draw on.
struct Surroundings {
  dns::Resolver& resolver;
  const Account& account;
  Deadline deadline;
  std::shared_ptr<const dmarc::PublicSuffixList> suffixes;
  std::int64_t now = 0;                        // unix seconds
  std::span<const Account> accounts = {};      // all that are known, `account` among them
  std::span<const std::string> tracking = {};  // configuration sets with open or click tracking
  const Observer* observer = nullptr;          // null: nothing was observed
  const dns::Meter* meter = nullptr;           // `resolver`, where it is one: tells how old the answers were
};

Prediction predict(const Surroundings& world, const Submission& submission);

// Starts the look-ups a prediction will need once From is known.
void prefetch(dns::Resolver& resolver, const Account& account, const mail::Mailbox& from);

}  // namespace sesame::ses
