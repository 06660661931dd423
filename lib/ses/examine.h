// The full check of one sending domain or address: each record against what SES and receivers need, and what follows
// for its mail. What `sesame doctor` tells, as plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dns/record.h"
#include "ses/clocks.h"
#include "ses/diagnose.h"
#include "ses/history.h"
#include "ses/identity.h"
#include "ses/predict.h"
#include "ses/publish.h"

namespace sesame::ses {

enum class RecordVerdict { ok, info, warning, error, unknown };
const char* to_string(RecordVerdict verdict);

// One record: what should stand there, and what does.
struct RecordCheck {
  std::string purpose;  // "DKIM", "MAIL FROM", "DMARC", "SPF of Amazon, ...": one heading for records together
  std::string name;
  dns::Type type = dns::Type::txt;
  std::string expected;  // "" = nothing in particular
  std::string found;
  RecordVerdict verdict = RecordVerdict::ok;
  std::optional<Code> code;  // of the finding that tells more
};

// Does a domain that SES will write align with From, were the policy relaxed or strict?
struct AlignmentCheck {
  std::string identifier;  // "d=" or "MAIL FROM"
  std::string domain;
  Aligned relaxed, strict;
  Aligned published;                                      // in the mode that the policy asks for
  std::optional<dmarc::Mode> mode_rfc9989, mode_rfc7489;  // that mode; absent: the policy is not known
};

// Where what is known of the identity comes from.
enum class Source { none, arguments, configuration, snapshot };
const char* to_string(Source source);

struct Examination {
  std::string subject;  // domain or address, canonical
  std::string domain;
  Source source = Source::none;
  std::optional<Identity> identity;    // whose settings apply to mail of the subject
  std::vector<std::string> elsewhere;  // "eu-west-1" or "ACCOUNT/eu-west-1": where else it is an identity
  std::string account, region;
  bool tokens_known = false;  // the DKIM selectors, or that SES has none
  bool sandbox = false;       // SES takes mail of the account to verified recipients only
  std::int64_t time = 0;      // of the examination, unix seconds
  Prediction prediction;      // of a message from the subject to one reader
  std::vector<RecordCheck> records;
  std::vector<AlignmentCheck> alignment;
  std::optional<History> history;  // when somebody observes
  Clocks dkim_clocks;              // of the outages in it, if there were any
  Clocks mail_from_clocks;
  std::vector<Finding> findings;     // the cause that decides first
  std::vector<Publishable> publish;  // one for each name and type
  dns::Meter::Cost dns;              // of the look-ups, where they were counted
  std::string unproposed;            // why no MAIL FROM domain is proposed though none is set up; "" = nothing to say
  // bad: a finding is an error; undecided: else, where the prediction, a finding or a record is.
  enum class State { fine, bad, undecided } state = State::fine;
};
const char* to_string(Examination::State state);

struct Examining {
  const Surroundings& world;
  dns::Resolver* unchecked = nullptr;     // asks with checking disabled; null: DNSSEC is not looked into
  Source source = Source::configuration;  // of identities that carry no time of their own
};

// `subject` is a domain in A-labels and lower case, or an address at one.
Examination examine(const Examining& means, const std::string& subject);
// Starts the look-ups an examination begins with.
void prefetch_examination(dns::Resolver& resolver, const Account& account, const std::string& subject);

}  // namespace sesame::ses
