#include "watch/watcher.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <stdlib.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

#include "watch/journal.h"
#include "sqlite/sqlite.h"

// How many threads there may be yet; any number where it is negative.
static std::atomic<int> threads_left = -1;

// The dynamic linker prefers this to the C library's, for the C++ library too.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
  if (threads_left == 0) return EAGAIN;
  if (threads_left > 0) --threads_left;
  using Original = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto original = reinterpret_cast<Original>(::dlsym(RTLD_NEXT, "pthread_create"));
  return original(thread, attributes, run, argument);
}

namespace sesame::watch {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Notice::Kind;

constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
constexpr std::int64_t kStart = 1'790'000'000;

class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(now_.load()));
  }
  std::int64_t unix_now() const override { return now_; }
  void advance(std::int64_t seconds) { now_ += seconds; }

 private:
  std::atomic<std::int64_t> now_ = kStart;
};

class Directory {
 public:
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "sesame-watch-XXXXXX";
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// What the watch said, from any thread.
class Lines {
 public:
  Say say() {
    return [this](Loudness, const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> with(const std::string& part) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& line : lines_)
      if (line.find(part) != std::string::npos) found.push_back(line);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

Subject subject_of(const std::string& domain) {
  Subject subject{domain, "", "us-east-1", domain, {}};
  for (const char* token : {"t1", "t2", "t3"})
    subject.records.push_back({Part::dkim,
                               fmt::format("{}._domainkey.{}", token, domain),
                               {dns::Type::cname, dns::Type::txt},
                               fmt::format("{}.dkim.amazonses.com", token)});
  subject.records.push_back({Part::zone, domain, {dns::Type::ns, dns::Type::soa}, ""});
  return subject;
}

// Four servers and the resolver, all of which say the same.
constexpr int kServers = 4;

struct World {
  const Clock& clock;
  std::function<Quality(const Record&, dns::Type, int server)> quality = [](const Record&, dns::Type, int) {
    return Quality::good;
  };
  bool silent = false;

  Look look(const Subject& subject) const {
    Look look;
    look.subject = subject;
    look.time = clock.unix_now();
    look.zones = {subject.domain};
    look.nothing_answers = silent;
    for (const auto& record : subject.records) {
      RecordLook found{record, {}};
      for (const auto type : record.types)
        for (int server = 0; server <= kServers; ++server) found.observations.push_back(observe(record, type, server));
      look.records.push_back(std::move(found));
    }
    return look;
  }

 private:
  // Server 0 is the resolver, which asks any of the others.
  Observation observe(const Record& record, dns::Type type, int server) const {
    Observation seen;
    seen.time = clock.unix_now();
    seen.part = record.part;
    seen.name = record.name;
    seen.type = type;
    if (server > 0) {
      seen.server = fmt::format("ns{}.example.net", server);
      seen.address = fmt::format("192.0.2.{}", server);
    }
    seen.quality = silent ? Quality::failing : quality(record, type, server);
    seen.answer = seen.quality == Quality::good     ? "as it should be"
                  : seen.quality == Quality::absent ? "NXDOMAIN"
                  : seen.quality == Quality::old    ? "serial 7, others have 9"
                  : silent                          ? "no answer in 3 s"
                                                    : "SERVFAIL";
    return seen;
  }
};

// The watch of some identities by hand: a look at each, then what is due is told.
class Hand {
 public:
  Hand(std::vector<Subject> subjects, Options options) : subjects_(std::move(subjects)), options_(std::move(options)) {
    begin();
  }

  void begin() {
    journal.reset();
    journal = std::make_unique<Journal>(options_, clock, lines.say());
    journal->keep_only(subjects_);
  }
  void round() {
    for (const auto& subject : subjects_) journal->take(world.look(subject));
    journal->step();
  }
  void rounds_for(std::int64_t seconds, std::int64_t interval = 10 * kMinute) {
    for (std::int64_t passed = 0; passed < seconds; passed += interval) {
      round();
      clock.advance(interval);
      journal->tick();
      journal->step();
    }
  }
  std::vector<Notice> notices() const {
    const auto memory = Memory::open(options_.memory, Memory::Access::read_only);
    if (!memory) return {};
    return (*memory)->notices("", 0).value_or(std::vector<Notice>{});
  }
  std::size_t count(Kind kind) const {
    const auto all = notices();
    return static_cast<std::size_t>(std::ranges::count(all, kind, &Notice::kind));
  }

  ManualClock clock;
  World world{clock};
  Lines lines;
  std::unique_ptr<Journal> journal;

 private:
  const std::vector<Subject> subjects_;
  const Options options_;
};

Options kept_in(const std::string& path) {
  Options options;
  options.interval = std::chrono::minutes(10);
  options.max_rate = 100'000;
  options.keep = std::chrono::hours(24 * 90);
  options.memory = path;
  return options;
}

auto missing() {
  return
      [](const Record& record, dns::Type, int) { return record.part == Part::dkim ? Quality::absent : Quality::good; };
}

// ses.md's clocks end to end: what is told when records are gone for `days`, and what predictions get to know.
struct Gone {
  std::vector<Notice> notices;
  ses::History during, after;
};

Gone gone_for(int days) {
  const Directory directory;
  Hand hand({subject_of("example.com")}, kept_in(directory.file("watch.sqlite")));
  ses::Identity identity;
  identity.name = "example.com";
  identity.region = "us-east-1";
  Gone gone;
  hand.rounds_for(kHour);
  const auto good = hand.world.quality;
  hand.world.quality = missing();
  hand.rounds_for(days * kDay);
  gone.during = hand.journal->ledger()->history_of(identity);
  hand.world.quality = good;
  hand.rounds_for(2 * kHour);
  gone.after = hand.journal->ledger()->history_of(identity);
  gone.notices = hand.notices();
  return gone;
}

std::vector<std::string> told(const std::vector<Notice>& notices, Kind kind) {
  std::vector<std::string> states;
  for (const auto& notice : notices)
    if (notice.kind == kind && !notice.changes.empty())
      states.push_back(fmt::format("{} {}", notice.changes.size(), to_string(notice.changes.front().after.state)));
  return states;
}

std::int64_t first_bad() {
  return kStart + kHour;
}

TEST(Watch, RecordsGoneForFourDaysAndRestored) {
  const auto gone = gone_for(4);
  // All records of an identity together, once for each state.
  EXPECT_THAT(told(gone.notices, Kind::change), ElementsAre("3 missing", "3 recovering", "3 healthy"));
  ASSERT_TRUE(gone.during.dkim_outage);
  EXPECT_EQ(gone.during.dkim_outage->first_bad, first_bad());
  EXPECT_EQ(gone.during.dkim_outage->missing_since, first_bad());
  EXPECT_FALSE(gone.during.dkim_outage->restored);
  ASSERT_TRUE(gone.after.dkim_outage);
  EXPECT_EQ(gone.after.dkim_outage->restored, first_bad() + 4 * kDay);
  // Before the fifth day SES cannot have revoked anything.
  const auto deadlines = [&] {
    std::set<std::int64_t> all;
    for (const auto& notice : gone.notices)
      if (notice.deadline && notice.deadline->kind == Deadline::Kind::revocation) all.insert(notice.deadline->earliest);
    return all;
  }();
  EXPECT_EQ(deadlines, std::set<std::int64_t>{first_bad() + 5 * kDay});
}

TEST(Watch, RecordsGoneForNineDaysAndRestored) {
  const auto gone = gone_for(9);
  EXPECT_THAT(told(gone.notices, Kind::change), ElementsAre("3 missing", "3 recovering", "3 healthy"));
  // Each point on SES's clocks is recalled, and none twice.
  std::set<std::string> titles;
  std::size_t reminders = 0;
  for (const auto& notice : gone.notices) {
    if (notice.kind != Kind::reminder) continue;
    ++reminders;
    titles.insert(fmt::format("{} {}", notice.time, notice.title));
  }
  EXPECT_EQ(titles.size(), reminders);
  EXPECT_GE(reminders, 3u);
  EXPECT_LE(reminders, 8u);
  ASSERT_TRUE(gone.after.dkim_outage);
  EXPECT_EQ(gone.after.dkim_outage->missing_since, first_bad());
  EXPECT_EQ(gone.after.dkim_outage->restored, first_bad() + 9 * kDay);
}

TEST(Watch, OneOfFourServersIsToldOnceByItsName) {
  const Directory directory;
  Hand hand({subject_of("example.com")}, kept_in(directory.file("watch.sqlite")));
  hand.rounds_for(kHour);
  hand.world.quality = [](const Record& record, dns::Type type, int server) {
    const bool fails = record.part == Part::dkim && type == dns::Type::txt && server == 2;
    return fails ? Quality::failing : Quality::good;
  };
  hand.rounds_for(kDay);
  const auto notices = hand.notices();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].changes.front().after.code, "dkim-records-flap");
  EXPECT_EQ(notices[0].changes.front().after.state, State::degraded);
  EXPECT_THAT(notices[0].text, AllOf(HasSubstr("ns2.example.net"), HasSubstr("192.0.2.2")));
  EXPECT_THAT(hand.lines.with("state: identity=example.com"), SizeIs(3));
}

TEST(Watch, AnOldSerialIsToldOnceByItsName) {
  const Directory directory;
  Hand hand({subject_of("example.com")}, kept_in(directory.file("watch.sqlite")));
  hand.rounds_for(kHour);
  hand.world.quality = [](const Record& record, dns::Type type, int server) {
    const bool behind = record.part == Part::zone && type == dns::Type::soa && server == 3;
    return behind ? Quality::old : Quality::good;
  };
  hand.rounds_for(kDay);
  const auto notices = hand.notices();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].changes.front().after.key.part, Part::zone);
  EXPECT_THAT(notices[0].text, AllOf(HasSubstr("ns3.example.net"), HasSubstr("serial 7")));
}

