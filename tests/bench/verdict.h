// What Authentication-Results fields say, beside what the corpus expects.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/corpus.h"

namespace sesame::bench {

// "none" of DKIM when no signature is spoken of, "-" of the others. SPF: of MAIL FROM where two identities are told of.
Verdict verdict_of(std::span<const std::string> field_values);

// The methods ("spf", "dkim", "dmarc") that are expected otherwise.
std::vector<std::string> differences(const Verdict& expected, const Verdict& found);

}  // namespace sesame::bench
