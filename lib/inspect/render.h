// A report as people and programs read it.
#pragma once

#include <string>
#include <vector>

#include "policy/decide.h"
#include "policy/report.h"

namespace sesame::inspect {

// One event per message, for the log: "key=value ..." on one line, and the same as one line of JSON.
std::string log_text(const policy::Report& report, const policy::Decision& decision);
std::string log_json(const policy::Report& report, const policy::Decision& decision);
// For its level debug, in the same two forms: one line for each answer of DNS that the message was judged by.
std::vector<std::string> log_text_records(const policy::Report& report);
std::vector<std::string> log_json_records(const policy::Report& report);

// What `sesame verify --json` and `sesame preflight --json` print.
// `one`: the report's `dmarc` alone, whichever standard it is of; `both`: `dmarc_rfc7489` beside it.
enum class Standards { both, one };
std::string verify_json(const policy::Report& report, Standards shown);
std::string preflight_json(const policy::Report& report, const policy::Decision& decision);
std::string spf_json(const spf::Outcome& outcome);

// For people at a terminal: several lines.
std::string verify_text(const policy::Report& report, Standards shown);
std::string preflight_text(const policy::Report& report, const policy::Decision& decision);

}  // namespace sesame::inspect
