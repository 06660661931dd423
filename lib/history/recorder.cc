#include "history/recorder.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>

#include "history/recorder_outlet.h"
#include "util/text.h"

namespace sesame::history {
namespace {

using std::chrono::milliseconds;
using RealTime = std::chrono::steady_clock;

constexpr std::size_t kMostRows = 10'000;             // that wait in memory
constexpr std::size_t kMostOctets = 64'000'000;       // of them, about
constexpr std::size_t kBatch = 500;                   // rows rendered at once
constexpr milliseconds kAge{200};                     // so long a row waits for others
constexpr milliseconds kTick{1000}, kRetryTick{100};  // how often the clock is looked at
constexpr milliseconds kGrace{500};                   // after patience has ended
constexpr milliseconds kAtTheEnd{1000};               // for what waits, where nobody said how long

std::string random_origin() {
  std::uint64_t number = 0;
  // So few octets are never cut short, and never fail once the machine has started.
  [[maybe_unused]] const auto got = getrandom(&number, sizeof number, 0);
  return fmt::format("{:016x}", number);
}

// Whatever a row was made of, no store chokes on it.
void tidy(Row& row) {
  for (auto* text : {&row.queue_id, &row.direction, &row.from_domain, &row.mail_from, &row.message_id, &row.client,
                     &row.verdict, &row.disposition, &row.forwarder, &row.action, &row.code, &row.codes, &row.account,
                     &row.region, &row.identity, &row.why})
    *text = printable(*text, kMaxText);
  if (row.story.size() > kMaxStory) row.story.clear();
}

}  // namespace

struct Recorder::Impl {
  struct Entry {
    std::unique_ptr<const Source> source;
    std::int64_t time = 0;   // microseconds since 1970
    std::size_t octets = 0;  // of the source
  };

  Impl(Options its_options, std::string its_host, const Clock& its_clock, Say its_say)
      : options(std::move(its_options)), host(std::move(its_host)), clock(its_clock), user_say(std::move(its_say)) {
    say = [this](Loudness loudness, const std::string& text) { tell(loudness, text); };
  }

  const Options options;
  const std::string host, origin = random_origin();
  const Clock& clock;
  const std::shared_ptr<sqlite::Patience> patience = std::make_shared<sqlite::Patience>();
  Openers openers;

  std::mutex saying;  // guards these two; never taken with the other held
  Say user_say;
  bool silent = false;
  Say say;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable wake, changed;
  std::deque<Entry> queue;
  std::uint64_t accepted = 0, finished = 0;  // rows: all of them; those that do not wait any more
  std::uint64_t refused = 0;                 // for which there was no room
  std::uint64_t published_refused = 0;       // of them, those that `published` counts
  std::size_t queued = 0, octets = 0;        // octets of what is in the queue, and of rows that are rendered
  std::int64_t oldest = 0;                   // of those that have left the queue
  Standing published;
  int settling = 0;  // how many wait for it
  bool started = false, stopping = false, ended = false, abandoned = false;
  RealTime::time_point deadline{};
  std::thread thread;

  // Of the writing thread.
  std::int64_t sequence = 0;
  std::uint64_t taken = 0, known_refused = 0;

  void tell(Loudness loudness, const std::string& text) {
    const std::lock_guard lock(saying);
    if (!silent && user_say) user_say(loudness, text);
  }

