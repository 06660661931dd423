// Lines of the log that come again and again.
#include "milter/repeats.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "milter/log.h"

namespace sesame::milter {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Repeats::Time kStart{std::chrono::hours(1)};

int passing(Repeats& repeats, const std::string& line, int times, Repeats::Time now = kStart) {
  int passed = 0;
  for (int i = 0; i < times; ++i) passed += repeats.lets_pass(line, Level::error, now) ? 1 : 0;
  return passed;
}

TEST(Repeats, SomePassAndTheOthersAreCountedWhenTheMinuteIsOver) {
  Repeats repeats;
  EXPECT_EQ(passing(repeats, "disk full", 322), 10);
  EXPECT_THAT(repeats.over(kStart + std::chrono::seconds(59)), IsEmpty());
  const auto held = repeats.over(kStart + std::chrono::seconds(60));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].line, "disk full");
  EXPECT_EQ(held[0].count, 312u);
  EXPECT_EQ(held[0].level, Level::error);
  EXPECT_THAT(repeats.over(kStart + std::chrono::hours(1)), IsEmpty());
}

TEST(Repeats, TheNextMinuteBeginsAnew) {
  Repeats repeats;
  EXPECT_EQ(passing(repeats, "disk full", 10), 10);
  EXPECT_EQ(passing(repeats, "disk full", 11, kStart + std::chrono::seconds(60)), 10);
}

TEST(Repeats, LinesThatDifferInNumbersOnlyAreTheSame) {
  Repeats repeats;
  int passed = 0;
  for (int i = 0; i < 30; ++i) passed += passing(repeats, "no thread after " + std::to_string(i) + " ms (errno=11)", 1);
  EXPECT_EQ(passed, 10);
}

TEST(Repeats, LinesThatNameSomethingElseAreNotTheSame) {
  Repeats repeats;
  int passed = 0;
  for (int i = 0; i < 30; ++i) passed += passing(repeats, "watch: state: host" + std::to_string(i) + ".example", 1);
  for (int i = 0; i < 30; ++i) passed += passing(repeats, "server 192.0.2." + std::to_string(i) + " is silent", 1);
  EXPECT_EQ(passed, 60);
}

TEST(Repeats, MoreThanAreKeptInMindAllPass) {
  Repeats repeats;
  for (std::size_t i = 0; i < 2 * Repeats::kMaxLines; ++i) passing(repeats, "host" + std::to_string(i), 1);
  EXPECT_EQ(passing(repeats, "one more", 100), 100);
  EXPECT_EQ(passing(repeats, "one more", 100, kStart + std::chrono::seconds(60)), 10) << "there is room again";
}

class SetClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override { return now; }
  std::int64_t unix_now() const override { return 1'750'000'000; }
  std::chrono::steady_clock::time_point now = kStart;
};

class LogRepeats : public testing::Test {
 protected:
  LogRepeats() {
    config::Log settings;
    settings.destination = path_;
    settings.level = "info";
    EXPECT_TRUE(log_.open(settings));
  }
  ~LogRepeats() override { std::filesystem::remove(path_); }

  int lines_with(const std::string& part) const {
    std::ifstream in(path_);
    int found = 0;
    for (std::string line; std::getline(in, line);) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

  SetClock clock_;
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("sesame-repeats-" + std::to_string(::getpid()) + ".log");
  Log log_{clock_};
};

TEST_F(LogRepeats, ErrorsAreHeldBackAndCounted) {
  for (int i = 0; i < 100; ++i) log_.line(Level::error, "disk full");
  EXPECT_EQ(lines_with("disk full"), 10);
  clock_.now += std::chrono::seconds(60);
  log_.tell_repeats();
  EXPECT_EQ(lines_with("error ... 90 more of these in the last minute: disk full"), 1);
}

TEST_F(LogRepeats, TheEndTellsWhatWasHeldBack) {
  for (int i = 0; i < 12; ++i) log_.line(Level::warning, "disk full");
  log_.flush();
  EXPECT_EQ(lines_with("warning ... 2 more of these in the last minute: disk full"), 1);
}

TEST_F(LogRepeats, NothingAboutAMessageIsHeldBack) {
  for (int i = 0; i < 100; ++i) {
    log_.event("queue_id=4Q action=accept");
    log_.line_about("4Q", Level::error, "step=edits action=accept: the message passes unjudged");
    log_.line(Level::info, "reload: done");
  }
  EXPECT_EQ(lines_with("queue_id=4Q action=accept"), 100);
  EXPECT_EQ(lines_with("queue_id=4Q step=edits"), 100);
  EXPECT_EQ(lines_with("reload: done"), 100);
}

}  // namespace
}  // namespace sesame::milter
