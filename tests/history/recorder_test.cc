// The recorder with its thread: nothing makes a message wait, and what is recorded is written.
#include "history/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <mutex>
#include <new>
#include <thread>

#include "history/recorder_outlet.h"
#include "history_case.h"
#include "sqlite/sqlite.h"

namespace sesame::test {

using history::Recorder;
using history::Source;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace {

constexpr minutes kLong{5};

struct Made final : Source {
  explicit Made(std::int64_t number) : n(number) {}
  history::Row row() const override { return row_of(n); }
  std::size_t octets() const override { return size; }
  std::int64_t n;
  std::size_t size = 4096;
};

struct Failing final : Source {
  history::Row row() const override { throw std::bad_alloc(); }
  std::size_t octets() const override { return 0; }
};

struct Recorded {
  Recorded() { begin(); }
  explicit Recorded(const std::string& directory) : path(directory + "/history.sqlite") { begin(); }
  void begin() {
    history::Options options;
    options.store = path;
    options.keep = std::chrono::seconds(86400);
    options.max_size = 1'000'000'000;
    recorder = std::make_unique<Recorder>(options, "mx1.example.com", clock, say);
  }
  void start() { expect_done(recorder->start()); }
  void record(std::int64_t first, std::int64_t count) {
    for (auto n = first; n < first + count; ++n) recorder->record(std::make_unique<Made>(n));
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex);
    return said;
  }
  std::int64_t messages() const { return number_in(path, "SELECT count(*) FROM sesame_message"); }

  Scratch scratch;
  std::string path = scratch.file("history.sqlite");
  HistoryClock clock;
  std::mutex mutex;
  std::vector<std::string> said;
  history::Say say = [this](history::Loudness, const std::string& text) {
    const std::lock_guard lock(mutex);
    said.push_back(text);
  };
  std::unique_ptr<Recorder> recorder;
};

std::unique_ptr<sqlite::Connection> locked(const std::string& path) {
  auto other =
      *sqlite::Connection::open(path, sqlite::Connection::Access::read_write, std::make_shared<sqlite::Patience>());
  expect_done(other->execute("BEGIN EXCLUSIVE"));
  return other;
}

// Opened by nobody but the test; what waits for it hangs.
struct Gate {
  void open() {
    const std::lock_guard lock(mutex);
    is_open = true;
    changed.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return is_open; });
    ++passed;
    changed.notify_all();
  }
  template <class Condition>
  void wait(Condition&& condition) {
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool is_open = false;
  int waiting = 0, passed = 0;
};

class HangingStore final : public history::Store {
 public:
  explicit HangingStore(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Result<void> write(std::span<const history::Row>) override {
    gate_->pass();
    return {};
  }
  Result<bool> prune(std::int64_t, std::size_t) override { return false; }

 private:
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

TEST(Recorder, WritesWhatIsRecorded) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 1234);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(recorded.messages(), 1234);
  const auto standing = recorded.recorder->standing();
  EXPECT_EQ(standing.kept, 1234u);
  EXPECT_EQ(standing.lost, 0u);
  EXPECT_EQ(standing.waiting, 0u);
  EXPECT_EQ(standing.lag_us, 0);
  EXPECT_EQ(standing.trouble, "");
  EXPECT_THAT(recorded.told(), SizeIs(0));
}

TEST(Recorder, GivesEachRowItsOriginItsNumberAndItsHost) {
  Recorded recorded;
  for (int run = 0; run < 2; ++run) {
    recorded.begin();
    recorded.start();
    recorded.record(100, 3);
    recorded.recorder->stop(kLong);
  }
  EXPECT_EQ(number_in(recorded.path, "SELECT count(DISTINCT origin) FROM sesame_message WHERE length(origin) = 16"), 2);
  EXPECT_EQ(number_in(recorded.path, "SELECT count(*) FROM sesame_message WHERE sequence BETWEEN 1 AND 3"), 6);
  EXPECT_EQ(number_in(recorded.path, "SELECT count(*) FROM sesame_message WHERE host = 'mx1.example.com'"), 6);
}

TEST(Recorder, WritesOnItsOwnWithoutBeingAsked) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 1);
  while (recorded.recorder->standing().kept == 0) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(recorded.messages(), 1);
}