TEST(Watch, HoursWithoutAnyAnswerAreOneAlertHoweverManyIdentities) {
  const Directory directory;
  std::vector<Subject> subjects;
  for (int i = 0; i < 1000; ++i) subjects.push_back(subject_of(fmt::format("d{}.example", i)));
  Hand hand(subjects, kept_in(directory.file("watch.sqlite")));
  hand.rounds_for(10 * kMinute);
  hand.world.silent = true;
  hand.rounds_for(6 * kHour, kHour);
  ASSERT_THAT(hand.notices(), SizeIs(1));
  EXPECT_EQ(hand.count(Kind::silence), 1u);
  EXPECT_THAT(hand.lines.with("state: "), IsEmpty());
  for (const auto& state : hand.journal->ledger()->states()) ASSERT_EQ(state.state, State::healthy);
  hand.world.silent = false;
  hand.rounds_for(20 * kMinute);
  ASSERT_THAT(hand.notices(), SizeIs(2));
  EXPECT_EQ(hand.count(Kind::restored), 1u);
}

TEST(Watch, ARestartForgetsNoFaultAndRepeatsNoAlert) {
  const Directory directory;
  Hand hand({subject_of("example.com")}, kept_in(directory.file("watch.sqlite")));
  hand.rounds_for(kHour);
  hand.world.quality = missing();
  hand.rounds_for(kHour);
  ASSERT_THAT(hand.notices(), SizeIs(1));
  for (int i = 0; i < 5; ++i) {
    hand.begin();
    hand.rounds_for(kHour);
  }
  EXPECT_THAT(hand.notices(), SizeIs(1));
  const auto states = hand.journal->ledger()->states_of("", "example.com", "us-east-1");
  ASSERT_THAT(states, SizeIs(4));
  EXPECT_EQ(states[0].first_bad, first_bad());
}

