// What was observed of a domain, fit to be sent to whoever runs its DNS or to AWS support.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ses/accounts.h"
#include "watch/chronicle.h"
#include "watch/records.h"

namespace sesame::watch {

// What is known beside the memory: of the domain's identities, as settings and snapshot have them.
struct Knowledge {
  std::vector<Subject> subjects;
  std::vector<ses::Identity> identities;
  std::string program;  // "Sesame 1.0"
};
// Of the identity with this name, or of all whose domain this is.
Knowledge knowledge_of(const ses::Accounts& accounts, const std::string& domain);

// One text with lines of at most 78 octets as far as names allow, all times in UTC: what was expected, what was
// answered instead and by whom, how to ask again, who answered well meanwhile, the delegation, what SES says. Nothing
// in it is secret, and no recipient of mail or alerts is named.
std::string evidence_text(const Chronicle& chronicle, const Knowledge& knowledge);
// One JSON object: the same, with every row.
std::string evidence_json(const Chronicle& chronicle, const Knowledge& knowledge);

}  // namespace sesame::watch