TEST(Recorder, StopWritesWhatWaits) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 2000);
  recorded.recorder->stop(kLong);
  EXPECT_EQ(recorded.messages(), 2000);
  recorded.record(2001, 3);
  EXPECT_EQ(recorded.recorder->standing().lost, 3u);
}

TEST(Recorder, OneThatNeverStartedLosesWhatItHas) {
  Recorded recorded;
  recorded.record(1, 3);
  EXPECT_EQ(recorded.recorder->standing().waiting, 3u);
  recorded.recorder->stop(milliseconds(0));
  EXPECT_EQ(recorded.recorder->standing().lost, 3u);
  EXPECT_EQ(recorded.recorder->standing().waiting, 0u);
}

// record() has to come back while the lock is held: nobody else gives it up.
TEST(Recorder, ALockedDatabaseDelaysNobody) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 1);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  auto other = locked(recorded.path);
  recorded.record(2, 3000);
  EXPECT_EQ(recorded.recorder->standing().waiting, 3000u);
  recorded.clock.pass(7);
  EXPECT_GE(recorded.recorder->standing().lag_us, 7 * kSecond);
  expect_done(other->execute("ROLLBACK"));
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(recorded.messages(), 3001);
  EXPECT_EQ(recorded.recorder->standing().lost, 0u);
}

TEST(Recorder, MoreThanCanWaitIsLostAndCounted) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 1);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  auto other = locked(recorded.path);
  recorded.record(2, 12'000);
  EXPECT_EQ(recorded.recorder->standing().lost, 2000u);
  EXPECT_EQ(recorded.recorder->standing().waiting, 10'000u);
  expect_done(other->execute("ROLLBACK"));
  recorded.clock.pass(60);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  recorded.recorder->stop(kLong);
  EXPECT_EQ(recorded.messages(), 10'001);
  EXPECT_EQ(recorded.recorder->standing().lost, 2000u);
  EXPECT_THAT(recorded.told(), ::testing::Contains("2000 messages are missing in the history: more came than can wait "
                                                   "in memory"));
}

// Not started, so that all of them wait.
TEST(Recorder, LargeOnesFillItSooner) {
  Recorded recorded;
  for (std::int64_t n = 0; n < 100; ++n) {
    auto source = std::make_unique<Made>(n);
    source->size = 1'000'000;
    recorded.recorder->record(std::move(source));
  }
  EXPECT_EQ(recorded.recorder->standing().waiting, 63u);
  EXPECT_EQ(recorded.recorder->standing().lost, 37u);
}

TEST(Recorder, StopDoesNotWaitForALock) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 1);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  auto other = locked(recorded.path);
  recorded.record(2, 10);
  recorded.recorder->stop(milliseconds(50));
  EXPECT_EQ(recorded.recorder->standing().lost, 10u);
  EXPECT_THAT(recorded.told().back(), HasSubstr("10 messages are missing in the history"));
}

TEST(Recorder, StopDoesNotWaitForAStoreThatHangs) {
  static const HistoryClock clock;
  const auto gate = std::make_shared<Gate>();
  std::atomic<int> said = 0;
  history::Openers openers;
  openers.store = [gate] { return Result<std::unique_ptr<history::Store>>(std::make_unique<HangingStore>(gate)); };
  {
    history::Options options;
    options.store = "/nonexistent/history.sqlite";
    Recorder recorder(
        options, "mx1.example.com", clock, [&said](history::Loudness, const std::string&) { ++said; }, openers);
    expect_done(recorder.start());
    recorder.record(std::make_unique<Made>(1));
    gate->wait([&] { return gate->waiting == 1; });
    recorder.record(std::make_unique<Made>(2));
    recorder.stop(milliseconds(20));
    EXPECT_EQ(recorder.standing().lost, 2u);
  }
  const int before = said;
  gate->open();
  gate->wait([&] { return gate->passed == 1; });
  EXPECT_EQ(said, before);
}

TEST(Recorder, AMessageWithoutMemoryIsLostAlone) {
  Recorded recorded;
  recorded.start();
  recorded.record(1, 2);
  recorded.recorder->record(std::make_unique<Failing>());
  recorded.record(3, 2);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(recorded.messages(), 4);
  EXPECT_EQ(recorded.recorder->standing().lost, 1u);
}