TEST(Watch, WhatIsNoLongerWatchedIsForgottenByTheMemoryToo) {
  const Directory directory;
  const auto path = directory.file("watch.sqlite");
  Hand hand({subject_of("example.com"), subject_of("example.net")}, kept_in(path));
  hand.round();
  const auto kept = [&] {
    std::set<std::string> identities;
    const auto memory = Memory::open(path, Memory::Access::read_only);
    if (!memory) return identities;
    for (const auto& state : (*memory)->states().value_or(std::vector<RecordState>{}))
      identities.insert(state.key.identity);
    return identities;
  };
  EXPECT_THAT(kept(), ElementsAre("example.com", "example.net"));
  const std::vector left = {subject_of("example.net")};
  hand.journal->keep_only(left);
  hand.journal->tick();
  EXPECT_THAT(kept(), ElementsAre("example.net"));
  // A look that was under way.
  hand.journal->take(hand.world.look(subject_of("example.com")));
  EXPECT_THAT(kept(), ElementsAre("example.net"));
  EXPECT_THAT(hand.journal->ledger()->states_of("", "example.com", "us-east-1"), IsEmpty());
}

TEST(Watch, AMemoryThatDoesNotWorkIsToldOnceAndAgainWhenItDoes) {
  const Directory directory;
  const auto place = directory.file("later");
  Hand hand({subject_of("example.com")}, kept_in(place + "/watch.sqlite"));
  hand.rounds_for(kHour);
  EXPECT_THAT(hand.lines.with("is not kept for now"), SizeIs(1));
  EXPECT_THAT(hand.journal->ledger()->states(), SizeIs(4));
  std::filesystem::create_directory(place);
  hand.rounds_for(kHour);
  EXPECT_THAT(hand.lines.with("is not kept for now"), SizeIs(1));
  EXPECT_THAT(hand.lines.with("is kept again"), SizeIs(1));
  const auto memory = Memory::open(place + "/watch.sqlite", Memory::Access::read_only);
  ASSERT_TRUE(memory);
  EXPECT_THAT((*memory)->states().value(), SizeIs(4));
}

