#include "history/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "history/postgres/server.h"

namespace sesame::history::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Store> open_store(const std::string& database) {
  auto opened = open_postgres_store(url_of(database));
  EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
  return opened ? *std::move(opened) : nullptr;
}

std::string why_not(const Result<void>& done) {
  return done ? "" : done.error().message;
}

class PostgresStore : public ::testing::Test {
 protected:
  std::int64_t messages() { return number(database_, "SELECT count(*) FROM sesame_message"); }
  std::int64_t stories() { return number(database_, "SELECT count(*) FROM sesame_story"); }
  std::int64_t sums() { return number(database_, "SELECT coalesce(sum(messages), 0) FROM sesame_hour"); }
  void expect_all(std::int64_t count) {
    EXPECT_EQ(messages(), count);
    EXPECT_EQ(stories(), count);
    EXPECT_EQ(sums(), count);
  }

  const std::string database_ = new_database();
};

TEST_F(PostgresStore, ABatchThatIsSentTwiceCountsOnce) {
  const auto store = open_store(database_);
  const auto rows = rows_of(1, 300);
  ASSERT_TRUE(store->write(rows));
  ASSERT_TRUE(store->write(rows));
  expect_all(300);
  // Another origin is another daemon, or the same after a restart.
  ASSERT_TRUE(store->write(rows_of(1, 300, "two")));
  expect_all(600);
}

TEST_F(PostgresStore, OnlyWhatIsNewOfABatchCounts) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(1, 10)));
  ASSERT_TRUE(store->write(rows_of(6, 10)));
  auto twice = rows_of(16, 2);
  twice.push_back(twice.front());
  ASSERT_TRUE(store->write(twice));
  expect_all(17);
}

TEST_F(PostgresStore, SumsAreMadeByTheHour) {
  const auto store = open_store(database_);
  auto rows = rows_of(0, 4);
  rows[1].time = kBegin + kHour - 1;
  rows[2].time = kBegin + kHour;
  rows[3].disposition = "reject";
  rows[3].forwarder = "example.org";
  ASSERT_TRUE(store->write(rows));
  EXPECT_EQ(number(database_, "SELECT count(*) FROM sesame_hour"), 2);
  const auto begin = std::to_string(kBegin / 1'000'000);
  EXPECT_EQ(number(database_, "SELECT messages FROM sesame_hour WHERE disposition = '' AND hour = " + begin), 3);
}

TEST_F(PostgresStore, TwoWriteAtOnce) {
  const auto write = [this](int step) {
    const auto store = open_store(database_);
    // The same rows, the one from the front and the other from the end.
    for (int i = 0; i < 40; ++i) {
      const auto done = store->write(rows_of((step > 0 ? i : 39 - i) * 50, 50));
      EXPECT_TRUE(done) << why_not(done);
    }
  };
  std::thread other(write, -1);
  write(1);
  other.join();
  expect_all(2000);
}

TEST_F(PostgresStore, TenHostsStartAtOnce) {
  std::vector<std::thread> hosts;
  for (int i = 0; i < 10; ++i) {
    hosts.emplace_back([this, i] {
      const auto store = open_store(database_);
      if (!store) return;
      const auto done = store->write(rows_of(1, 20, "host" + std::to_string(i)));
      EXPECT_TRUE(done) << why_not(done);
    });
  }
  for (auto& host : hosts) host.join();
  expect_all(200);
  EXPECT_EQ(number(database_, "SELECT value FROM sesame_meta WHERE name = 'version'"), 1);
}

TEST_F(PostgresStore, WhatALaterVersionMadeIsLeftAlone) {
  open_store(database_);
  run(database_, "UPDATE sesame_meta SET value = '2'");
  const auto store = open_postgres_store(url_of(database_));
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("version 2"));
  const auto reader = open_postgres_reader(url_of(database_));
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message, HasSubstr("version 2"));
}

TEST_F(PostgresStore, WhoMayMakeNoTablesCanWrite) {
  open_store(database_);
  run(database_,
      "CREATE ROLE clerk LOGIN; GRANT SELECT ON sesame_meta TO clerk;"
      "GRANT SELECT, INSERT, UPDATE, DELETE ON sesame_message, sesame_story, sesame_hour TO clerk");
  const auto store = open_postgres_store(url_of(database_, "clerk"));
  ASSERT_TRUE(store) << store.error().message;
  const auto done = (*store)->write(rows_of(1, 10));
  EXPECT_TRUE(done) << why_not(done);
  expect_all(10);
}