TEST(Recorder, TextsOfAMessageAreCutAndPrintable) {
  struct Hostile final : Source {
    history::Row row() const override {
      auto row = row_of(1);
      row.mail_from = std::string("a\0b\n\xff", 5);
      row.message_id = std::string(100'000, 'x');
      row.story = std::string(history::kMaxStory + 1, 'x');
      return row;
    }
    std::size_t octets() const override { return 4096; }
  };
  Recorded recorded;
  recorded.start();
  recorded.recorder->record(std::make_unique<Hostile>());
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(number_in(recorded.path, "SELECT count(*) FROM sesame_message WHERE mail_from = $1",
                      {std::string("a\\x00b\\x0a\\xff")}),
            1);
  EXPECT_LT(number_in(recorded.path, "SELECT length(message_id) FROM sesame_message"), 600);
  EXPECT_EQ(number_in(recorded.path, "SELECT length(story) FROM sesame_story"), 0);
}

TEST(Recorder, AStoreThatComesLaterGetsWhatWaited) {
  Scratch scratch;
  const auto directory = scratch.file("later");
  Recorded recorded(directory);
  recorded.start();
  recorded.record(1, 5);
  while (recorded.recorder->standing().trouble.empty()) std::this_thread::sleep_for(milliseconds(5));
  std::filesystem::create_directory(directory);
  recorded.clock.pass(60);
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(recorded.messages(), 5);
  EXPECT_EQ(recorded.recorder->standing().trouble, "");
  EXPECT_THAT(recorded.told(), SizeIs(2));
}

TEST(Recorder, WaitsUntilAFullDiskHasRoom) {
  Scratch scratch;
  if (::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "size=1m,mode=0755") != 0)
    GTEST_SKIP() << "a small file system cannot be mounted: " << errno_text(errno);
  {
    Recorded recorded(scratch.path());
    recorded.start();
    recorded.record(1, 100);
    EXPECT_TRUE(recorded.recorder->settle(kLong));
    recorded.record(101, 2000);
    while (recorded.recorder->standing().trouble.empty()) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_THAT(recorded.recorder->standing().trouble, HasSubstr("the disk is full"));
    EXPECT_EQ(::mount("tmpfs", scratch.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    recorded.clock.pass(60);
    EXPECT_TRUE(recorded.recorder->settle(kLong));
    EXPECT_EQ(recorded.messages(), 2100);
    EXPECT_EQ(number_in(recorded.path, "SELECT sum(messages) FROM sesame_hour"), 2100);
    EXPECT_EQ(recorded.recorder->standing().lost, 0u);
    recorded.recorder->stop(kLong);
  }
  EXPECT_EQ(::umount(scratch.path().c_str()), 0);
}

TEST(Recorder, ManyThreadsRecord) {
  Recorded recorded;
  recorded.start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&recorded, i] {
      for (int k = 0; k < 500; ++k) {
        recorded.record(1 + 500 * i + k, 1);
        (void)recorded.recorder->standing();
      }
    });
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(recorded.recorder->settle(kLong));
  EXPECT_EQ(recorded.messages(), 2000);
  EXPECT_EQ(number_in(recorded.path, "SELECT count(DISTINCT queue_id) FROM sesame_message"), 2000);
  EXPECT_EQ(number_in(recorded.path, "SELECT max(sequence) FROM sesame_message"), 2000);
}

// How fast and how large is printed: contrib/doc/history.md tells the figures.
TEST(Recorder, ManyThousandMessages) {
  constexpr std::int64_t kRows = 20'000, kPart = 5000;
  Recorded recorded;
  recorded.start();
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t n = 0; n < kRows; n += kPart) {
    recorded.record(1 + n, kPart);
    ASSERT_TRUE(recorded.recorder->settle(kLong));
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  recorded.recorder->stop(kLong);
  EXPECT_EQ(recorded.messages(), kRows);
  const auto size = std::filesystem::file_size(recorded.path);
  std::cout << fmt::format("{} rows in {:.1f} s: {:.0f} rows/s, {} octets each, stories of {} octets, {} deflated\n",
                           kRows, took, kRows / took, size / kRows, story_of(1).size(),
                           number_in(recorded.path, "SELECT sum(length(story)) FROM sesame_story") / kRows);
}

}  // namespace sesame::test
