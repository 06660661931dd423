#include "command.h"

namespace sesame::cli {

int run_top(const Common& /*common*/, const TopArguments& /*arguments*/) {
  return complain("top: is not there yet", kUsage);
}

}  // namespace sesame::cli
