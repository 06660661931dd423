// What the log says of the snapshot of the account.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/inspect.h"
#include "milter/log.h"

namespace sesame::milter {

struct Line {
  Level level = Level::info;
  std::string text;
};

// Nothing where `after` tells nothing new against `before`; null at the start. `now` in unix seconds.
std::vector<Line> snapshot_lines(const inspect::Runtime* before, const inspect::Runtime& after, std::int64_t now);

}  // namespace sesame::milter
