// The look-ups of one check: all of them pass through here, so that the deadline and the limits hold.
#pragma once

#include <string>
#include <vector>

#include "spf/evaluate.h"

namespace sesame::spf {

// Asks, unless the deadline has passed: then the answer is Status::timeout. Never null.
dns::AnswerPtr ask(Context& context, const std::string& name, dns::Type type);
// A or AAAA, whichever the client is.
dns::Type address_type(const Context& context);
// Counts an answer without records: RFC 7208 Section 4.6.4.
void count_void(Context& context, const dns::AnswerPtr& answer);
// "TXT example.com", safe to print.
std::string question(const dns::Answer& answer);
// Why there is a temperror: the look-up that got no answer, or that used up the time.
std::string failure_reason(const Context& context, const dns::Answer& answer);
// The names of the client that lead back to it (RFC 7208 Section 5.5): of the first ten, in the order received. Looked
// up once in a check.
const std::vector<std::string>& client_names(Context& context);
// The value of a macro letter while `domain` is judged.
std::optional<std::string> macro_value(Context& context, char letter, const std::string& domain);

}  // namespace sesame::spf
