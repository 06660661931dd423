#include "milter/keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sesame::milter {
namespace {

namespace fs = std::filesystem;
using Time = std::chrono::steady_clock::time_point;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    config::Log settings;
    settings.destination = folder_ / "log";
    EXPECT_TRUE(log_.open(settings));
    use("arrivals.json");
  }
  ~KeeperTest() override { fs::remove_all(folder_); }

  void use(const std::string& name) { runtime_.arrivals = std::make_shared<ses::Arrivals>(folder_ / name); }
  void learn() {
    ses::Identity identity;
    identity.name = "example.com";
    ses::Sighting sighting;
    sighting.proof = ses::Sighting::Proof::delivery;
    sighting.arrival.time = ++now_;
    runtime_.arrivals->observe(identity, sighting, now_);
  }
  bool kept(const std::string& name = "arrivals.json") const { return fs::exists(folder_ / name); }
  std::size_t warnings() const {
    std::ifstream in(folder_ / "log");
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) count += line.find("stays in memory") != std::string::npos;
    return count;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("sesame-keeper-" + std::to_string(::getpid()));
  std::int64_t now_ = 1'700'000'000;
  Log log_;
  inspect::Runtime runtime_;
  Keeper keeper_{log_};
  const Time start_ = Time() + std::chrono::hours(1);
};

TEST_F(KeeperTest, WhatChangedIsWrittenAfterAWhile) {
  keeper_.look(runtime_, start_);
  learn();
  keeper_.look(runtime_, start_ + Keeper::kInterval - std::chrono::seconds(1));
  EXPECT_FALSE(kept());
  keeper_.look(runtime_, start_ + Keeper::kInterval);
  EXPECT_TRUE(kept());
}

TEST_F(KeeperTest, WhatChangedIsWrittenAtTheEnd) {
  keeper_.look(runtime_, start_);
  learn();
  keeper_.save(runtime_);
  EXPECT_TRUE(kept());
}

TEST_F(KeeperTest, AReloadThatNamesAnotherFileLosesNothing) {
  keeper_.look(runtime_, start_);
  learn();
  use("other.json");
  learn();
  keeper_.look(runtime_, start_ + std::chrono::seconds(1));
  EXPECT_TRUE(kept());
  EXPECT_TRUE(kept("other.json"));
}

TEST_F(KeeperTest, AFileThatCannotBeWrittenIsToldOnce) {
  use("absent/arrivals.json");
  for (int minute = 0; minute < 3; ++minute) {
    learn();
    keeper_.look(runtime_, start_ + minute * Keeper::kInterval);
  }
  log_.flush();
  EXPECT_EQ(warnings(), 1u);
  fs::create_directory(folder_ / "absent");
  keeper_.save(runtime_);
  EXPECT_TRUE(kept("absent/arrivals.json"));
}

}  // namespace
}  // namespace sesame::milter
