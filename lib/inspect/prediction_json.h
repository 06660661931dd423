// A prediction in JSON, as answers about messages and about domains share it. Inside this folder only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dns/meter.h"
#include "ses/predict.h"

namespace sesame::inspect {

// Members stay in the order in which they are written.
using Json = nlohmann::ordered_json;

// Bytes that are no UTF-8 (they may come from a message) are replaced, never an error. -1 is one line.
std::string dump(const Json& value, int indent);
Json text_or_null(const std::string& text);
Json tri_json(Tri value);
Json aligned_json(const ses::Aligned& aligned);
Json finding_array(const std::vector<ses::Finding>& findings);
Json prediction_value(const ses::Prediction& prediction);
Json dns_value(const dns::Meter::Cost& cost);

}  // namespace sesame::inspect
