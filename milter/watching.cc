#include "milter/watching.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sesame::milter {
namespace {

// It is asked few questions, and seldom one twice.
constexpr std::size_t kUncheckedCache = std::size_t{4} << 20;

Level level_of(watch::Loudness loudness) {
  switch (loudness) {
    case watch::Loudness::info:
      return Level::info;
    case watch::Loudness::warning:
      return Level::warning;
    case watch::Loudness::error:
      break;
  }
  return Level::error;
}

std::vector<watch::Subject> subjects_for(const inspect::Runtime& runtime) {
  if (runtime.config.watch.interval.count() <= 0) return {};
  return watch::subjects_of(*runtime.accounts);
}

// To tell what DNSSEC breaks from what is broken. Such answers are for that alone, so none is kept beyond its time.
Result<std::shared_ptr<dns::Resolver>> make_unchecked(const inspect::Runtime& runtime) {
  auto settings = runtime.config.dns;
  settings.cache_bytes = std::min(settings.cache_bytes, kUncheckedCache);
  settings.max_stale = std::chrono::seconds(0);
  return inspect::make_resolver(settings, *runtime.clock, dns::Checking::disabled);
}

}  // namespace

std::size_t watched_by(const inspect::Runtime& runtime) {
  return subjects_for(runtime).size();
}

void Watching::follow(RuntimeStore& store) {
  const auto runtime = store.current();
  if (runtime == followed_) return;
  auto subjects = subjects_for(*runtime);
  if (subjects.empty()) {
    stop();
  } else {
    const bool anew = !watcher_ || options_ != runtime->config.watch;
    if (anew) begin(runtime->config.watch);
    if (anew || subjects != subjects_ || !followed_ || runtime->resolver != followed_->resolver) {
      subjects_ = std::move(subjects);
      if (auto done = look_with(runtime); !done) {
        log_.line(Level::error, "watch: nothing is watched: " + done.error().message);
        stop();
      }
    }
    auto started = watcher_ ? watcher_->start() : Result<void>{};
    if (!started) {
      log_.line(Level::error, "watch: nothing is watched: " + started.error().message);
      stop();
    }
  }
  const std::shared_ptr<const watch::Ledger> ledger = watcher_ ? watcher_->ledger() : nullptr;
  ledger_.with([&](auto& shared) { shared = ledger; });
  if (runtime->watch != ledger) store.replace(inspect::with_watch(*runtime, ledger));
  followed_ = store.current();
}

// What the one before knew is not told again.
void Watching::begin(const watch::Options& options) {
  watch::Past past;
  if (watcher_) {
    past = watcher_->past();
    stop();
  }
  options_ = options;
  const auto say = [this](watch::Loudness loudness, const std::string& text) { log_.line(level_of(loudness), text); };
  watcher_ = std::make_unique<watch::Watcher>(options, system_clock(), say, std::move(past));
}

Result<void> Watching::look_with(const Snapshot& runtime) {
  if (!unchecked_ || runtime->config.dns != unchecked_settings_) {
    auto made = make_unchecked(*runtime);
    if (!made) return tl::unexpected(made.error());
    unchecked_ = *std::move(made);
    unchecked_settings_ = runtime->config.dns;
  }
  const auto before = watcher_->size();
  if (auto done = watcher_->watch(subjects_, runtime->resolver, unchecked_); !done) return done;
  // At the start it was told.
  if (followed_ && watcher_->size() != before)
    log_.line(Level::info, fmt::format("watch: identities={}", watcher_->size()));
  return {};
}

std::shared_ptr<const watch::Ledger> Watching::ledger() const {
  return ledger_.with([](const auto& shared) { return shared; });
}

void Watching::stop() {
  if (watcher_) watcher_->stop();
  watcher_.reset();
}

}  // namespace sesame::milter
