// Another program, run to its end. Inside this folder only.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.h"

namespace sesame::watch {

struct Ended {
  enum class How { exited, killed, too_late, stopped } how = How::exited;
  int number = 0;      // exit status, or the signal that killed it
  std::string output;  // the end of what it wrote to standard output and error, printable
};

// Runs the program `words[0]`, an absolute path, with the other words as its arguments, without a shell. It gets
// `input` on its standard input, whether it reads that or not, and none of our files. One that has not ended in
// `timeout`, or when `stop` becomes true, is asked to terminate, with what it started in its process group, and soon
// after killed. An error says why it could not be run.
Result<Ended> run_child(const std::vector<std::string>& words, std::string_view input, std::chrono::seconds timeout,
                        const std::atomic<bool>& stop);

}  // namespace sesame::watch
