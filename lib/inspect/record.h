// A judged message as the history keeps it.
#pragma once

#include <cstdint>
#include <memory>

#include "history/history.h"
#include "policy/decide.h"
#include "policy/report.h"

namespace sesame::inspect {

struct Took {
  std::int64_t waited_us = 0;  // for DNS
  std::int64_t whole_us = 0;   // from MAIL to the answer to the end of the message
};

// The row is made when it is asked for, on whatever thread asks. `time_us` is when the message was judged.
std::unique_ptr<const history::Source> record_of(policy::Report report, policy::Decision decision, const Took& took,
                                                 std::int64_t time_us);

}  // namespace sesame::inspect