TEST(Watch, OfTwoWithOneMemoryOneAlerts) {
  const Directory directory;
  const auto options = kept_in(directory.file("watch.sqlite"));
  auto first = std::make_unique<Hand>(std::vector{subject_of("example.com")}, options);
  Hand second({subject_of("example.com")}, options);
  first->world.quality = second.world.quality = missing();
  EXPECT_THAT(second.lines.with("another watch keeps"), SizeIs(1));
  for (int i = 0; i < 3; ++i) {
    first->rounds_for(10 * kMinute);
    second.rounds_for(10 * kMinute);
  }
  EXPECT_THAT(second.notices(), SizeIs(1));
  EXPECT_THAT(second.lines.with("alert"), SizeIs(1)) << "the one that says who alerts";
  EXPECT_THAT(second.lines.with("another watch keeps"), SizeIs(1));
  // Predictions draw on each.
  EXPECT_THAT(second.journal->ledger()->states(), SizeIs(4));
  const auto runs = [&] {
    const auto memory = Memory::open(options.memory, Memory::Access::read_only);
    std::size_t most = 0;
    if (memory)
      for (const auto& run : (*memory)->runs("example.com", 0).value_or(std::vector<watch::Run>{}))
        most = std::max(most, run.count);
    return most;
  };
  EXPECT_EQ(runs(), 3u);
  // It takes over, from where the other was.
  first.reset();
  second.rounds_for(kHour);
  EXPECT_THAT(second.lines.with("let go of"), SizeIs(1));
  EXPECT_THAT(second.notices(), SizeIs(1));
  EXPECT_GT(runs(), 3u);
  second.world.quality = World{second.clock}.quality;
  second.rounds_for(kHour);
  EXPECT_THAT(told(second.notices(), Kind::change), ElementsAre("3 missing", "3 recovering", "3 healthy"));
}

TEST(Watch, ThatNothingHasEverAnsweredIsToldOnce) {
  const Directory directory;
  Hand hand({subject_of("example.com")}, kept_in(directory.file("watch.sqlite")));
  hand.world.silent = true;
  for (int i = 0; i < 3; ++i) {
    hand.rounds_for(kHour);
    hand.begin();
  }
  hand.rounds_for(kHour);
  EXPECT_EQ(hand.count(Kind::silence), 1u);
  EXPECT_THAT(hand.notices(), SizeIs(1));
}

TEST(Watch, ThatNothingHasEverAnsweredIsToldOnceWithoutAMemoryToo) {
  const ManualClock clock;
  Lines lines;
  Notice told_once;
  told_once.kind = Kind::silence;
  told_once.time = kStart - kHour;
  Journal journal(kept_in(""), clock, lines.say());
  journal.restore({{}, {told_once}});
  EXPECT_THAT(journal.past().notices, SizeIs(1));
}

