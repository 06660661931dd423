#include "watch/watcher.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "watch/guard.h"
#include "watch/journal.h"
#include "watch/schedule.h"

namespace sesame::watch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kAtOnce = 8;   // looks
constexpr milliseconds kTick{1000};  // the longest that the scheduler sleeps
constexpr milliseconds kStopPatience{1500};
// Of a domain that was never looked at: two or three name servers with two addresses each.
constexpr std::size_t kUsualServers = 5;

std::size_t guess(const Subject& subject) {
  std::size_t types = 0;
  for (const auto& record : subject.records) types += record.types.size();
  return types * kUsualServers;
}

// The resolver has a cache and servers of its own.
std::size_t questions_of(const Look& look) {
  std::size_t count = 0;
  for (const auto& record : look.records)
    count += static_cast<std::size_t>(
        std::ranges::count_if(record.observations, [](const auto& each) { return !each.from_resolver(); }));
  return std::max<std::size_t>(count, 1);
}

// By what is known of each.
std::vector<Schedule::Candidate> candidates_of(const std::vector<Subject>& subjects, const Ledger& ledger) {
  struct Known {
    bool healthy = true;
    std::int64_t checked = 0;
  };
  std::map<Turn, Known> all;
  for (const auto& state : ledger.states()) {
    auto& known = all[{state.key.account, state.key.identity, state.key.region}];
    known.healthy = known.healthy && state.state == State::healthy;
    known.checked = std::max(known.checked, state.checked);
  }
  std::vector<Schedule::Candidate> candidates;
  for (const auto& subject : subjects) {
    using Haste = Schedule::Candidate::Haste;
    const auto found = all.find(turn_of(subject));
    const auto known = found == all.end() ? Known{false, 0} : found->second;
    candidates.push_back(
        {turn_of(subject), known.healthy ? Haste::in_time : Haste::soon, known.checked, guess(subject)});
  }
  return candidates;
}

// All that one way of looking needs.
struct Eyes {
  std::shared_ptr<dns::Resolver> resolver, unchecked;
  std::shared_ptr<dns::Prober> prober;
  Looker looker;
  Eyes(std::shared_ptr<dns::Resolver> checked, std::shared_ptr<dns::Resolver> without_checks,
       std::shared_ptr<dns::Prober> asks, const Clock& clock)
      : resolver(std::move(checked)),
        unchecked(std::move(without_checks)),
        prober(std::move(asks)),
        looker(Means{*resolver, *unchecked, *prober, clock}) {}
};

struct Task {
  std::shared_ptr<const Subject> subject;
  Watcher::LookAt look_at;
};

// What the threads share, and those that are left behind keep.
class Core {
 public:
  Core(const Options& options, const Clock& clock, Say say, Past past)
      : clock_(clock),
        guard_([say](Loudness loudness, const std::string& line) {
          if (say) say(loudness, "watch: " + line);
        }),
        journal_(options, clock, say),
        options_(options),
        schedule_({std::max<Duration>(options.interval, seconds(1)), std::max(1.0, double(options.max_rate)),
                   seconds(1), std::random_device{}()}) {
    journal_.restore(std::move(past));
  }

  Journal& journal() { return journal_; }
  const Clock& clock() const { return clock_; }

  void replace(std::vector<Subject> subjects, Watcher::LookAt look_at) {
    journal_.keep_only(subjects);
    auto candidates = candidates_of(subjects, *journal_.ledger());
    const std::lock_guard lock(mutex_);
    schedule_.replace(std::move(candidates), clock_.steady_now());
    subjects_.clear();
    for (auto& subject : subjects) {
      auto who = turn_of(subject);
      subjects_.emplace(std::move(who), std::make_shared<const Subject>(std::move(subject)));
    }
    look_at_ = std::move(look_at);
    changed_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return subjects_.size();
  }

  void schedule_until_stop() {
    for (std::unique_lock lock(mutex_); !stopping_;) {
      while (tasks_.size() + busy_ < kAtOnce) {
        const auto who = schedule_.next(clock_.steady_now());
        if (!who) break;
        tasks_.push_back({subjects_.at(*who), look_at_});
        ready_.notify_one();
      }
      lock.unlock();
      guard_.run([this] { journal_.tick(); });
      lock.lock();
      const auto now = clock_.steady_now();
      const auto wake = tasks_.size() + busy_ < kAtOnce ? schedule_.wake() : Schedule::Time::max();
      const auto pause = wake <= now ? Duration::zero() : std::min<Duration>(wake - now, kTick);
      if (!stopping_ && pause > Duration::zero()) changed_.wait_for(lock, pause);
    }
  }

  void work_until_stop() {
    for (std::unique_lock lock(mutex_);;) {
      ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      ++busy_;
      lock.unlock();
      const auto questions = look_at(*task.subject, task.look_at);
      lock.lock();
      schedule_.done(turn_of(*task.subject), questions);
      --busy_;
      changed_.notify_all();
    }
  }

  std::vector<Look> look_once();

  Result<std::thread> start_thread(void (Core::*run)(), const std::shared_ptr<Core>& self) {
    // Held until the thread is counted, which it waits for.
    const std::lock_guard lock(mutex_);
    try {
      std::thread thread([self, run] {
        self->guard_.run([&] { ((*self).*run)(); });
        const std::lock_guard own(self->mutex_);
        --self->threads_;
        self->changed_.notify_all();
      });
      ++threads_;
      return thread;
    } catch (const std::system_error& error) {
      return failure(std::string("no thread can be started: ") + error.what());
    }
  }

