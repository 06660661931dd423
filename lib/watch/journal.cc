#include "watch/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "util/file.h"
#include "watch/due.h"

namespace sesame::watch {
namespace {

constexpr std::int64_t kOpenAgain = 60;    // seconds between two tries to open a memory
constexpr std::int64_t kReadSilences = 5;  // seconds; people wait for it
constexpr std::int64_t kPrune = 86400;     // seconds
constexpr std::size_t kMaxTold = 1000;
// At the start, when others wait for what begins. What cannot be opened so soon is tried again.
constexpr int kImpatience = 200;  // milliseconds

std::set<RecordKey> keys_of(const std::vector<RecordState>& states) {
  std::set<RecordKey> keys;
  for (const auto& state : states) keys.insert(state.key);
  return keys;
}

// Of what goes to the log; alerts have lines of their own.
std::string line_of(const Change& change) {
  const auto& key = change.after.key;
  auto line = fmt::format("state: identity={} region={} name={} record=\"{}\" from={} to={}", key.identity, key.region,
                          key.name, to_string(key.part), to_string(change.before.state), to_string(change.after.state));
  if (!key.account.empty()) line += " account=" + key.account;
  if (!change.after.code.empty()) line += " finding=" + change.after.code;
  if (!change.after.reason.empty()) line += " why=\"" + change.after.reason + "\"";
  return line;
}

}  // namespace

// The memory, whether it works or not. Thread-safe.
class Journal::Keeping {
 public:
  Keeping(std::string path, std::function<void(Loudness, const std::string&)> say)
      : path_(std::move(path)), say_(std::move(say)) {}

  enum class Opened { no, now, after_another };
  Opened open() {
    if (path_.empty()) return Opened::no;
    return file_.with([this](File& file) {
      let_go_of_what_moved(file);
      if (file.memory || !take_lock(file)) return Opened::no;
      auto opened = Memory::open(path_, Memory::Access::read_write, patience_);
      if (!judge(file, opened)) return Opened::no;
      file.memory = *std::move(opened);
      return std::exchange(file.followed, false) ? Opened::after_another : Opened::now;
    });
  }

  // Does another watch keep it?
  bool is_elsewhere() const { return elsewhere_; }

  // Returns how long was waited before.
  int wait_at_most(int milliseconds) { return patience_->milliseconds.exchange(milliseconds); }

  // The result of `use`, called with the memory; nothing when that does not work.
  template <class Use>
  auto with(Use&& use) -> decltype(use(std::declval<Memory&>())) {
    using Outcome = decltype(use(std::declval<Memory&>()));
    return file_.with([&](File& file) -> Outcome {
      if (!file.memory) return failure("");
      auto outcome = use(*file.memory);
      judge(file, outcome);
      return outcome;
    });
  }

  void close() {
    file_.with([](File& file) {
      file.memory.reset();
      file.lock.reset();
    });
  }

 private:
  struct File {
    std::optional<FileLock> lock;
    std::unique_ptr<Memory> memory;
    bool broken = false;
    bool followed = false;  // it was elsewhere since it was open here
  };

  // What is written to a file that no path leads to is lost with it.
  void let_go_of_what_moved(File& file) {
    if (!file.memory || !file.memory->has_moved()) return;
    say_(Loudness::error, path_ + " was deleted or replaced: what it held is lost to this watch, which opens it anew");
    file.memory.reset();
    file.lock.reset();
  }

  bool take_lock(File& file) {
    if (file.lock) return true;
    auto lock = FileLock::take(lock_path(path_));
    // Told as an error of the memory: nobody else is known to keep it.
    if (!lock) {
      elsewhere_ = false;
      return judge(file, lock);
    }
    if (!*lock) {
      if (!elsewhere_)
        say_(Loudness::warning, "another watch keeps " + path_ + ": it alerts, and this one does not while it does");
      elsewhere_ = file.followed = true;
      return false;
    }
    if (elsewhere_) say_(Loudness::info, "the other watch has let go of " + path_ + ": this one keeps it, and alerts");
    elsewhere_ = false;
    file.lock.emplace(std::move(**lock));
    return true;
  }

