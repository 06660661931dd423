// What was observed of a domain, in the order of time.
#pragma once

#include <string>

#include "watch/chronicle.h"

namespace sesame::watch {

// For people, lines of at most 78 octets. What was the same all along is one line for each server, so that a healthy
// month is a few lines.
std::string timeline_text(const Chronicle& chronicle);
// One JSON object with every row.
std::string timeline_json(const Chronicle& chronicle);

}  // namespace sesame::watch
