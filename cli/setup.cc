#include "command.h"

namespace sesame::cli {

int run_setup(const Common& /*common*/, const SetupArguments& /*arguments*/) {
  return complain("setup: is not there yet", kUsage);
}

}  // namespace sesame::cli