  // Have all threads ended?
  bool stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    ready_.notify_all();
    changed_.notify_all();
    return changed_.wait_for(lock, kStopPatience, [this] { return threads_ == 0; });
  }

 private:
  // How many questions it took; whatever comes of it, it is over then.
  std::size_t look_at(const Subject& subject, const Watcher::LookAt& look_at) {
    std::size_t questions = 1;
    guard_.run([&] {
      const auto look = look_at(subject);
      questions = questions_of(look);
      journal_.take(look);
    });
    return questions;
  }

  const Clock& clock_;
  Guard guard_;
  Journal journal_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;    // a task is, or the end
  std::condition_variable changed_;  // something that the scheduler, or who stops, may wait for
  Schedule schedule_;
  std::map<Turn, std::shared_ptr<const Subject>> subjects_;
  Watcher::LookAt look_at_;
  std::deque<Task> tasks_;
  std::size_t busy_ = 0, threads_ = 0;
  bool stopping_ = false;
};

// A schedule of its own, in which nobody has a second turn.
std::vector<Look> Core::look_once() {
  std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<const Subject>> all;
  std::map<Turn, std::size_t> places;
  std::vector<Schedule::Candidate> candidates;
  for (const auto& [who, subject] : subjects_) {
    places.emplace(who, all.size());
    all.push_back(subject);
    candidates.push_back({who, Schedule::Candidate::Haste::soon, 0, guess(*subject)});
  }
  const auto look_at = look_at_;
  Schedule round({std::chrono::hours(24 * 365), std::max(1.0, double(options_.max_rate)), Duration::zero(), 0});
  round.replace(std::move(candidates), clock_.steady_now());
  std::vector<Look> looks(all.size());
  std::size_t left = all.size();
  const auto work = [&] {
    for (std::unique_lock own(mutex_); left > 0;) {
      const auto now = clock_.steady_now();
      const auto who = round.next(now);
      if (!who) {
        changed_.wait_for(own, std::min<Duration>(round.wake() - now, kTick));
        continue;
      }
      --left;
      const auto place = places.at(*who);
      own.unlock();
      looks[place].subject = *all[place];
      guard_.run([&] {
        looks[place] = look_at(*all[place]);
        journal_.take(looks[place]);
      });
      own.lock();
      round.done(*who, questions_of(looks[place]));
    }
  };
  lock.unlock();
  std::vector<std::thread> threads;
  try {
    for (std::size_t i = 1; i < std::min(kAtOnce, all.size()); ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // With fewer it takes longer.
  }
  work();
  for (auto& thread : threads) thread.join();
  return looks;
}

}  // namespace

struct Watcher::Impl {
  std::shared_ptr<Core> core;
  std::shared_ptr<dns::Prober> prober;
  std::shared_ptr<Eyes> eyes;
  std::vector<std::thread> threads;
};

Watcher::Watcher(Options options, const Clock& clock, Say say, Past past) : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<Core>(options, clock, std::move(say), std::move(past));
}

Watcher::~Watcher() {
  stop();
}

std::shared_ptr<const Ledger> Watcher::ledger() const {
  return impl_->core->journal().ledger();
}

Past Watcher::past() const {
  return impl_->core->journal().past();
}

Result<void> Watcher::watch(std::vector<Subject> subjects, std::shared_ptr<dns::Resolver> resolver,
                            std::shared_ptr<dns::Resolver> unchecked) {
  auto& eyes = impl_->eyes;
  if (!impl_->prober) {
    auto made = dns::make_prober({});
    if (!made) return tl::unexpected(made.error());
    impl_->prober = *std::move(made);
  }
  // What one remembers of zones and servers is worth keeping.
  if (!eyes || eyes->resolver != resolver || eyes->unchecked != unchecked)
    eyes = std::make_shared<Eyes>(std::move(resolver), std::move(unchecked), impl_->prober, impl_->core->clock());
  watch(std::move(subjects), [looking = eyes](const Subject& subject) { return looking->looker.look(subject); });
  return {};
}

void Watcher::watch(std::vector<Subject> subjects, LookAt look_at) {
  impl_->core->replace(std::move(subjects), std::move(look_at));
}

std::size_t Watcher::size() const {
  return impl_->core->size();
}

Result<void> Watcher::start() {
  if (!impl_->threads.empty()) return {};
  auto done = impl_->core->journal().start();
  for (std::size_t i = 0; done && i <= kAtOnce; ++i) {
    auto thread = impl_->core->start_thread(i == 0 ? &Core::schedule_until_stop : &Core::work_until_stop, impl_->core);
    if (thread)
      impl_->threads.push_back(*std::move(thread));
    else
      done = tl::unexpected(thread.error());
  }
  if (!done) stop();
  return done;
}

void Watcher::stop() {
  impl_->core->journal().hurry();
  const bool ended = impl_->threads.empty() || impl_->core->stop();
  for (auto& thread : impl_->threads) {
    if (!ended) {
      // Its look goes on for a while, without consequences; it holds all that it needs.
      thread.detach();
    } else {
      thread.join();
    }
  }
  impl_->threads.clear();
  impl_->core->journal().stop();
}

std::vector<Look> Watcher::look_once() {
  return impl_->core->look_once();
}

void Watcher::tell() {
  impl_->core->journal().step();
}

}  // namespace sesame::watch
