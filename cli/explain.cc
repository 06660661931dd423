#include "command.h"

namespace sesame::cli {

int run_explain(const Common& /*common*/, const ExplainArguments& /*arguments*/) {
  return complain("explain: is not there yet", kUsage);
}

}  // namespace sesame::cli
