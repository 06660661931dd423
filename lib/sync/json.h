// JSON from elsewhere, within bounds. Internal to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame::sync {

// Members stay in the order in which they came.
using Json = nlohmann::ordered_json;

// An object nested no deeper than answers are, where no object has more members than one of theirs.
// The error completes "the answer ...".
Result<Json> parse_answer(std::string_view text);

// The text of a member; "" when it is not there or no text.
std::string text_of(const Json& object, const char* member);

}  // namespace sesame::sync
