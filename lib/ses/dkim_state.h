// What SES's own word on the DKIM of an identity amounts to. Inside this folder only.
#pragma once

#include <string>
#include <vector>

#include "ses/diagnose.h"
#include "ses/key_records.h"
#include "ses/predict.h"
#include "util/tri.h"

namespace sesame::ses {

struct DkimState {
  Tri signs = Tri::yes;          // as far as SES's word goes; yes also where nothing is said
  std::string reason;            // why not, or why it is not known
  std::vector<Finding> deeper;   // what no record can mend
  std::vector<Finding> outcome;  // what came of the records
};

// `settings` are those the identity signs with; `by_dns` is whether its signature would be there and verify if SES's
// word were not known.
DkimState read_state(const Surroundings& world, const Identity& given, const Identity& settings,
                     const KeyRecords& records, Tri by_dns);

// "; SES saw HOST_NOT_FOUND (no such name) at ns1.example.com (serial 7) on ..."; "" when it does not say.
std::string what_ses_saw(const VerificationInfo& verification);
// "PENDING", and of an aged state when it was so.
std::string worded(const Identity& identity, Status status);
// ", as of ..., which may have changed"; "" for a state that can be relied on.
std::string hedge(const Identity& identity);
// What is said but not understood: 'Status "SUSPENDED", which is not known here'.
std::string not_known(const std::string& unread);

}  // namespace sesame::ses
