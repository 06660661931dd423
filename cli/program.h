// Programs of the MTA, run to their end.
#pragma once

#include <string>
#include <vector>

#include "util/result.h"

namespace sesame::cli {

struct Ended {
  int status = 0;      // as a shell tells it: 128 and the number for a signal
  std::string output;  // what it wrote to the standard output
};

// Where the program is: in PATH, or where a system keeps what only root needs. "" when nowhere.
std::string find_program(const std::string& name);

// words[0] is a path. No shell; its standard error is ours, its standard input empty.
Result<Ended> run_program(const std::vector<std::string>& words);
// The same, where another status than 0 is a failure.
Result<std::string> output_of(const std::vector<std::string>& words);

}  // namespace sesame::cli