TEST_F(PostgresStore, HostileTextIsText) {
  const auto store = open_store(database_);
  const std::string all = "\\.\n\\N\t\r\b\\x41 '; DROP TABLE sesame_message; -- \"$1\" %s";
  auto rows = rows_of(1, 3);
  rows[0].why = rows[0].story = all;
  rows[1].why = rows[1].story = std::string("a\0b", 3) + "\xff\xc0\x80\xed\xa0\x80\xf5 \xc3\xa4";
  rows[2].story = std::string(kMaxStory, '\\');
  rows[2].from_domain = std::string(kMaxText, '\x7f');
  const auto done = store->write(rows);
  ASSERT_TRUE(done) << why_not(done);
  expect_all(3);
  std::vector<std::string> found;
  const auto reader = open_postgres_reader(url_of(database_));
  ASSERT_TRUE(reader);
  ASSERT_TRUE(
      (*reader)->ask("SELECT why, story FROM sesame_message JOIN sesame_story USING (origin, sequence) "
                     "ORDER BY sequence",
                     {}, [&](const Cells& cells) {
                       found.push_back(cells.text(0));
                       found.push_back(cells.text(1));
                     }));
  ASSERT_EQ(found.size(), 6);
  EXPECT_EQ(found[0], all);
  EXPECT_EQ(found[1], all);
  EXPECT_EQ(found[2], "a?b??????? ??");
  EXPECT_EQ(found[5], rows[2].story);
}

TEST_F(PostgresStore, ARowThatIsRefusedHoldsUpNoOther) {
  const auto store = open_store(database_);
  run(database_, "ALTER TABLE sesame_message ALTER COLUMN why TYPE varchar(20)");
  auto rows = rows_of(1, 500);
  for (const auto bad : {0, 77, 78, 499}) rows[bad].why = std::string(21, 'x');
  const auto done = store->write(rows);
  ASSERT_TRUE(done) << why_not(done);
  expect_all(496);
  const auto refused = store->take_refused();
  EXPECT_EQ(refused.rows, 4);
  EXPECT_THAT(refused.why, HasSubstr("22001"));
  EXPECT_EQ(store->take_refused().rows, 0);
}

TEST_F(PostgresStore, WhereEveryRowIsRefusedTheyWaitUntilTheTableIsMended) {
  const auto store = open_store(database_);
  run(database_, "ALTER TABLE sesame_message ALTER COLUMN why TYPE varchar(1) USING ''");
  auto rows = rows_of(1, 20);
  for (auto& row : rows) row.why = "too long";
  EXPECT_FALSE(store->write(rows));
  EXPECT_EQ(store->take_refused().rows, 0);
  run(database_, "ALTER TABLE sesame_message ALTER COLUMN why TYPE text");
  EXPECT_TRUE(store->write(rows));
  expect_all(20);
}

// What an index takes is less than what the columns of its key may come to.
TEST_F(PostgresStore, ARowTooLongForAnIndexIsRefusedAlone) {
  const auto store = open_store(database_);
  std::mt19937 random(1);
  const auto noise = [&random] {
    std::string text;
    for (std::size_t i = 0; i < kMaxText; ++i) text += static_cast<char>(' ' + random() % 95);
    return text;
  };
  auto rows = rows_of(1, 9);
  for (auto* text : {&rows[4].host, &rows[4].from_domain, &rows[4].verdict, &rows[4].disposition, &rows[4].action,
                     &rows[4].code, &rows[4].direction})
    *text = noise();
  const auto done = store->write(rows);
  ASSERT_TRUE(done) << why_not(done);
  EXPECT_EQ(store->take_refused().rows, 1);
  expect_all(8);
}

// A table that is gone, a disk that is full: that is no fault of the rows.
TEST_F(PostgresStore, TroubleOfTheServerRefusesNoRow) {
  const auto store = open_store(database_);
  run(database_, "ALTER TABLE sesame_hour RENAME TO elsewhere");
  EXPECT_FALSE(store->write(rows_of(1, 4)));
  EXPECT_EQ(store->take_refused().rows, 0);
  EXPECT_EQ(messages(), 0);
  run(database_, "ALTER TABLE elsewhere RENAME TO sesame_hour");
  EXPECT_TRUE(store->write(rows_of(1, 4)));
  expect_all(4);
}

