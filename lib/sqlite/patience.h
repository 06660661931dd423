// How long others that have a file locked are waited for.
#pragma once

#include <atomic>

namespace sesame::sqlite {

// Whoever waits heeds a change at once; with 0 also what takes long by itself is given up.
struct Patience {
  std::atomic<int> milliseconds = 5000;
};

}  // namespace sesame::sqlite
