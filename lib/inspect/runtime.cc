#include <fmt/format.h>
#include <sys/stat.h>

#include "dns/caching_resolver.h"
#include "dns/cares_upstream.h"
#include "inspect/inspect.h"
#include "inspect/observers.h"

namespace sesame::inspect {

Result<std::shared_ptr<dns::CachingResolver>> make_resolver(const config::Dns& settings, const Clock& clock,
                                                            dns::Checking checking) {
  dns::CaresOptions options;
  options.servers = settings.servers;
  options.timeout = settings.timeout;
  options.tries = settings.tries;
  // One dead name leaves time for the others of a message.
  options.patience = settings.budget / 2;
  options.checking = checking;
  if (settings.case_randomization) options.name_case = dns::CaresOptions::NameCase::random;
  auto upstream = dns::make_cares_upstream(options);
  if (!upstream) return tl::unexpected(upstream.error());
  dns::CacheOptions cache;
  cache.max_bytes = settings.cache_bytes;
  cache.min_ttl = settings.min_ttl;
  cache.max_ttl = settings.max_ttl;
  cache.max_negative_ttl = settings.max_negative_ttl;
  cache.failure_ttl = settings.failure_ttl;
  cache.max_stale = settings.max_stale;
  return std::make_shared<dns::CachingResolver>(std::move(*upstream), cache, clock);
}

namespace {

Result<std::shared_ptr<const dmarc::PublicSuffixList>> make_suffixes(const std::string& path) {
  if (path.empty()) return dmarc::PublicSuffixList::system();
  return dmarc::PublicSuffixList::from_file(path);
}

// A file that is replaced has another inode; one that is written over, other times or another size.
std::string stamp_of(const std::string& path) {
  struct stat found {};
  if (path.empty() || ::stat(path.c_str(), &found) != 0) return "";
  return fmt::format("{}:{}:{}:{}.{}:{}.{}", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
}

// `before` is what is known of the same path.
SnapshotFile read_snapshot(const std::string& path, const SnapshotFile& before) {
  SnapshotFile file = before;
  // Taken first, so that a version that comes meanwhile is another one.
  file.stamp = stamp_of(path);
  file.error.clear();
  if (path.empty()) return {};
  auto contents = ses::load_snapshot(path);
  if (contents) {
    file.contents = std::make_shared<const ses::Snapshot>(*std::move(contents));
  } else {
    file.error = contents.error().message;
  }
  return file;
}

std::shared_ptr<const ses::Accounts> make_accounts(const Runtime& runtime) {
  static const ses::Snapshot none;
  return std::make_shared<const ses::Accounts>(
      runtime.config.ses, runtime.snapshot.contents ? *runtime.snapshot.contents : none, runtime.clock->unix_now());
}

// What was learned goes on as long as it is kept in the same place.
void take_arrivals(Runtime& runtime, const Runtime& old) {
  const auto& path = runtime.config.ses.arrivals;
  runtime.arrivals_error.clear();
  if (!old.arrivals || old.arrivals->path() != path) {
    runtime.arrivals = std::make_shared<ses::Arrivals>(path);
    if (auto loaded = runtime.arrivals->load(); !loaded) runtime.arrivals_error = loaded.error().message;
  }
  runtime.observer = join({runtime.watch, runtime.arrivals});
}

// The new runtime has of the old one what can be kept.
Result<std::shared_ptr<const Runtime>> assemble(config::Config config, const Runtime& old) {
  auto runtime = std::make_shared<Runtime>(old);
  auto suffixes = make_suffixes(config.public_suffix_list);
  if (!suffixes) return tl::unexpected(suffixes.error());
  runtime->suffixes = std::move(*suffixes);
  if (!old.resolver || config.dns != old.config.dns) {
    auto made = make_resolver(config.dns, *runtime->clock);
    if (!made) return tl::unexpected(made.error());
    // Other servers begin with nothing: maybe those before them lied.
    if (old.cache && config.dns.servers == old.config.dns.servers) (*made)->restore(old.cache->entries());
    runtime->cache = std::move(*made);
    runtime->resolver = runtime->cache;
  }
  const bool same_file = config.ses.snapshot == old.config.ses.snapshot;
  runtime->snapshot = read_snapshot(config.ses.snapshot, same_file ? old.snapshot : SnapshotFile{});
  runtime->config = std::move(config);
  runtime->accounts = make_accounts(*runtime);
  take_arrivals(*runtime, old);
  return runtime;
}

}  // namespace

Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config) {
  return assemble(std::move(config), Runtime{});
}

Result<std::shared_ptr<const Runtime>> make_runtime(config::Config config, const Runtime& old) {
  return assemble(std::move(config), old);
}

std::shared_ptr<const Runtime> refresh(const Runtime& old) {
  const auto& path = old.config.ses.snapshot;
  const bool replaced = stamp_of(path) != old.snapshot.stamp;
  const auto aging = old.accounts->next_aging();
  if (!replaced && (!aging || *aging > old.clock->unix_now())) return nullptr;
  auto runtime = std::make_shared<Runtime>(old);
  if (replaced) runtime->snapshot = read_snapshot(path, old.snapshot);
  runtime->accounts = make_accounts(*runtime);
  return runtime;
}

std::shared_ptr<const Runtime> with_watch(const Runtime& old, std::shared_ptr<const ses::Observer> watch) {
  auto runtime = std::make_shared<Runtime>(old);
  runtime->watch = std::move(watch);
  runtime->observer = join({runtime->watch, runtime->arrivals});
  return runtime;
}

}  // namespace sesame::inspect
