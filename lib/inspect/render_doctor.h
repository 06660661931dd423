// Examinations of sending domains as people and programs read them.
#pragma once

#include <span>
#include <string>

#include "ses/examine.h"

namespace sesame::inspect {

// What answers the question stands in the first 24 lines: verdict, why, findings with what to do. Then the records, the
// alignment, what SES will do, and what to publish. Several examinations end in a table.
std::string doctor_text(std::span<const ses::Examination> examinations);

// one: the object of the one examination; list: {"domains": [...], "summary": {...}}.
enum class Shape { one, list };
std::string doctor_json(std::span<const ses::Examination> examinations, Shape shape);

}  // namespace sesame::inspect
