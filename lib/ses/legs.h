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

// Whose DKIM settings it is that mail covered by `identity` is signed by, as far as that is documented: those of the
// domain for an address of which nothing is said. Null when there are none.
const Identity* signer_of(const Account& account, const Identity& identity);

// SES's own signature for mail from `from`, covered by `identity`.
SesSignature predict_signature(const Surroundings& world, const Identity& identity, const mail::Mailbox& from);

// SPF of a domain as the receivers of mail from SES see it: evaluated for every address range of amazonses.com's own
// record, and within a range for every part that the record tells apart.
spf::Result worse(spf::Result a, spf::Result b);
struct SpfOverRanges {
  spf::Result worst = spf::Result::temperror;
  Tri passes = Tri::unknown;  // for every address: yes; for none: no
  std::string reason = {};    // of the worst
  bool foreseeable = true;    // else the record asks for what only the message will show
  std::string fault = {};     // where it is the record's that not all pass: what is wrong with it
  bool lacks_all = false;     // all pass, but it says nothing of strangers
};
SpfOverRanges spf_over_ses_ranges(const Surroundings& world, const std::string& domain);

// Asks for amazonses.com's own record, and for those it includes as soon as it is there.
void prefetch_ranges(dns::Resolver& resolver);

// One envelope sender domain that SES may use.
struct MailFromDomain {
  std::string domain;
  SpfOverRanges spf;
};

struct SesMailFrom {
  std::vector<MailFromDomain> possible;  // at least one; several when it cannot be known which SES will use
  Tri refused = Tri::no;                 // BehaviorOnMxFailure REJECT_MESSAGE applies
  Basis basis = Basis::given;
  std::string doubt;  // why it is not known which of them SES will use, or whether it refuses; "" when it is
  std::vector<Finding> findings;
};

SesMailFrom predict_mail_from(const Surroundings& world, const Identity& identity, const mail::Mailbox& from);

// What is wrong with the SPF record at a name, for mail from SES; `reason` is that of the evaluation.
std::string spf_fault(dns::Resolver& resolver, Deadline deadline, const std::string& domain, const std::string& reason);
bool lacks_all(dns::Resolver& resolver, Deadline deadline, const std::string& domain);

}  // namespace sesame::ses
