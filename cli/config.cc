// sesame config: the settings, tested and printed.
#include "config/config.h"

#include "command.h"
#include "config/settings.h"

namespace sesame::cli {

int run_config_test(const Common& common, const ConfigArguments& arguments) {
  auto config = config::load(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  // What the file names must be there, too.
  const auto runtime = make_runtime(common, std::move(*config));
  if (!runtime) return complain(arguments.config + ": " + runtime.error().message, kUsage);
  const auto& snapshot = (*runtime)->snapshot;
  if (snapshot.contents)
    for (const auto& remark : snapshot.contents->remarks)
      complain("warning: " + (*runtime)->config.ses.snapshot + ": " + remark, kFine);
  for (const auto& remark : (*runtime)->accounts->remarks())
    complain("warning: " + (*runtime)->config.ses.snapshot + ": " + remark, kFine);
  return answer(arguments.config + ": no faults", kFine);
}

int run_config_print(const Common& common, const ConfigArguments& arguments) {
  if (arguments.what == ConfigArguments::What::sample) return answer(config::sample_text(), kFine);
  auto config = config::load(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  if (!common.dns.empty()) config->dns.servers = {common.dns};
  return answer(config::print(*config), kFine);
}

}  // namespace sesame::cli
