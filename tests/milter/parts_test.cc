// The small parts of the daemon: the count of what is under way, the log, the configuration in force.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "milter/log.h"
#include "milter/runtime.h"
#include "milter/underway.h"

namespace sesame::milter {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Underway, WaitsUntilTheLastHasEnded) {
  Underway count;
  auto first = std::make_unique<Underway::Token>(count);
  std::thread other([&] { first.reset(); });
  EXPECT_EQ(count.wait_for_none(std::chrono::seconds(30)), 0u);
  other.join();
}

TEST(Underway, GivesUpAtTheDeadlineAndSaysHowManyAreLeft) {
  Underway count;
  const Underway::Token first(count);
  Underway::Token second(count);
  const Underway::Token moved(std::move(second));
  EXPECT_EQ(count.wait_for_none(std::chrono::milliseconds(1)), 2u);
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    directory_ = std::filesystem::temp_directory_path() / ("sesame-log-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory_);
    settings_.destination = directory_ / "log";
    settings_.level = "info";
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  static std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::filesystem::path directory_;
  config::Log settings_;
  Log log_;
};

TEST_F(LogTest, LinesBelowTheLevelAreLeftOut) {
  settings_.level = "warning";
  ASSERT_TRUE(log_.open(settings_));
  log_.line(Level::info, "not this");
  log_.line(Level::warning, "but this");
  EXPECT_THAT(contents(settings_.destination), Not(HasSubstr("not this")));
  EXPECT_THAT(contents(settings_.destination), HasSubstr("warning but this"));
}

TEST_F(LogTest, OpeningAgainFollowsARotation) {
  ASSERT_TRUE(log_.open(settings_));
  log_.line(Level::info, "before");
  std::filesystem::rename(settings_.destination, directory_ / "log.1");
  ASSERT_TRUE(log_.open(settings_));
  log_.line(Level::info, "after");
  EXPECT_THAT(contents(directory_ / "log.1"), HasSubstr("before"));
  EXPECT_THAT(contents(settings_.destination), HasSubstr("after"));
  EXPECT_THAT(contents(settings_.destination), Not(HasSubstr("before")));
}

TEST_F(LogTest, ADestinationThatCannotBeOpenedLeavesTheOldOne) {
  ASSERT_TRUE(log_.open(settings_));
  auto bad = settings_;
  bad.destination = directory_.string();  // a directory
  EXPECT_FALSE(log_.open(bad));
  log_.line(Level::info, "still here");
  EXPECT_THAT(contents(settings_.destination), HasSubstr("still here"));
  bad.destination = directory_ / "mistyped" / "log";
  EXPECT_FALSE(log_.open(bad));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "mistyped"));
}

TEST_F(LogTest, NothingFromOutsideBreaksALine) {
  ASSERT_TRUE(log_.open(settings_));
  log_.line(Level::info, "a\nb {} %s");
  EXPECT_THAT(contents(settings_.destination), HasSubstr("a\\x0ab {} %s\n"));
}

TEST_F(LogTest, EveryLineOfJsonIsOneObject) {
  settings_.format = config::Log::Format::json;
  ASSERT_TRUE(log_.open(settings_));
  log_.line(Level::error, "say \"no\"");
  log_.event(R"({"event":"message"})");
  std::istringstream lines(contents(settings_.destination));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line).at("message"), "say \"no\"");
  EXPECT_EQ(nlohmann::json::parse(line).at("level"), "error");
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line).at("event"), "message");
}

TEST(NeedsRestart, NamesWhatAReloadCannotChange) {
  config::Config before, after;
  EXPECT_EQ(needs_restart(before, after), "");
  after.milter.socket = "unix:/run/other";
  after.milter.user = "other";
  after.log.level = "debug";
  EXPECT_EQ(needs_restart(before, after), "milter.socket milter.user");
}

}  // namespace
}  // namespace sesame::milter
