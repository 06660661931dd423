// The recorder and a PostgreSQL that goes away.
#include "history/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "history/postgres/server.h"

namespace sesame::history::tests {
namespace {

using namespace std::chrono_literals;

class Made final : public Source {
 public:
  explicit Made(std::int64_t number) : number_(number) {}
  Row row() const override { return row_of(number_); }
  std::size_t octets() const override { return 4096; }

 private:
  std::int64_t number_;
};

class PostgresRecorder : public ::testing::Test {
 protected:
  PostgresRecorder() {
    options_.store = url_of(database_);
    options_.keep = std::chrono::hours(24) * 36'500;
    options_.max_size = 1'000'000'000;
    options_.spool = directory_ / "spool.sqlite";
  }
  ~PostgresRecorder() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Recorder> start() {
    auto recorder = std::make_unique<Recorder>(options_, "mx.example.com", system_clock(), [](auto, const auto&) {});
    EXPECT_TRUE(recorder->start());
    return recorder;
  }

  // In portions that find room in memory.
  void record(Recorder& recorder, int count) {
    for (int i = 0; i < count; ++i) {
      recorder.record(std::make_unique<Made>(++made_));
      if (made_ % 2000 == 0) {
        ASSERT_TRUE(recorder.settle(60s));
      }
    }
    ASSERT_TRUE(recorder.settle(60s));
  }

  // Until nothing waits any more.
  static void wait_for(const Recorder& recorder) {
    for (int i = 0; i < 1800; ++i) {
      const auto standing = recorder.standing();
      if (standing.waiting == 0 && standing.spooled == 0) return;
      std::this_thread::sleep_for(50ms);
    }
    FAIL() << "rows still wait: " << recorder.standing().trouble;
  }

  // Every one once, and each origin's in the order in which they came: a transaction has a number, and rows the number
  // of theirs.
  void expect_all(int origins) {
    EXPECT_EQ(number(database_, "SELECT count(*) FROM sesame_message"), made_);
    EXPECT_EQ(number(database_, "SELECT count(DISTINCT queue_id) FROM sesame_message"), made_);
    EXPECT_EQ(number(database_, "SELECT count(*) FROM sesame_story"), made_);
    EXPECT_EQ(number(database_, "SELECT sum(messages) FROM sesame_hour"), made_);
    EXPECT_EQ(number(database_, "SELECT count(DISTINCT origin) FROM sesame_message"), origins);
    EXPECT_EQ(number(database_,
                     "SELECT count(*) FROM (SELECT min(sequence) < lag(max(sequence)) OVER (PARTITION BY origin "
                     "ORDER BY xmin::text::bigint) AS wrong FROM sesame_message "
                     "GROUP BY origin, xmin::text::bigint) AS batches WHERE wrong"),
              0);
  }

  const std::string database_ = new_database();
  std::string pattern_ = (std::filesystem::temp_directory_path() / "sesame-recorder-XXXXXX").string();
  const std::filesystem::path directory_ = mkdtemp(pattern_.data());
  Options options_;
  std::int64_t made_ = 0;
};

TEST_F(PostgresRecorder, TenThousandRowsWaitForAServerThatIsAwayAndArriveOnce) {
  auto recorder = start();
  record(*recorder, 1000);
  wait_for(*recorder);
  ASSERT_TRUE(control("stop -m immediate"));
  record(*recorder, 6000);
  EXPECT_EQ(recorder->standing().lost, 0);
  EXPECT_GT(recorder->standing().spooled, 5000);
  EXPECT_NE(recorder->standing().trouble, "");
  // What has been spooled outlives the daemon.
  recorder->stop(30s);
  EXPECT_EQ(recorder->standing().lost, 0);
  recorder = start();
  record(*recorder, 4000);
  EXPECT_EQ(recorder->standing().spooled, 10'000);
  EXPECT_GT(recorder->standing().lag_us, 0);
  ASSERT_TRUE(control("start"));
  record(*recorder, 500);
  wait_for(*recorder);
  EXPECT_EQ(recorder->standing().lost, 0);
  EXPECT_EQ(recorder->standing().trouble, "");
  expect_all(2);
}

// A server process may die before, while or after it writes: nobody is told which.
TEST_F(PostgresRecorder, ServerProcessesKilledAtAnyTimeLoseNothingAndDoubleNothing) {
  auto recorder = start();
  record(*recorder, 100);
  wait_for(*recorder);
  for (int round = 0; round < 5; ++round) {
    const auto pid = number(database_,
                            "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = "
                            "current_database() AND pid <> pg_backend_pid()");
    for (int i = 0; i < 1000; ++i) recorder->record(std::make_unique<Made>(++made_));
    std::this_thread::sleep_for(std::chrono::milliseconds(10 * round));
    if (pid > 0) {
      EXPECT_EQ(kill(static_cast<pid_t>(pid), SIGKILL), 0);
    }
    record(*recorder, 1000);
    wait_for(*recorder);
  }
  EXPECT_EQ(recorder->standing().lost, 0);
  expect_all(1);
}

// All of a server's processes: it takes connections, and says nothing.
class Frozen {
 public:
  Frozen() {
    std::ifstream file(std::filesystem::path(std::getenv("SESAME_POSTGRES_DIRECTORY")) / "data/postmaster.pid");
    file >> pid_;
    EXPECT_GT(pid_, 1);
    if (pid_ > 1) signal(SIGSTOP);
  }
  ~Frozen() {
    if (pid_ > 1) signal(SIGCONT);
  }

 private:
  void signal(int number) const {
    for (const auto& each : std::filesystem::directory_iterator("/proc")) {
      const auto pid = std::atoi(each.path().filename().c_str());
      std::ifstream stat(each.path() / "stat");
      std::string text;
      if (pid > 1) std::getline(stat, text);
      // proc(5): pid (comm) state ppid
      const auto end = text.rfind(')');
      if (end == std::string::npos || (pid != pid_ && std::atoi(text.c_str() + end + 4) != pid_)) continue;
      EXPECT_EQ(kill(pid, number), 0);
    }
  }
  int pid_ = 0;
};

TEST_F(PostgresRecorder, RecordingWaitsForNoServer) {
  auto recorder = start();
  record(*recorder, 100);
  wait_for(*recorder);
  {
    const Frozen frozen;
    // More than there is room for: that, too, returns, and is counted.
    for (int i = 0; i < 12'000; ++i) recorder->record(std::make_unique<Made>(++made_));
    const auto standing = recorder->standing();
    EXPECT_EQ(standing.kept, 100);
    EXPECT_EQ(standing.waiting + standing.spooled + standing.lost, 12'000);
    EXPECT_GE(standing.lost, 2000);
  }
  wait_for(*recorder);
  made_ -= static_cast<std::int64_t>(recorder->standing().lost);
  expect_all(1);
}

}  // namespace
}  // namespace sesame::history::tests