TEST_F(PostgresStore, OldRowsAreForgottenInSteps) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(0, 12'000)));
  const auto before = kBegin + 2 * kHour + kHour / 2;
  int steps = 0;
  for (bool more = true; more && steps < 10; ++steps) {
    const auto done = store->prune(before, 1);
    ASSERT_TRUE(done) << done.error().message;
    more = *done;
  }
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(messages(), 3000);
  EXPECT_EQ(stories(), 3000);
  // The hour that the border cuts is still there as a whole.
  EXPECT_EQ(sums(), 12'000 - 7200);
}

TEST_F(PostgresStore, OneHostAtATimeForgets) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(0, 10)));
  const auto other = connect(database_);
  ASSERT_TRUE(other->run("BEGIN; SELECT pg_advisory_xact_lock(1399157601, 2)"));
  auto done = store->prune(kBegin + kHour, 0);
  ASSERT_TRUE(done);
  EXPECT_FALSE(*done);
  EXPECT_EQ(messages(), 10);
  ASSERT_TRUE(other->run("COMMIT"));
  ASSERT_TRUE(store->prune(kBegin + kHour, 0));
  EXPECT_EQ(messages(), 0);
}

TEST_F(PostgresStore, AConnectionThatEndedIsMadeAgain) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(1, 10)));
  number("postgres",
         "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = '" + database_ + "'");
  const auto done = store->write(rows_of(11, 10));
  EXPECT_TRUE(done) << why_not(done);
  expect_all(20);
}

// Tries until it works: what a killed process leaves behind the server first puts in order.
void write_until_done(Store& store, const std::vector<Row>& rows) {
  for (int i = 0; i < 600; ++i) {
    if (store.write(rows)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL() << "never written";
}

TEST_F(PostgresStore, AServerProcessKilledInTheMiddleOfABatchLeavesNothingOfIt) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(1, 10)));
  auto holder = connect(database_);
  ASSERT_TRUE(holder->run("BEGIN; LOCK TABLE sesame_hour"));
  Result<void> done;
  const auto rows = rows_of(11, 500);
  std::thread writer([&] { done = store->write(rows); });
  std::int64_t pid = 0;
  for (int i = 0; i < 600 && pid == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pid = number("postgres",
                 "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                 "AND datname = '" +
                     database_ + "'");
  }
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(static_cast<pid_t>(pid), SIGKILL), 0);
  writer.join();
  write_until_done(*store, rows);
  expect_all(510);
}

TEST_F(PostgresStore, AServerThatIsAwayIsToldAndComesBack) {
  const auto store = open_store(database_);
  ASSERT_TRUE(store->write(rows_of(1, 10)));
  ASSERT_TRUE(control("stop -m immediate"));
  EXPECT_FALSE(store->write(rows_of(11, 10)));
  EXPECT_FALSE(store->prune(0, 0));
  EXPECT_FALSE(open_postgres_store(url_of(database_)));
  ASSERT_TRUE(control("start"));
  const auto done = store->write(rows_of(11, 10));
  EXPECT_TRUE(done) << why_not(done);
  expect_all(20);
}

TEST(PostgresUrl, NoErrorTellsAPassword) {
  const std::string host = "127.0.0.1:1";
  const std::string all[] = {"postgresql://sesame:sEcret@" + host + "/db",
                             "postgresql://sesame:p@sEcret@" + host + "/db",
                             "postgresql://sesame:p/sEcret@" + host + "/db",
                             "postgresql://sesame:p?sEcret@" + host + "/db",
                             "postgresql://sesame:p#sEcret@" + host + "/db",
                             "postgresql://sesame:sEcret%@" + host + "/db",
                             "postgresql://sesame:sEcret%00@" + host + "/db",
                             "postgresql://sesame:sEcret@[::1/db",
                             "postgresql://sesame:sEcret@" + host + "/db?nonsense=sEcret",
                             "postgresql://sesame:sEcret@" + host + ":x/db",
                             "postgresql://" + host + "/db?password=sEcret",
                             "postgresql://sesame:x[sEcret@" + host + "/db"};
  for (const auto& url : all) {
    const auto store = open_postgres_store(url);
    ASSERT_FALSE(store) << url;
    EXPECT_THAT(store.error().message, HasSubstr("PostgreSQL: "));
    EXPECT_THAT(store.error().message, Not(HasSubstr("sEcret"))) << url;
  }
}

// It takes the connection and says nothing.
TEST(PostgresUrl, ASilentServerIsNotWaitedForForEver) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listening, 5), 0);
  ASSERT_EQ(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto store = open_postgres_store("postgresql://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) +
                                         "/db?connect_timeout=2");
  EXPECT_FALSE(store);
  close(listening);
}

}  // namespace
}  // namespace sesame::history::tests
