// Points in time by a clock that may be put back. Inside this folder only.
#pragma once

#include <cstdint>

namespace sesame::watch {

// Is `due` still ahead? It was set to at most `longest` from the time it was set at: what lies further ahead was set by
// a clock that went wrong and was put right since, and has come.
inline bool is_yet_to_come(std::int64_t due, std::int64_t now, std::int64_t longest) {
  return now < due && due - now <= longest;
}

}  // namespace sesame::watch
