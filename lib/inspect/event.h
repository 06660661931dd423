// What is told of a judged message, in parts that the log and the history share. Inside this folder only.
#pragma once

#include <string>
#include <string_view>

#include "dns/record.h"
#include "inspect/prediction_json.h"
#include "policy/decide.h"
#include "policy/report.h"

namespace sesame::inspect {

Json event_value(const policy::Report& report, const policy::Decision& decision);
// One answer of DNS, with printable text.
Json record_value(const dns::Answer& answer);

std::string from_domain(const policy::Report& report);  // "" where From is not usable
// Adds " key=value", quoted where the value has a space, a quote or nothing.
void put(std::string& line, std::string_view key, const std::string& value);

}  // namespace sesame::inspect
