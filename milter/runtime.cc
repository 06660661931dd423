#include "milter/runtime.h"

namespace sesame::milter {

Result<Snapshot> load_runtime(const std::string& path) {
  auto config = config::load(path);
  if (!config) return tl::unexpected(config.error());
  return inspect::make_runtime(std::move(*config));
}

Result<Snapshot> reload_runtime(const std::string& path, const inspect::Runtime& old) {
  auto config = config::load(path);
  if (!config) return tl::unexpected(config.error());
  return inspect::make_runtime(std::move(*config), old);
}

std::string needs_restart(const config::Config& before, const config::Config& after) {
  std::string names;
  if (before.milter.socket != after.milter.socket) names += "milter.socket ";
  if (before.milter.user != after.milter.user) names += "milter.user ";
  if (!names.empty()) names.pop_back();
  return names;
}

}  // namespace sesame::milter