  template <class Outcome>
  bool judge(File& file, const Outcome& outcome) {
    // What comes to nothing in the end, as nobody is waited for, says nothing of the memory.
    if (!outcome && !file.broken && patience_->milliseconds > 0)
      say_(Loudness::error, "what is observed is not kept for now: " + outcome.error().message);
    if (outcome && file.broken) say_(Loudness::info, "what is observed is kept again in " + path_);
    file.broken = !outcome;
    return outcome.has_value();
  }

  const std::string path_;
  const std::function<void(Loudness, const std::string&)> say_;
  const std::shared_ptr<sqlite::Patience> patience_ = std::make_shared<sqlite::Patience>();
  std::atomic<bool> elsewhere_ = false;
  Guarded<File> file_;
};

Journal::Journal(const Options& options, const Clock& clock, Say say)
    : options_(options), clock_(clock), say_(std::move(say)) {
  const auto talk = [this](Loudness loudness, const std::string& line) { this->say(loudness, line); };
  // What nobody remembers to have been told is told again by the next run.
  const auto told = [this](const Notice& notice) {
    keeping_->with([&](Memory& memory) { return memory.record(notice); });
    remember({notice});
  };
  keeping_ = std::make_unique<Keeping>(options.memory, talk);
  const int patience = keeping_->wait_at_most(kImpatience);
  keeping_->open();
  auto notifier = Notifier::make(options.alerts, clock, talk, told);
  if (!notifier) talk(Loudness::error, "alerts go to the log alone: " + notifier.error().message);
  notifier_ = notifier ? *std::move(notifier)
                       : std::make_unique<Notifier>(std::vector<std::unique_ptr<Channel>>{}, options.alerts.reminders,
                                                    clock, talk, told);
  read_memory();
  keeping_->wait_at_most(patience);
}

Journal::~Journal() {
  stop();
}

void Journal::read_memory() {
  const auto states = keeping_->with([](Memory& memory) { return memory.states(); });
  if (!states) return;
  read_silences();
  const auto notices = keeping_->with([](Memory& memory) { return memory.notices("", 0); });
  const auto sights = keeping_->with([](Memory& memory) { return memory.sights(""); });
  if (!states->empty()) ledger_->restore(*states, sights ? *sights : std::vector<Sight>{}, clock_.unix_now());
  if (notices) remember(*notices);
  // Where nothing has ever answered there are no states, and that was told.
  notifier_->restore(*states, notices ? *notices : std::vector<Notice>{});
}

void Journal::read_silences() {
  auto silences = keeping_->with([](const Memory& memory) { return memory.silences(); });
  if (!silences) return;
  for (const auto& each : *silences) {
    if (each.kind != Silence::Kind::confirmed) continue;
    if (ledger_->confirm(each.account, each.identity, each.region, each.made))
      say(Loudness::info, fmt::format("confirmed: identity={} region={}{}", each.identity, each.region,
                                      each.account.empty() ? "" : " account=" + each.account));
  }
  notifier_->set_silences(*std::move(silences));
}

void Journal::catch_up() {
  const auto opened = keeping_->open();
  if (opened == Keeping::Opened::no) return;
  std::unique_lock lock(looks_);
  if (stopped_) return;
  // What another watch kept goes further back than what was seen here meanwhile.
  if (opened == Keeping::Opened::now && !ledger_->states().empty()) return;
  read_memory();
  const auto subjects = subjects_;
  lock.unlock();
  if (!subjects.empty()) keep_only(subjects);
}

void Journal::restore(Past past) {
  std::map<RecordKey, RecordState> newest;
  for (auto& state : ledger_->states()) newest.emplace(state.key, std::move(state));
  bool newer = newest.empty();
  for (auto& state : past.states) {
    const auto [place, fresh] = newest.try_emplace(state.key, state);
    const bool later = !fresh && place->second.checked < state.checked;
    if (later) place->second = std::move(state);
    newer = newer || fresh || later;
  }
  remember(past.notices);
  if (!newer) return;
  std::vector<RecordState> states;
  for (auto& [key, state] : newest) states.push_back(std::move(state));
  notifier_->restore(states, told_.with([](const auto& told) { return std::vector(told.begin(), told.end()); }));
  auto sights = ledger_->sights();
  sights.insert(sights.end(), past.sights.begin(), past.sights.end());
  ledger_->restore(std::move(states), sights, clock_.unix_now());
}

Past Journal::past() const {
  auto notices = told_.with([](const auto& told) { return std::vector<Notice>(told.begin(), told.end()); });
  return {ledger_->states(), std::move(notices), ledger_->sights()};
}

void Journal::remember(const std::vector<Notice>& notices) {
  told_.with([&notices](auto& told) {
    for (const auto& notice : notices) {
      const auto is_same = [&notice](const Notice& other) {
        return other.time == notice.time && other.kind == notice.kind && other.title == notice.title;
      };
      if (std::ranges::none_of(told, is_same)) told.push_back(notice);
    }
    std::ranges::stable_sort(told, {}, &Notice::time);
    while (told.size() > kMaxTold) told.pop_front();
  });
}

void Journal::keep_only(std::span<const Subject> subjects) {
  const std::lock_guard lock(looks_);
  subjects_.assign(subjects.begin(), subjects.end());
  watched_.clear();
  for (const auto& subject : subjects) watched_.insert(turn_of(subject));
  auto gone = keys_of(ledger_->states());
  ledger_->keep_only(subjects);
  for (const auto& state : ledger_->states()) gone.erase(state.key);
  notifier_->keep_only(subjects);
  if (gone.empty()) return;
  // Whoever calls this has no time for it.
  waiting_.with([&gone](auto& waiting) {
    waiting.push_back([keys = std::vector<RecordKey>(gone.begin(), gone.end())](Memory& memory) {
      return memory.forget_states(keys);
    });
  });
}

void Journal::take(const Look& look) {
  std::unique_lock lock(looks_);
  // Nobody may wait for it any more.
  if (stopped_ || !watched_.contains(turn_of(look.subject))) return;
  const auto changes = ledger_->take(look);
  const auto states = ledger_->states_of(look.subject.account, look.subject.identity, look.subject.region);
  waiting_.with([&](auto& waiting) {
    waiting.push_back([look, states, changes](Memory& memory) { return memory.record(look, states, changes); });
  });
  if (!keeping_->is_elsewhere()) notifier_->take(look, states);
  for (const auto& change : changes) say(Loudness::info, line_of(change));
  lock.unlock();
  write();
}

void Journal::write() {
  const std::lock_guard lock(writes_);
  const auto next = [this] {
    return waiting_.with([](auto& waiting) -> Writing {
      if (waiting.empty()) return {};
      auto first = std::move(waiting.front());
      waiting.pop_front();
      return first;
    });
  };
  while (const auto writing = next()) keeping_->with(writing);
}

void Journal::tick() {
  const auto now = clock_.unix_now();
  const auto is_time = [&](std::int64_t& next, std::int64_t period) {
    if (is_yet_to_come(next, now, period)) return false;
    next = now + period;
    return true;
  };
  write();
  if (is_time(next_open_, kOpenAgain)) catch_up();
  if (is_time(next_silences_, kReadSilences)) read_silences();
  if (is_time(next_prune_, kPrune))
    keeping_->with([&](Memory& memory) { return memory.prune(now - options_.keep.count()); });
}

Result<void> Journal::start() {
  return notifier_->start();
}

void Journal::hurry() {
  keeping_->wait_at_most(0);
  notifier_->hurry();
}

void Journal::step() {
  notifier_->step();
}

void Journal::stop() {
  hurry();
  {
    const std::lock_guard lock(looks_);
    if (stopped_) return;
    stopped_ = true;
  }
  notifier_->stop();
  write();
  keeping_->close();
}

void Journal::say(Loudness loudness, const std::string& line) {
  if (say_) say_(loudness, "watch: " + line);
}

}  // namespace sesame::watch
