#include "watch/notifier.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>

#include "util/text.h"
#include "watch/due.h"
#include "watch/guard.h"

namespace sesame::watch {
namespace {

// After the first failure, the second, and the third.
constexpr std::int64_t kRetries[] = {60, 300, 900};
constexpr std::int64_t kLongest = 900;
constexpr std::chrono::seconds kTick{1};

Loudness loudness_of(State state) {
  if (state == State::missing) return Loudness::error;
  return state == State::degraded ? Loudness::warning : Loudness::info;
}

Loudness loudness_of(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::silence:
      return Loudness::error;
    case Notice::Kind::unreachable:
    case Notice::Kind::reminder:
      return Loudness::warning;
    case Notice::Kind::restored:
    case Notice::Kind::reachable:
      return Loudness::info;
    case Notice::Kind::change:
    case Notice::Kind::digest:
      break;
  }
  auto loudest = notice.changes.empty() ? Loudness::warning : Loudness::info;
  for (const auto& change : notice.changes) loudest = std::max(loudest, loudness_of(change.after.state));
  return loudest;
}

// A notice under way, by all channels.
struct Parcel {
  Notice notice;
  bool told = false;
  std::size_t open = 0;  // channels that have neither taken it nor are given up
};

struct Delivery {
  std::shared_ptr<Parcel> parcel;
  std::size_t channel = 0;
  std::size_t failures = 0;
  std::int64_t next = 0;  // unix seconds
};

}  // namespace

struct Notifier::Worker {
  const Clock& clock;
  const Say say;
  const Told told;
  Guard guard;
  std::atomic<bool> stopping = false;
  std::vector<std::unique_ptr<Channel>> channels;

  std::mutex policy_mutex;
  AlertPolicy policy;

  std::mutex round_mutex;       // one round at a time
  std::list<Delivery> waiting;  // in the order in which they came
  std::vector<char> failing;    // channels whose failure is logged

  std::mutex wake_mutex;
  std::condition_variable wake;
  std::thread thread;

  Worker(const Clock& time, Say log, Told done, std::vector<std::chrono::seconds> reminders)
      : clock(time), say(std::move(log)), told(std::move(done)), guard(say), policy(std::move(reminders)) {}

  void use(std::vector<std::unique_ptr<Channel>> all) {
    channels = std::move(all);
    failing.assign(channels.size(), 0);
  }

  void settle(Parcel& parcel) {
    if (parcel.told) return;
    parcel.told = true;
    told(parcel.notice);
  }

  void close(const Delivery& delivery) {
    if (--delivery.parcel->open == 0) settle(*delivery.parcel);
  }

  void take_in() {
    std::vector<Notice> notices;
    {
      const std::lock_guard lock(policy_mutex);
      notices = policy.due(clock.unix_now());
    }
    for (auto& notice : notices) {
      say(loudness_of(notice), "alert: " + notice.title);
      const auto parcel = std::make_shared<Parcel>(Parcel{.notice = std::move(notice), .open = channels.size()});
      if (channels.empty()) settle(*parcel);
      for (std::size_t i = 0; i < channels.size(); ++i) waiting.push_back({parcel, i, 0, parcel->notice.time});
    }
    while (waiting.size() > kMaxPending) {
      give_up(waiting.front(), "too many alerts wait");
      waiting.pop_front();
    }
  }

  void give_up(const Delivery& delivery, const std::string& why) {
    say(Loudness::error, fmt::format("the {} did not take the alert \"{}\", which is given up: {}",
                                     channels[delivery.channel]->name(), delivery.parcel->notice.title, why));
    close(delivery);
  }

  // What is due; what was never tried comes before what failed, and a channel that works before one that does not.
  std::list<Delivery>::iterator next_due() {
    const auto now = clock.unix_now();
    auto best = waiting.end();
    const auto order = [this](const Delivery& each) { return std::tuple(failing[each.channel], each.failures > 0); };
    for (auto each = waiting.begin(); each != waiting.end(); ++each)
      if (!is_yet_to_come(each->next, now, kLongest) && (best == waiting.end() || order(*each) < order(*best)))
        best = each;
    return best;
  }

