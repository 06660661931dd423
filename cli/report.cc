#include "command.h"

namespace sesame::cli {

int run_report(const Common& /*common*/, const ReportArguments& /*arguments*/) {
  return complain("report: is not there yet", kUsage);
}

}  // namespace sesame::cli
