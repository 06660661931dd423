#include "command.h"

namespace sesame::cli {

int run_tail(const Common& /*common*/, const TailArguments& /*arguments*/) {
  return complain("tail: is not there yet", kUsage);
}

}  // namespace sesame::cli
