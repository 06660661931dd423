#include "command.h"

namespace sesame::cli {

int run_simulate(const Common& /*common*/, const SimulateArguments& /*arguments*/) {
  return complain("simulate: is not there yet", kUsage);
}

}  // namespace sesame::cli