TEST(Watch, TakesOverWhatIsConfirmed) {
  const Directory directory;
  const auto path = directory.file("watch.sqlite");
  Hand hand({subject_of("example.com")}, kept_in(path));
  const auto good = hand.world.quality;
  hand.world.quality = missing();
  hand.rounds_for(9 * kDay);
  hand.world.quality = good;
  hand.rounds_for(kHour);
  ses::Identity identity;
  identity.name = "example.com";
  identity.region = "us-east-1";
  const auto outage = [&] { return hand.journal->ledger()->history_of(identity).dkim_outage; };
  ASSERT_TRUE(outage());
  {
    const auto memory = Memory::open(path, Memory::Access::read_write);
    ASSERT_TRUE(memory);
    ASSERT_TRUE(
        (*memory)->record(Silence{"", "example.com", "us-east-1", Silence::Kind::confirmed, hand.clock.unix_now(), 0}));
  }
  hand.clock.advance(10);
  hand.journal->tick();
  EXPECT_FALSE(outage());
  EXPECT_THAT(hand.lines.with("confirmed: identity=example.com"), SizeIs(1));
  const auto alerts = hand.notices().size();
  hand.rounds_for(kHour);
  hand.begin();
  hand.rounds_for(kHour);
  EXPECT_FALSE(outage());
  EXPECT_THAT(hand.lines.with("confirmed: "), SizeIs(1));
  EXPECT_EQ(hand.notices().size(), alerts);
}

TEST(Watch, ARestartKnowsTheZonesAgain) {
  const Directory directory;
  const auto subject = subject_of("example.com");
  Hand hand({subject}, kept_in(directory.file("watch.sqlite")));
  auto look = hand.world.look(subject);
  look.bogus_zone = "example.com";
  hand.journal->take(look);
  hand.begin();
  ses::Identity identity;
  identity.name = "example.com";
  identity.region = "us-east-1";
  EXPECT_EQ(hand.journal->ledger()->history_of(identity).bogus_zone, "example.com");
}

TEST(Watch, AMemoryThatWasDeletedIsToldAndBegunAnew) {
  const Directory directory;
  const auto path = directory.file("watch.sqlite");
  Hand hand({subject_of("example.com")}, kept_in(path));
  hand.rounds_for(kHour);
  std::filesystem::remove(path);
  hand.rounds_for(kHour);
  EXPECT_THAT(hand.lines.with("was deleted or replaced"), SizeIs(1));
  const auto memory = Memory::open(path, Memory::Access::read_only);
  ASSERT_TRUE(memory);
  EXPECT_THAT((*memory)->states().value(), SizeIs(4));
}

// Another process that writes, and takes its time.
class Locked {
 public:
  explicit Locked(const std::string& path) {
    auto opened =
        sqlite::Connection::open(path, sqlite::Connection::Access::read_write, std::make_shared<sqlite::Patience>());
    if (opened) connection_ = *std::move(opened);
    EXPECT_TRUE(connection_ && connection_->execute("BEGIN EXCLUSIVE"));
  }

 private:
  std::unique_ptr<sqlite::Connection> connection_;
};

TEST(Watch, WhatIsThereIsReadThoughAnotherHasItLocked) {
  const Directory directory;
  const auto path = directory.file("watch.sqlite");
  Hand hand({subject_of("example.com")}, kept_in(path));
  hand.round();
  const Locked locked(path);
  hand.begin();
  EXPECT_THAT(hand.lines.with("is not kept for now"), IsEmpty());
  EXPECT_THAT(hand.journal->ledger()->states(), SizeIs(4));
}

// The threads.

