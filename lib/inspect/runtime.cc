#include "dns/caching_resolver.h"
#include "dns/cares_upstream.h"
#include "inspect/inspect.h"

namespace sesame::inspect {

Result<std::shared_ptr<dns::Resolver>> make_resolver(const config::Dns& settings, const Clock& clock,
                                                     dns::Checking checking) {
  dns::CaresOptions options;
  options.servers = settings.servers;
  options.timeout = settings.timeout;
  options.tries = settings.tries;
  // One dead name leaves time for the others of a message.
  options.patience = settings.budget / 2;
  options.checking = checking;
  auto upstream = dns::make_cares_upstream(options);
  if (!upstream) return tl::unexpected(upstream.error());
  dns::CacheOptions cache;
  cache.max_bytes = settings.cache_bytes;
  return std::make_shared<dns::CachingResolver>(std::move(*upstream), cache, clock);
}

namespace {

Result<std::shared_ptr<const dmarc::PublicSuffixList>> make_suffixes(const std::string& path) {
  if (path.empty()) return dmarc::PublicSuffixList::system();
  return dmarc::PublicSuffixList::from_file(path);
}

Result<std::shared_ptr<const Runtime>> assemble(config::Config config, std::shared_ptr<dns::Resolver> resolver) {
  auto runtime = std::make_shared<Runtime>();
  auto suffixes = make_suffixes(config.public_suffix_list);
  if (!suffixes) return tl::unexpected(suffixes.error());
  runtime->suffixes = std::move(*suffixes);
  if (!resolver) {
    auto made = make_resolver(config.dns, *runtime->clock);
    if (!made) return tl::unexpected(made.error());
    resolver = std::move(*made);
  }
  runtime->resolver = std::move(resolver);
  ses::Snapshot snapshot;
  runtime->accounts = std::make_shared<ses::Accounts>(config.ses, snapshot, runtime->clock->unix_now());
  runtime->config = std::move(config);
  return runtime;
}

}  // namespace

Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config) {
  return assemble(std::move(config), nullptr);
}

Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config, const Runtime& old) {
  const bool same_dns = config.dns == old.config.dns;
  return assemble(std::move(config), same_dns ? old.resolver : nullptr);
}

}  // namespace sesame::inspect
