// What the system says of this process.
#pragma once

#include <cstdint>

namespace sesame::milter {

// Zero where it is not known.
struct ProcessFigures {
  double start_time = 0;  // unix seconds
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_fds = 0, max_fds = 0;
};
ProcessFigures process_figures();

}  // namespace sesame::milter
