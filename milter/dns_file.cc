#include "milter/dns_file.h"

#include <fmt/format.h>

#include "dns/answer_store.h"

namespace sesame::milter {

void load_answers(const inspect::Runtime& runtime, Log& log) {
  const auto& path = runtime.config.dns.cache_file;
  if (path.empty() || !runtime.cache) return;
  const auto taken = dns::load_answers(*runtime.cache, path, *runtime.clock);
  if (!taken) return log.line(Level::warning, "dns.cache_file: the cache begins empty: " + taken.error().message);
  if (*taken > 0) log.line(Level::info, fmt::format("dns: {} answers taken from {}", *taken, path));
}

void save_answers(const inspect::Runtime& runtime, Log& log) {
  const auto& path = runtime.config.dns.cache_file;
  if (path.empty() || !runtime.cache) return;
  const auto saved = dns::save_answers(*runtime.cache, path, *runtime.clock);
  if (!saved) return log.line(Level::warning, "dns.cache_file: the answers are not kept: " + saved.error().message);
  log.line(Level::info, fmt::format("dns: {} answers kept in {}", *saved, path));
}

}  // namespace sesame::milter
