// The two ways a message can align after SES: its DKIM signature and the SPF of its new envelope sender.
// Inside this folder only; predict.cc puts them together.
#pragma once

#include <string>
#include <vector>

#include "dns/resolver.h"
#include "mail/address.h"
#include "ses/diagnose.h"
#include "ses/identity.h"
#include "ses/predict.h"
#include "spf/spf.h"
#include "util/tri.h"

namespace sesame::ses {

// How sure we are of what SES will do: `given` by the account's state and not contradicted, or `inferred` from DNS.
enum class Basis { given, inferred };

struct SesSignature {
  std::string domain;    // d= it will have, or would have if SES signed for the identity
  Tri usable = Tri::no;  // it will be there and verify
  Basis basis = Basis::given;
  std::string reason;             // why not, or why not known
  std::vector<Finding> findings;  // the cause that decides first
};

// Has DKIM been set up, to whatever end?
bool is_begun(const Dkim& dkim);

// SES's own signature for mail from `from`, covered by `identity`.
SesSignature predict_signature(const Surroundings& world, const Identity& identity, const mail::Mailbox& from);

// One envelope sender domain that SES may use.
struct MailFromDomain {
  std::string domain;
  spf::Result result = spf::Result::none;  // worst over all ranges
  Tri usable = Tri::no;
  std::string reason;
  bool custom = false;
  bool foreseeable = true;  // else the record asks for what only the message will show
};

struct SesMailFrom {
  std::vector<MailFromDomain> possible;  // at least one; several when it cannot be known which SES will use
  Tri refused = Tri::no;                 // BehaviorOnMxFailure REJECT_MESSAGE applies
  Basis basis = Basis::given;
  std::string doubt;  // why it is not known which of them SES will use, or whether it refuses; "" when it is
  std::vector<Finding> findings;
};

SesMailFrom predict_mail_from(const Surroundings& world, const Identity& identity, const mail::Mailbox& from);

// SPF of a domain as the receivers of mail from SES see it: evaluated for every address range of amazonses.com's own
// record, and within a range for every part that the record tells apart.
spf::Result worse(spf::Result a, spf::Result b);
struct SpfOverRanges {
  spf::Result worst = spf::Result::temperror;
  Tri passes = Tri::unknown;  // for every address: yes; for none: no
  std::string reason;         // of the worst
  bool foreseeable = true;    // else the record asks for what only the message will show
};
SpfOverRanges spf_over_ses_ranges(const Surroundings& world, const std::string& domain);

// What is wrong with the SPF record at a name, for mail from SES; `reason` is that of the evaluation.
std::string spf_fault(const Surroundings& world, const std::string& domain, const std::string& reason);
// It is well, but says nothing of strangers.
bool lacks_all(const Surroundings& world, const std::string& domain);

}  // namespace sesame::ses