  void failed(std::list<Delivery>::iterator delivery, const std::string& why) {
    if (delivery->failures == std::size(kRetries)) {
      give_up(*delivery, why);
      waiting.erase(delivery);
      return;
    }
    auto& logged = failing[delivery->channel];
    if (!logged) say(Loudness::warning, fmt::format("{}; it is tried again", why));
    logged = 1;
    delivery->next = clock.unix_now() + kRetries[delivery->failures++];
  }

  void succeeded(std::list<Delivery>::iterator delivery) {
    auto& logged = failing[delivery->channel];
    if (logged) say(Loudness::info, fmt::format("the {} takes alerts again", channels[delivery->channel]->name()));
    logged = 0;
    settle(*delivery->parcel);
    close(*delivery);
    waiting.erase(delivery);
  }

  // What a library throws is a failure like others.
  static Result<void> deliver(Channel& channel, const Notice& notice) {
    try {
      return channel.deliver(notice);
    } catch (const std::exception& error) {
      return failure(fmt::format("the {}: {}", channel.name(), error.what()));
    }
  }

  void step() {
    const std::lock_guard lock(round_mutex);
    take_in();
    while (!stopping) {
      const auto due = next_due();
      if (due == waiting.end()) return;
      const auto result = deliver(*channels[due->channel], due->parcel->notice);
      if (result) {
        succeeded(due);
      } else {
        // What stop() cut short is no failure of the channel.
        if (stopping) return;
        failed(due, result.error().message);
      }
      take_in();
    }
  }

  void run() {
    while (!stopping) {
      guard.run([this] { step(); });
      std::unique_lock lock(wake_mutex);
      wake.wait_for(lock, kTick, [this] { return stopping.load(); });
    }
  }

  void hurry() {
    {
      const std::lock_guard lock(wake_mutex);
      stopping = true;
    }
    wake.notify_all();
  }

  void stop() {
    hurry();
    if (thread.joinable()) thread.join();
  }
};

Result<std::unique_ptr<Notifier>> Notifier::make(const AlertOptions& options, const Clock& clock, Say say, Told told) {
  auto notifier = std::make_unique<Notifier>(std::vector<std::unique_ptr<Channel>>(), options.reminders, clock,
                                             std::move(say), std::move(told));
  auto channels = make_channels(options, notifier->worker_->stopping);
  if (!channels) return tl::unexpected(channels.error());
  notifier->worker_->use(std::move(*channels));
  return notifier;
}

Notifier::Notifier(std::vector<std::unique_ptr<Channel>> channels, std::vector<std::chrono::seconds> reminders,
                   const Clock& clock, Say say, Told told)
    : worker_(std::make_unique<Worker>(clock, std::move(say), std::move(told), std::move(reminders))) {
  worker_->use(std::move(channels));
}

Notifier::~Notifier() {
  stop();
}

void Notifier::restore(std::span<const RecordState> states, std::span<const Notice> notices) {
  const std::lock_guard lock(worker_->policy_mutex);
  worker_->policy.restore(states, notices);
}

void Notifier::set_silences(std::vector<Silence> silences) {
  const std::lock_guard lock(worker_->policy_mutex);
  worker_->policy.set_silences(std::move(silences));
}

void Notifier::take(const Look& look, std::span<const RecordState> states) {
  const std::lock_guard lock(worker_->policy_mutex);
  worker_->policy.take(look, states);
}

void Notifier::keep_only(std::span<const Subject> subjects) {
  const std::lock_guard lock(worker_->policy_mutex);
  worker_->policy.keep_only(subjects);
}

Result<void> Notifier::start() {
  if (worker_->thread.joinable()) return {};
  try {
    worker_->thread = std::thread([worker = worker_.get()] { worker->run(); });
  } catch (const std::system_error& error) {
    return failure(std::string("no thread can be started: ") + error.what());
  }
  return {};
}

void Notifier::hurry() {
  worker_->hurry();
}

void Notifier::stop() {
  worker_->stop();
}

void Notifier::step() {
  worker_->step();
}

}  // namespace sesame::watch
