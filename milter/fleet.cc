#include "milter/fleet.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "history/fleet.h"
#include "watch/exchange.h"

namespace sesame::milter {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStep{5};       // so often the lock is looked at
constexpr std::chrono::seconds kExchange{30};  // so often what was found is told, and heard
// What many identities come to is told less often.
constexpr std::size_t kMuch = std::size_t{4} << 20;  // octets
constexpr std::chrono::seconds kExchangeMuch{300};

}  // namespace

// Outlives the fleet until the database has answered.
struct Fleet::Talk {
  Talk(Log& its_log, std::string its_url) : log(its_log), url(std::move(its_url)) {}

  Log& log;  // the daemon's
  const std::string url;

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  bool over = false;  // from then on nothing is logged
  Role role = Role::asks;
  SteadyClock::time_point next_tell{};
  std::optional<watch::Past> heard, found;

  // Of the thread.
  std::unique_ptr<history::Fleet> fleet;
  bool held = false;
  SteadyClock::time_point next_read{};
  std::string last_text, trouble;

  void run() noexcept;
  void step();
  Result<void> turn();
  Result<void> read();
  Result<void> publish();
  void become(Role next);
  void say(Level level, const std::string& text);
};

void Fleet::Talk::run() noexcept {
  try {
    while (true) {
      step();
      std::unique_lock lock(mutex);
      wake.wait_for(lock, kStep, [this] { return over; });
      if (over) break;
    }
  } catch (...) {
    // Memory is short. The host goes on as it is.
  }
  fleet.reset();
}

void Fleet::Talk::step() {
  const auto done = turn();
  if (done) {
    if (!std::exchange(trouble, "").empty()) say(Level::info, "the hosts are in touch again");
    return;
  }
  fleet.reset();
  if (trouble.empty()) say(Level::warning, "the other hosts cannot be asked: " + done.error().message);
  trouble = done.error().message;
  // Who looks goes on; who listens keeps what it knows; who never knew looks for itself.
  const bool never = [this] {
    const std::lock_guard lock(mutex);
    return role == Role::asks;
  }();
  if (never) become(Role::looks);
}

Result<void> Fleet::Talk::turn() {
  if (!fleet) {
    auto joined = history::join_fleet(url);
    if (!joined) return tl::unexpected(joined.error());
    fleet = *std::move(joined);
    held = false;
    next_read = {};
  }
  const auto holds = fleet->hold();
  if (!holds) return tl::unexpected(holds.error());
  const bool begins = *holds && !std::exchange(held, *holds);
  if (begins) next_read = {};
  // What the one before has found comes first.
  if (begins || !held)
    if (auto done = read(); !done) return done;
  become(held ? Role::looks : Role::listens);
  return held ? publish() : Result<void>{};
}

Result<void> Fleet::Talk::read() {
  const auto now = SteadyClock::now();
  if (now < next_read) return {};
  const auto text = fleet->read();
  if (!text) return tl::unexpected(text.error());
  next_read = now + kExchange;
  if (text->empty() || *text == last_text) return {};
  last_text = *text;
  auto past = watch::parse_past(*text);
  if (!past) {
    say(Level::warning, "what the host that looks has found cannot be read: it runs another version");
    return {};
  }
  const std::lock_guard lock(mutex);
  heard = *std::move(past);
  return {};
}

Result<void> Fleet::Talk::publish() {
  std::optional<watch::Past> ready;
  {
    const std::lock_guard lock(mutex);
    ready.swap(found);
  }
  if (!ready) return {};
  const auto text = watch::text_of(*ready);
  auto done = fleet->publish(text);
  const std::lock_guard lock(mutex);
  next_tell = SteadyClock::now() + (text.size() > kMuch ? kExchangeMuch : kExchange);
  return done;
}

void Fleet::Talk::become(Role next) {
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(role, next) == next) return;
    next_tell = {};
  }
  say(Level::info, next == Role::looks ? "this host looks at the records, and alerts, for all that share the history"
                                       : "another host looks at the records: this one takes over what it finds");
}

void Fleet::Talk::say(Level level, const std::string& text) {
  const std::lock_guard lock(mutex);
  if (!over) log.line(level, "watch: " + text);
}

void Fleet::join(const std::string& url) {
  if (url == url_) return;
  leave();
  url_ = url;
  if (url.empty()) return;
  auto talk = std::make_shared<Talk>(log_, url);
  try {
    std::thread([talk] { talk->run(); }).detach();
    talk_ = std::move(talk);
  } catch (const std::system_error& error) {
    log_.line(Level::error, std::string("watch: no thread to ask the other hosts with: ") + error.what());
  }
}

void Fleet::leave() {
  url_.clear();
  const auto talk = std::exchange(talk_, nullptr);
  if (!talk) return;
  const std::lock_guard lock(talk->mutex);
  talk->over = true;
  talk->wake.notify_all();
}

Fleet::Role Fleet::role() const {
  if (!talk_) return Role::looks;
  const std::lock_guard lock(talk_->mutex);
  return talk_->role;
}

std::optional<watch::Past> Fleet::news() {
  if (!talk_) return std::nullopt;
  const std::lock_guard lock(talk_->mutex);
  return std::exchange(talk_->heard, std::nullopt);
}

bool Fleet::wants() const {
  if (!talk_) return false;
  const std::lock_guard lock(talk_->mutex);
  return talk_->role == Role::looks && !talk_->found && SteadyClock::now() >= talk_->next_tell;
}

void Fleet::tell(watch::Past found) {
  if (!talk_) return;
  const std::lock_guard lock(talk_->mutex);
  talk_->found = std::move(found);
}

}  // namespace sesame::milter