  void guarded_run();
  void run();
  bool step(Outlet& outlet);
  bool is_stopping() const;
  void lose_refused(Outlet& outlet);
  std::vector<Entry> next_entries(const Outlet& outlet);
  void render(const std::vector<Entry>& entries, Outlet& outlet);
  void publish(const Outlet& outlet);
  void end(Outlet& outlet);
};

void Recorder::Impl::run() {
  Outlet outlet(options, openers, clock, say);
  bool told = false;
  for (bool more = true; more;) {
    try {
      more = step(outlet);
    } catch (const std::exception& error) {
      // Memory is short. What was being done is done again.
      if (!std::exchange(told, true)) say(Loudness::error, std::string("an error inside: ") + error.what());
      std::this_thread::sleep_for(kRetryTick);
    }
  }
  end(outlet);
}

void Recorder::Impl::guarded_run() {
  try {
    run();
  } catch (...) {
    // There was no memory even for the end.
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

// False: that was the last one.
bool Recorder::Impl::step(Outlet& outlet) {
  render(next_entries(outlet), outlet);
  lose_refused(outlet);
  const bool last = is_stopping();
  outlet.work(last ? Outlet::Haste::now : Outlet::Haste::by_the_clock);
  publish(outlet);
  const std::lock_guard lock(mutex);
  const bool over = queue.empty() && outlet.waiting() == 0;
  return !stopping || (!over && RealTime::now() < deadline);
}

bool Recorder::Impl::is_stopping() const {
  const std::lock_guard lock(mutex);
  return stopping;
}

void Recorder::Impl::lose_refused(Outlet& outlet) {
  std::uint64_t all = 0;
  {
    const std::lock_guard lock(mutex);
    all = refused;
  }
  outlet.lose(all - std::exchange(known_refused, all), "more came than can wait in memory");
}

// As soon as there are many, or the first has waited long enough; none when it is time to look at what waits.
std::vector<Recorder::Impl::Entry> Recorder::Impl::next_entries(const Outlet& outlet) {
  std::unique_lock lock(mutex);
  if (!outlet.has_more()) {
    const auto tick = outlet.waiting() > 0 ? kRetryTick : kTick;
    // At the end, too, what has just failed is not tried again without a pause.
    const bool again = outlet.waiting() > 0;
    wake.wait_for(lock, tick, [&] { return !queue.empty() || (stopping && !again); });
    if (!queue.empty()) wake.wait_for(lock, kAge, [&] { return stopping || settling > 0 || queue.size() >= kBatch; });
  }
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue.size(), kBatch));
  std::vector<Entry> entries(std::make_move_iterator(queue.begin()), std::make_move_iterator(queue.begin() + count));
  queue.erase(queue.begin(), queue.begin() + count);
  for (const auto& entry : entries) queued -= entry.octets;
  if (!entries.empty() && oldest == 0) oldest = entries.front().time;
  return entries;
}

void Recorder::Impl::render(const std::vector<Entry>& entries, Outlet& outlet) {
  for (const auto& entry : entries) {
    ++taken;
    try {
      Row row = entry.source->row();
      tidy(row);
      row.origin = origin;
      row.host = host;
      row.sequence = ++sequence;
      outlet.take(std::move(row));
    } catch (...) {
      outlet.lose(1, "there was no memory for them");
    }
  }
}

void Recorder::Impl::publish(const Outlet& outlet) {
  auto standing = outlet.standing();
  const std::lock_guard lock(mutex);
  if (abandoned) return;
  published = std::move(standing);
  published_refused = known_refused;
  octets = outlet.octets();
  oldest = outlet.oldest();
  finished = taken - outlet.waiting();
  changed.notify_all();
}

void Recorder::Impl::end(Outlet& outlet) {
  lose_refused(outlet);
  std::deque<Entry> left;
  {
    const std::lock_guard lock(mutex);
    left.swap(queue);
    queued = 0;
  }
  taken += left.size();
  outlet.lose(left.size(), "there was no time to write them");
  outlet.give_up();
  publish(outlet);
}

Recorder::Recorder(Options options, std::string host, const Clock& clock, Say say)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(host), clock, std::move(say))) {
  impl_->openers = openers_for(impl_->options, impl_->patience);
}

Recorder::Recorder(Options options, std::string host, const Clock& clock, Say say, Openers openers)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(host), clock, std::move(say))) {
  impl_->openers = std::move(openers);
}

Recorder::~Recorder() {
  stop(kAtTheEnd);
}

void Recorder::record(std::unique_ptr<const Source> source) noexcept {
  auto& impl = *impl_;
  const auto octets = source->octets();
  const std::lock_guard lock(impl.mutex);
  const bool full = impl.accepted - impl.finished >= kMostRows || impl.octets + impl.queued + octets >= kMostOctets;
  try {
    if (full || impl.stopping) {
      ++impl.refused;
      return;
    }
    impl.queue.push_back({std::move(source), impl.clock.unix_now() * 1'000'000, octets});
    impl.queued += octets;
    ++impl.accepted;
    if (impl.queue.size() == 1 || impl.queue.size() == kBatch) impl.wake.notify_one();
  } catch (...) {
    ++impl.refused;
  }
}

Result<void> Recorder::start() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->started) return {};
  try {
    impl_->thread = std::thread([impl = impl_] { impl->guarded_run(); });
  } catch (const std::system_error& error) {
    return failure(std::string("no thread can be had to write with: ") + error.what());
  }
  impl_->started = true;
  return {};
}

void Recorder::stop(milliseconds at_most) {
  auto& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  if (std::exchange(impl.stopping, true)) return;
  const auto is_over = [&impl] { return impl.ended || !impl.started; };
  impl.deadline = RealTime::now() + at_most;
  impl.wake.notify_all();
  if (!impl.changed.wait_until(lock, impl.deadline, is_over)) {
    impl.patience->milliseconds = 0;
    impl.changed.wait_for(lock, kGrace, is_over);
  }
  const bool hangs = !is_over();
  if (!impl.ended) {
    // What the thread may still do is not known here.
    impl.published.lost += impl.accepted - std::exchange(impl.finished, impl.accepted);
    impl.abandoned = true;
  }
  if (hangs) impl.thread.detach();
  lock.unlock();
  if (impl.thread.joinable()) impl.thread.join();
  const std::lock_guard quiet(impl.saying);
  impl.silent = true;
}

bool Recorder::settle(milliseconds at_most) {
  auto& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  const auto target = impl.accepted;
  ++impl.settling;
  impl.wake.notify_all();
  const bool settled = impl.changed.wait_for(lock, at_most, [&] { return impl.finished >= target; });
  --impl.settling;
  return settled;
}

Standing Recorder::standing() const {
  const auto& impl = *impl_;
  const auto now = impl.clock.unix_now() * 1'000'000;
  const std::lock_guard lock(impl.mutex);
  auto standing = impl.published;
  standing.lost += impl.refused - impl.published_refused;
  standing.waiting = impl.accepted - impl.finished;
  auto oldest = impl.oldest;
  if (!impl.queue.empty() && (oldest == 0 || impl.queue.front().time < oldest)) oldest = impl.queue.front().time;
  if (oldest != 0) standing.lag_us = std::max<std::int64_t>(0, now - oldest);
  return standing;
}

}  // namespace sesame::history
