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

// The history that hosts share; "" where this host looks for itself alone.
std::string fleet_of(const inspect::Runtime& runtime) {
  const auto& store = runtime.config.history.store;
  return history::is_postgresql(store) ? store : "";
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
  // In this order: who begins to look has heard before what there is to know.
  const auto role = fleet_.role();
  auto news = fleet_.news();
  const bool listens = role != Fleet::Role::looks;
  if (watcher_ && listens) known_ = watcher_->past();
  if (news && (!watcher_ || listens)) known_ = *std::move(news);
  if (watcher_ && fleet_.wants()) fleet_.tell(watcher_->past());
  if (runtime == followed_ && role == role_ && !news) return;
  auto subjects = subjects_for(*runtime);
  if (subjects.empty()) {
    stop();
  } else {
    fleet_.join(fleet_of(*runtime));
    role_ = fleet_.role();
    if (role_ == Fleet::Role::looks)
      look(runtime, std::move(subjects));
    else
      listen(std::move(subjects));
  }
  const std::shared_ptr<const watch::Ledger> ledger = watcher_ ? watcher_->ledger() : hearsay_;
  ledger_.with([&](auto& shared) { shared = ledger; });
  if (runtime->watch != ledger) store.replace(inspect::with_watch(*runtime, ledger));
  followed_ = store.current();
}

void Watching::look(const Snapshot& runtime, std::vector<watch::Subject> subjects) {
  const bool anew = !watcher_ || options_ != runtime->config.watch;
  if (anew) begin(runtime->config.watch);
  if (anew || subjects != subjects_ || !followed_ || runtime->resolver != followed_->resolver) {
    subjects_ = std::move(subjects);
    if (auto done = look_with(runtime); !done) {
      log_.line(Level::error, "watch: nothing is watched: " + done.error().message);
      end();
    }
  }
  auto started = watcher_ ? watcher_->start() : Result<void>{};
  if (!started) {
    log_.line(Level::error, "watch: nothing is watched: " + started.error().message);
    end();
  }
}

void Watching::listen(std::vector<watch::Subject> subjects) {
  if (watcher_) end();
  if (!hearsay_) hearsay_ = std::make_shared<watch::Ledger>();
  hearsay_->restore(known_.states, known_.sights, system_clock().unix_now());
  hearsay_->keep_only(subjects);
  subjects_ = std::move(subjects);
}

// What the one before knew, here or at another host, is not told again.
void Watching::begin(const watch::Options& options) {
  auto past = watcher_ ? watcher_->past() : std::exchange(known_, {});
  end();
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
  fleet_.leave();
  end();
}

void Watching::end() {
  if (watcher_) watcher_->stop();
  watcher_.reset();
  hearsay_.reset();
}

}  // namespace sesame::milter
