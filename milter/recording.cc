#include "milter/recording.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "inspect/record.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

// How long the recorder of settings that were replaced goes on writing: so many times such a while.
constexpr int kPatience = 1200;
constexpr std::chrono::milliseconds kWhile{500};
constexpr std::chrono::seconds kLastRows{5};  // then, and at the end of the daemon

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return printable(name.data());
}

Level level_of(history::Loudness loudness) {
  switch (loudness) {
    case history::Loudness::info:
      return Level::info;
    case history::Loudness::warning:
      return Level::warning;
    case history::Loudness::error:
      break;
  }
  return Level::error;
}

bool is_file(const history::Options& options) {
  return !options.store.empty() && !history::is_postgresql(options.store);
}

std::string directory_of(const std::string& path) {
  return std::filesystem::path(path).parent_path();
}

bool has_place(const history::Options& options) {
  std::error_code error;
  return !is_file(options) || std::filesystem::is_directory(directory_of(options.store), error);
}

std::int64_t microseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

void add(history::Standing& sum, const history::Standing& one) {
  sum.kept += one.kept;
  sum.lost += one.lost;
  sum.waiting += one.waiting;
  sum.lag_us = std::max(sum.lag_us, one.lag_us);
}

}  // namespace

std::string kept_in(const history::Options& options) {
  if (options.store.empty() || !has_place(options)) return "none";
  return history::shown(options.store);
}

history::Options Recording::wanted(const inspect::Runtime& runtime) {
  const auto& asked = runtime.config.history;
  if (asked.store.empty()) return {};
  // Once it was there, its absence is trouble for the recorder to tell.
  if (asked.store == options_.store || has_place(asked)) return asked;
  if (told_ != asked.store)
    log_.line(Level::info, "history: nothing is kept: there is no directory " + directory_of(asked.store));
  told_ = asked.store;
  return {};
}

void Recording::follow(const inspect::Runtime& runtime) {
  if (!finishers_.empty() && state_.with([](const State& state) { return state.finishing.empty(); }))
    finishers_.clear();
  auto options = wanted(runtime);
  if (options == options_) return;
  options_ = std::move(options);
  if (options_.store.empty()) return replace(nullptr);
  told_.clear();
  const auto say = [&log = log_](history::Loudness loudness, const std::string& text) {
    log.line(level_of(loudness), "history: " + text);
  };
  auto next = std::make_shared<history::Recorder>(options_, host_name(), *runtime.clock, say);
  if (auto started = next->start(); !started) {
    log_.line(Level::error, "history: nothing is kept: " + started.error().message);
    next.reset();
  }
  replace(std::move(next));
}

void Recording::replace(std::shared_ptr<history::Recorder> next) {
  auto old = state_.with([&](State& state) {
    if (state.current) state.finishing.push_back(state.current);
    return std::exchange(state.current, std::move(next));
  });
  if (!old) return;
  finishers_.emplace_back([this, old = std::move(old)](const std::stop_token& at_once) { finish(old, at_once); });
}

void Recording::finish(const std::shared_ptr<history::Recorder>& old, const std::stop_token& at_once) {
  for (int i = 0; i < kPatience && !at_once.stop_requested(); ++i)
    if (old->settle(kWhile)) break;
  old->stop(kLastRows);
  const auto standing = old->standing();
  state_.with([&](State& state) {
    std::erase(state.finishing, old);
    state.kept += standing.kept;
    state.lost += standing.lost;
  });
}

void Recording::record(policy::Report&& report, policy::Decision&& decision, const Stages& stages) noexcept {
  const auto is_kept = [](const State& state) { return state.current != nullptr; };
  if (!state_.with(is_kept)) return;
  try {
    auto source = inspect::record_of(std::move(report), std::move(decision),
                                     {.waited_us = stages.dns.count(), .whole_us = stages.transaction.count()},
                                     microseconds_now());
    // Under the lock, so that none reaches a recorder that has ended.
    state_.with([&](const State& state) {
      if (state.current) state.current->record(std::move(source));
    });
  } catch (...) {
    ++unmade_;
  }
}

history::Standing Recording::standing() const {
  history::Standing sum;
  sum.lost = unmade_;
  state_.with([&](const State& state) {
    if (state.current) {
      const auto now = state.current->standing();
      add(sum, now);
      sum.spooled = now.spooled;
      sum.trouble = now.trouble;
    }
    for (const auto& old : state.finishing) add(sum, old->standing());
    sum.kept += state.kept;
    sum.lost += state.lost;
  });
  return sum;
}

void Recording::stop(std::chrono::milliseconds at_most) {
  auto last = state_.with([](State& state) { return std::exchange(state.current, nullptr); });
  options_ = {};
  for (auto& each : finishers_) each.request_stop();
  if (last) {
    last->stop(at_most);
    const auto standing = last->standing();
    state_.with([&](State& state) {
      state.kept += standing.kept;
      state.lost += standing.lost;
    });
  }
  finishers_.clear();
}

}  // namespace sesame::milter
