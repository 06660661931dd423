// From a domain to its record.
#pragma once

#include <string>

#include "spf/evaluate.h"

namespace sesame::spf {

// RFC 7208 Sections 4.4 and 4.5: the one SPF record of the domain. Null when there is none to evaluate; then `failed`
// says why.
Reading fetch_record(Context& context, const std::string& domain, Verdict& failed);

}  // namespace sesame::spf
