// The history as the daemon keeps it, with real stores in a directory of their own.
#include "milter/recording.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon.h"
#include "history/reader.h"
#include "sqlite/sqlite.h"

namespace sesame::milter {
namespace {

using std::chrono::seconds;
using test::Daemon;
using test::MilterMessage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// "queue id verdict" of the rows of a store, by queue id.
std::vector<std::string> rows_of(const std::string& path) {
  std::vector<std::string> rows;
  auto reader = history::open_reader(path);
  if (!reader) return {reader.error().message};
  const auto asked = (*reader)->ask("SELECT queue_id, verdict, host FROM sesame_message ORDER BY queue_id", {},
                                    [&](const history::Cells& cells) {
                                      rows.push_back(cells.text(0) + " " + cells.text(1));
                                      EXPECT_NE(cells.text(2), "");
                                    });
  if (!asked) rows.push_back(asked.error().message);
  return rows;
}

class RecordingTest : public testing::Test {
 protected:
  RecordingTest() {
    directory_ = std::filesystem::temp_directory_path() / ("sesame-recording-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory_);
    config::Log settings;
    settings.destination = path("log");
    settings.level = "info";
    EXPECT_TRUE(log_.open(settings));
  }
  ~RecordingTest() override {
    recording_.stop(seconds(5));
    std::filesystem::remove_all(directory_);
  }

  std::string path(const std::string& name) const { return directory_ / name; }
  std::string log() const {
    std::ifstream in(path("log"));
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  void follow(const std::string& store) {
    inspect::Runtime runtime;
    runtime.config = config::defaults();
    runtime.config.history.store = store;
    recording_.follow(runtime);
  }
  void record(const std::string& queue_id) {
    policy::Report report;
    report.direction = policy::Direction::inbound;
    report.author.problem = "no From field";
    report.dmarc.result = dmarc::Result::permerror;
    report.envelope.queue_id = queue_id;
    recording_.record(std::move(report), {}, {});
  }

  std::filesystem::path directory_;
  Log log_;
  Recording recording_{log_};
};

TEST_F(RecordingTest, WhatIsRecordedIsInTheStoreAtTheEnd) {
  follow(path("history"));
  record("4ONE");
  record("4TWO");
  recording_.stop(seconds(30));
  EXPECT_THAT(rows_of(path("history")), ElementsAre("4ONE permerror", "4TWO permerror"));
  EXPECT_EQ(recording_.standing().kept, 2u);
  EXPECT_EQ(recording_.standing().lost, 0u);
}

TEST_F(RecordingTest, AnotherStoreBeginsAndTheOldOneStillGetsWhatWasItsOwn) {
  follow(path("old"));
  record("4ONE");
  follow(path("new"));
  record("4TWO");
  recording_.stop(seconds(30));
  EXPECT_THAT(rows_of(path("old")), ElementsAre("4ONE permerror"));
  EXPECT_THAT(rows_of(path("new")), ElementsAre("4TWO permerror"));
  EXPECT_EQ(recording_.standing().kept, 2u) << "of both";
}

TEST_F(RecordingTest, TheSameSettingsChangeNothing) {
  follow(path("history"));
  record("4ONE");
  for (int i = 0; i < 5; ++i) follow(path("history"));
  record("4TWO");
  recording_.stop(seconds(30));
  EXPECT_THAT(rows_of(path("history")), ElementsAre("4ONE permerror", "4TWO permerror"));
}

TEST_F(RecordingTest, WithoutAStoreNothingIsKept) {
  follow("");
  record("4ONE");
  EXPECT_EQ(recording_.standing().kept + recording_.standing().waiting + recording_.standing().lost, 0u);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(RecordingTest, ADirectoryThatIsNotThereIsToldOnceAndUsedWhenItIsThere) {
  const auto store = path("absent/history");
  for (int i = 0; i < 3; ++i) follow(store);
  record("4ONE");
  const auto text = log();
  const std::string told = "info history: nothing is kept: there is no directory " + path("absent");
  EXPECT_THAT(text, HasSubstr(told));
  EXPECT_EQ(text.find(told), text.rfind(told));
  std::filesystem::create_directory(path("absent"));
  follow(store);
  record("4TWO");
  recording_.stop(seconds(30));
  EXPECT_THAT(rows_of(store), ElementsAre("4TWO permerror"));
}

TEST_F(RecordingTest, ALockedStoreHoldsUpNobodyAndTakesNoMemoryWithoutEnd) {
  follow(path("history"));
  record("4ONE");
  recording_.stop(seconds(30));
  auto locked = sqlite::Connection::open(path("history"), sqlite::Connection::Access::read_write,
                                         std::make_shared<sqlite::Patience>());
  ASSERT_TRUE(locked);
  ASSERT_TRUE((*locked)->execute("BEGIN EXCLUSIVE"));
  constexpr std::uint64_t kMessages = 12'000;
  follow(path("history"));
  for (std::uint64_t i = 0; i < kMessages; ++i) record("4MANY");
  const auto now = recording_.standing();
  EXPECT_EQ(now.waiting + now.lost, kMessages);
  EXPECT_LE(now.waiting, 10'000u);
  recording_.stop(seconds(1));
  EXPECT_EQ(recording_.standing().kept, 1u);
  EXPECT_EQ(recording_.standing().lost, kMessages) << "what could not be written is counted";
}

TEST(KeptIn, NamesTheStoreAndNoPassword) {
  const auto kept = [](const std::string& store) {
    history::Options options;
    options.store = store;
    return kept_in(options);
  };
  EXPECT_EQ(kept(""), "none");
  EXPECT_EQ(kept("/nonexistent/sesame/history"), "none");
  EXPECT_EQ(kept("/tmp/history"), "/tmp/history");
  EXPECT_EQ(kept("postgresql://db.example.net/mail"), "postgresql://db.example.net/mail");
  EXPECT_EQ(kept("postgresql://me:se@cret@db.example.net:5432/mail?password=secret"),
            "postgresql://db.example.net:5432/mail");
  EXPECT_EQ(kept("postgres://me:secret@db.example.net/mail#x"), "postgresql://db.example.net/mail");
  EXPECT_EQ(kept("postgresql://me:se#c?ret@db.example.net/mail"), "postgresql://db.example.net/mail");
  EXPECT_EQ(kept("postgresql://db.example.net/mail?password=se@cret"), "postgresql://db.example.net/mail");
}

MilterMessage received(const std::string& queue_id) {
  MilterMessage message;
  message.mail = {"<a@clean.example>"};
  message.fields = {{"From", " <a@clean.example>"}};
  message.queue_id = queue_id;
  return message;
}

TEST(History, TheDaemonKeepsEachMessageAndSaysWhere) {
  Daemon daemon;
  const auto store = daemon.path("history.sqlite");
  EXPECT_THAT(daemon.log(), HasSubstr("history=none"));
  daemon.write_config("[history]\nstore = \"" + store + "\"\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  EXPECT_THAT(daemon.log(), HasSubstr("history=" + store));
  // What a reload changed is in force before the log says so, but for the store: it opens just after.
  daemon.signal(SIGUSR1);
  ASSERT_TRUE(daemon.logs("dns: cache"));
  const auto client = daemon.connect();
  client->send(received("4ONE"));
  client->send(received("4TWO"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(rows_of(store), ElementsAre("4ONE pass", "4TWO pass"));
}

TEST(History, AStoreThatCannotBeUsedDelaysNoMessageAndNoStop) {
  Daemon daemon;
  const auto store = daemon.path("history.sqlite");
  std::filesystem::create_directory(store);
  daemon.write_config("[history]\nstore = \"" + store + "\"\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  const auto client = daemon.connect();
  for (int i = 0; i < 100; ++i) {
    const auto result = client->send(received("4Q" + std::to_string(i)));
    ASSERT_EQ(result.edits.size(), 1u);
  }
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("stop: judged=100 failures=0"));
  EXPECT_THAT(daemon.log(), HasSubstr("history: "));
}

}  // namespace
}  // namespace sesame::milter
