#include "command.h"

namespace sesame::cli {

int run_import(const Common& /*common*/, const ImportArguments& /*arguments*/) {
  return complain("import: is not there yet", kUsage);
}

}  // namespace sesame::cli