// Waits a while for what other threads bring about.
template <class Condition>
bool comes_true(Condition&& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

TEST(Watch, WhoeverHasTheMemoryLockedHoldsUpNoReload) {
  const Directory directory;
  const auto path = directory.file("watch.sqlite");
  const auto subject = subject_of("example.com");
  Hand hand({subject}, kept_in(path));
  hand.round();
  const Locked locked(path);
  hand.clock.advance(kMinute);
  std::atomic<bool> ended = false;
  std::thread writes([&] {
    hand.journal->take(hand.world.look(subject));
    ended = true;
  });
  const auto is_taken = [&] {
    const auto states = hand.journal->ledger()->states();
    return !states.empty() && states.front().checked == hand.clock.unix_now();
  };
  EXPECT_TRUE(comes_true(is_taken));
  const std::vector left = {subject_of("example.net")};
  hand.journal->keep_only(left);
  EXPECT_FALSE(ended);
  hand.journal->hurry();
  writes.join();
}

// How often each identity was looked at.
class Seen {
 public:
  void add(const std::string& identity) {
    const std::lock_guard lock(mutex_);
    ++counts_[identity];
  }
  int count(const std::string& identity) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(identity);
    return found == counts_.end() ? 0 : found->second;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return counts_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
};

struct Threads {
  Lines lines;
  World world{system_clock()};
  Seen seen;

  Watcher::LookAt look_at() {
    return [this](const Subject& subject) {
      seen.add(subject.identity);
      return world.look(subject);
    };
  }
};

std::vector<Subject> subjects(int count) {
  std::vector<Subject> all;
  for (int i = 0; i < count; ++i) all.push_back(subject_of(fmt::format("d{}.example", i)));
  return all;
}

Options each_second() {
  auto options = kept_in("");
  options.interval = std::chrono::seconds(1);
  return options;
}

TEST(Watcher, LooksAtAllAgainAndAgainAndPredictionsGetToKnow) {
  Threads test;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch(subjects(20), test.look_at());
  ASSERT_TRUE(watcher.start());
  EXPECT_TRUE(comes_true([&] {
    for (int i = 0; i < 20; ++i)
      if (test.seen.count(fmt::format("d{}.example", i)) < 2) return false;
    return true;
  }));
  watcher.stop();
  EXPECT_THAT(watcher.ledger()->states(), SizeIs(80));
}

TEST(Watcher, FollowsAReload) {
  Threads test;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch({subject_of("old.example"), subject_of("kept.example")}, test.look_at());
  ASSERT_TRUE(watcher.start());
  ASSERT_TRUE(comes_true([&] { return test.seen.count("old.example") > 0 && test.seen.count("kept.example") > 0; }));
  watcher.watch({subject_of("kept.example"), subject_of("new.example")}, test.look_at());
  EXPECT_EQ(watcher.size(), 2u);
  const int old_looks = test.seen.count("old.example"), kept_looks = test.seen.count("kept.example");
  EXPECT_TRUE(comes_true(
      [&] { return test.seen.count("new.example") > 1 && test.seen.count("kept.example") > kept_looks + 1; }));
  EXPECT_LE(test.seen.count("old.example"), old_looks + 1);  // one may have been on its way
  watcher.stop();
  EXPECT_THAT(watcher.ledger()->states_of("", "old.example", "us-east-1"), IsEmpty());
}

TEST(Watcher, NoMoreThanAFewLooksAtOnce) {
  Threads test;
  std::atomic<int> now = 0, most = 0;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch(subjects(100), [&](const Subject& subject) {
    const int running = ++now;
    for (int before = most; running > before && !most.compare_exchange_weak(before, running);) continue;
    std::this_thread::sleep_for(milliseconds(5));
    --now;
    test.seen.add(subject.identity);
    return test.world.look(subject);
  });
  ASSERT_TRUE(watcher.start());
  EXPECT_TRUE(comes_true([&] { return test.seen.size() == 100; }));
  watcher.stop();
  EXPECT_LE(most, 8);
  EXPECT_GE(most, 2);
}

TEST(Watcher, StopsThoughALookHangsAndNothingComesOfItThen) {
  struct Hanging {
    std::latch release{1};
    std::atomic<bool> began = false, ended = false;
  };
  const auto hanging = std::make_shared<Hanging>();
  Threads test;
  auto watcher = std::make_unique<Watcher>(each_second(), system_clock(), test.lines.say());
  watcher->watch(subjects(1), [hanging](const Subject& subject) {
    hanging->began = true;
    for (int i = 0; i < 6000 && !hanging->release.try_wait(); ++i) std::this_thread::sleep_for(milliseconds(5));
    auto look = World{system_clock()}.look(subject);
    hanging->ended = true;
    return look;
  });
  ASSERT_TRUE(watcher->start());
  ASSERT_TRUE(comes_true([&] { return hanging->began.load(); }));
  const auto ledger = watcher->ledger();
  watcher->stop();
  EXPECT_FALSE(hanging->ended);
  watcher.reset();
  hanging->release.count_down();
  EXPECT_TRUE(comes_true([&] { return hanging->ended && hanging.use_count() == 1; }));
  EXPECT_THAT(ledger->states(), IsEmpty());
}

TEST(Watcher, EndsWithoutHavingBegun) {
  Threads test;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch(subjects(3), test.look_at());
  watcher.stop();
  watcher.stop();
  EXPECT_EQ(test.seen.size(), 0u);
}

TEST(Watcher, OneLookAtEachInOrder) {
  Threads test;
  auto options = kept_in("");
  options.interval = {};
  Watcher watcher(options, system_clock(), test.lines.say());
  watcher.watch(subjects(30), test.look_at());
  const auto looks = watcher.look_once();
  ASSERT_THAT(looks, SizeIs(30));
  std::vector<std::string> order;
  for (const auto& look : looks) {
    order.push_back(look.subject.identity);
    EXPECT_EQ(test.seen.count(look.subject.identity), 1);
  }
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_THAT(watcher.ledger()->states(), SizeIs(120));
  watcher.watch({}, test.look_at());
  EXPECT_THAT(watcher.look_once(), IsEmpty());
}

TEST(Watcher, TheNextKnowsWhatTheOneBeforeTold) {
  Threads test;
  test.world.quality = missing();
  auto first = std::make_unique<Watcher>(each_second(), system_clock(), test.lines.say());
  first->watch(subjects(1), test.look_at());
  first->look_once();
  first->tell();
  const auto told_once = test.lines.with("state: ").size();
  EXPECT_EQ(told_once, 3u);
  auto past = first->past();
  EXPECT_THAT(past.states, SizeIs(4));
  EXPECT_THAT(past.notices, SizeIs(1));
  first.reset();
  Watcher second(each_second(), system_clock(), test.lines.say(), std::move(past));
  second.watch(subjects(1), test.look_at());
  second.look_once();
  second.tell();
  EXPECT_THAT(second.past().notices, SizeIs(1));
  EXPECT_EQ(test.lines.with("state: ").size(), told_once);
}

TEST(Watcher, EndsThoughAnotherHasTheMemoryLocked) {
  const Directory directory;
  Threads test;
  auto options = each_second();
  options.memory = directory.file("watch.sqlite");
  Watcher watcher(options, system_clock(), test.lines.say());
  watcher.watch(subjects(20), test.look_at());
  ASSERT_TRUE(watcher.start());
  EXPECT_TRUE(comes_true([&] { return test.seen.size() == 20; }));
  const Locked locked(options.memory);
  // All threads wait for it.
  EXPECT_TRUE(comes_true([&] { return !test.lines.with("is not kept for now").empty(); }));
  std::atomic<bool> ended = false;
  std::thread stops([&] {
    watcher.stop();
    ended = true;
  });
  EXPECT_TRUE(comes_true([&] { return ended.load(); }));
  stops.join();
}

TEST(Watcher, GoesOnThoughALookThrows) {
  Threads test;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch(subjects(2), [&](const Subject& subject) {
    test.seen.add(subject.identity);
    if (subject.identity == "d0.example") throw std::bad_alloc();
    return test.world.look(subject);
  });
  ASSERT_TRUE(watcher.start());
  EXPECT_TRUE(comes_true([&] { return test.seen.count("d0.example") >= 3 && test.seen.count("d1.example") >= 3; }));
  watcher.stop();
  EXPECT_THAT(test.lines.with("an error inside"), SizeIs(1));
}

TEST(Watcher, ThatNoThreadsCanBeHadIsAnErrorAndNoMore) {
  for (int had = 0; had <= 9; ++had) {
    Threads test;
    Watcher watcher(each_second(), system_clock(), test.lines.say());
    watcher.watch(subjects(3), test.look_at());
    threads_left = had;
    const auto started = watcher.start();
    threads_left = -1;
    ASSERT_FALSE(started) << had;
    EXPECT_THAT(started.error().message, HasSubstr("no thread can be started"));
  }
}

TEST(Watcher, LooksOnceWithTheOnlyThreadThereIs) {
  Threads test;
  Watcher watcher(each_second(), system_clock(), test.lines.say());
  watcher.watch(subjects(3), test.look_at());
  threads_left = 0;
  const auto looks = watcher.look_once();
  threads_left = -1;
  EXPECT_THAT(looks, SizeIs(3));
}

}  // namespace
}  // namespace sesame::watch
