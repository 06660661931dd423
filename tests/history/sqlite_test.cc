// What the SQLite history keeps, how it is read, and what it says when it cannot.
#include "sqlite/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "history_case.h"

namespace sesame::test {

using history::Cells;
using history::open_reader;
using history::open_sqlite_store;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

std::string store_error(const std::string& path) {
  const auto opened = open_sqlite_store(path);
  return opened ? "" : opened.error().message;
}

std::string reader_error(const std::string& path) {
  const auto opened = open_reader(path);
  return opened ? "" : opened.error().message;
}

std::vector<std::string> texts(history::Reader& reader, std::string_view sql,
                               const std::vector<history::Parameter>& parameters = {}) {
  std::vector<std::string> all;
  expect_done(reader.ask(sql, parameters, [&all](const Cells& cells) { all.push_back(cells.text(0)); }));
  return all;
}

void change(const std::string& path, const char* statement) {
  auto connection =
      sqlite::Connection::open(path, sqlite::Connection::Access::read_write, std::make_shared<sqlite::Patience>());
  expect_done(connection);
  expect_done((*connection)->execute(statement));
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST(SqliteStore, EveryColumnIsKept) {
  Kept kept;
  auto row = row_of(7);
  row.disposition = "quarantine";
  row.forwarder = "lists.example.org";
  row.code = "key-missing";
  kept.write({row});
  auto reader = *open_reader(kept.path);
  int rows = 0;
  expect_done(reader->ask(
      "SELECT origin, sequence, time, host, queue_id, direction, from_domain, mail_from, message_id, client, verdict, "
      "alignment, disposition, forwarder, action, code, codes, account, region, identity, why, waited_us, took_us "
      "FROM sesame_message",
      {}, [&](const Cells& cells) {
        ++rows;
        const std::vector<std::string> wanted = {row.origin,      "7",           std::to_string(row.time),
                                                 row.host,        row.queue_id,  row.direction,
                                                 row.from_domain, row.mail_from, row.message_id,
                                                 row.client,      row.verdict,   "both",
                                                 row.disposition, row.forwarder, row.action,
                                                 row.code,        row.codes,     row.account,
                                                 row.region,      row.identity,  row.why,
                                                 "1200",          "34000"};
        for (int i = 0; i < static_cast<int>(wanted.size()); ++i)
          EXPECT_EQ(cells.text(i), wanted[static_cast<std::size_t>(i)]) << "column " << i;
        EXPECT_EQ(cells.number(2), row.time);
      }));
  EXPECT_EQ(rows, 1);
}

TEST(SqliteStore, StoriesAreDeflatedAndReadAsTheyWere) {
  Kept kept;
  auto empty = row_of(2), large = row_of(3);
  empty.story = "";
  large.story = std::string(history::kMaxStory, 'x');
  kept.write({row_of(1), empty, large});
  auto reader = *open_reader(kept.path);
  EXPECT_THAT(texts(*reader, "SELECT story FROM sesame_story ORDER BY sequence"),
              ElementsAre(story_of(1), "", large.story));
  EXPECT_LT(number_in(kept.path, "SELECT length(story) FROM sesame_story WHERE sequence = 1"),
            static_cast<std::int64_t>(story_of(1).size()) / 2);
}

TEST(SqliteStore, AStoryThatIsDamagedIsEmpty) {
  Kept kept;
  kept.write({row_of(1)});
  change(kept.path, "UPDATE sesame_story SET story = x'789c0102030405'");
  EXPECT_THAT(texts(**open_reader(kept.path), "SELECT story FROM sesame_story"), ElementsAre(""));
}

TEST(SqliteStore, WhatIsThereAlreadyIsNeitherWrittenNorCountedAgain) {
  Kept kept;
  kept.write(rows_of(1, 10));
  kept.write(rows_of(6, 10));
  kept.write(rows_of(1, 15));
  EXPECT_EQ(kept.messages(), 15);
  EXPECT_EQ(kept.counted(), 15);
  EXPECT_EQ(number_in(kept.path, "SELECT count(*) FROM sesame_story"), 15);
}

TEST(SqliteStore, TheSameSequenceOfAnotherOriginIsAnotherMessage) {
  Kept kept;
  auto other = row_of(1);
  other.origin = "00000000000000bb";
  kept.write({row_of(1), other});
  EXPECT_EQ(kept.messages(), 2);
  EXPECT_EQ(kept.counted(), 2);
}

TEST(SqliteStore, SumsAreByTheHourAndByWhatTheyAreOf) {
  Kept kept;
  auto next_hour = row_of(4), failing = row_of(5), vouched = row_of(6);
  next_hour.time += 3600 * kSecond;
  failing.verdict = "fail";
  failing.disposition = "reject";
  vouched.verdict = "fail";
  vouched.disposition = "reject";
  vouched.forwarder = "lists.example.org";
  auto rows = rows_of(1, 3);
  rows.insert(rows.end(), {next_hour, failing, vouched});
  kept.write(rows);
  EXPECT_THAT(texts(**open_reader(kept.path),
                    "SELECT (hour - $1) || ' ' || verdict || ' ' || disposition || ' ' || messages FROM sesame_hour "
                    "ORDER BY hour, verdict, disposition",
                    {kStart}),
              ElementsAre("0 fail  1", "0 fail reject 1", "0 pass  3", "3600 pass  1"));
}

TEST(SqliteStore, IsReadableByItsGroupOnly) {
  const auto before = umask(0);
  Kept kept;
  umask(before);
  kept.write({row_of(1)});
  struct stat found = {};
  ASSERT_EQ(stat(kept.path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0640u);
  ASSERT_EQ(stat((kept.path + "-wal").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0640u);
}

TEST(SqliteStore, AFileThatWasMovedAwayIsBegunAnew) {
  Kept kept;
  kept.write(rows_of(1, 3));
  const auto old = kept.scratch.file("old.sqlite");
  std::filesystem::rename(kept.path, old);
  kept.write(rows_of(4, 2));
  EXPECT_THAT(sequences_in(kept.path), ElementsAre(4, 5));
  EXPECT_THAT(sequences_in(old), ElementsAre(1, 2, 3));
}

TEST(SqliteStore, AFileThatWasRemovedIsBegunAnew) {
  Kept kept;
  kept.write(rows_of(1, 3));
  auto reader = *open_reader(kept.path);
  EXPECT_THAT(texts(*reader, "SELECT count(*) FROM sesame_message"), ElementsAre("3"));
  std::filesystem::remove(kept.path);
  kept.write(rows_of(4, 2));
  EXPECT_THAT(sequences_in(kept.path), ElementsAre(4, 5));
  // And whoever reads goes with it.
  EXPECT_THAT(texts(*reader, "SELECT count(*) FROM sesame_message"), ElementsAre("2"));
}

TEST(SqliteStore, WhatIsNotOursStaysAsItIs) {
  Scratch scratch;
  const auto foreign = scratch.file("foreign.sqlite"), text = scratch.file("text");
  change(foreign, "CREATE TABLE theirs(x)");
  write_file(text, std::string(5000, 'x'));
  EXPECT_THAT(store_error(foreign), HasSubstr("foreign.sqlite: is not a history, but a database of another program"));
  EXPECT_THAT(reader_error(foreign), HasSubstr("is not a history"));
  EXPECT_THAT(store_error(text), HasSubstr("text: is no SQLite database, or is damaged"));
  EXPECT_THAT(reader_error(text), HasSubstr("is no SQLite database"));
  EXPECT_EQ(std::filesystem::file_size(text), 5000u);
}

TEST(SqliteStore, ALaterVersionIsLeftAlone) {
  Kept kept;
  kept.write({row_of(1)});
  kept.store.reset();
  change(kept.path, "UPDATE sesame_meta SET value = '2' WHERE name = 'version'");
  EXPECT_THAT(store_error(kept.path), HasSubstr("was written by a later version of Sesame"));
  EXPECT_THAT(reader_error(kept.path), HasSubstr("its tables are of version 2, this one knows 1"));
}

TEST(SqliteStore, ADamagedFileIsToldAndKept) {
  Kept kept;
  kept.write(rows_of(1, 2000));
  kept.store.reset();
  change(kept.path, "PRAGMA wal_checkpoint(TRUNCATE)");
  {
    // The header stays, so that it looks well.
    std::fstream file(kept.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    const std::string noise(200'000, '\xee');
    file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
  }
  const auto size = std::filesystem::file_size(kept.path);
  auto opened = open_sqlite_store(kept.path);
  const auto done = opened ? (*opened)->write(rows_of(3000, 10)) : tl::unexpected(opened.error());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("history.sqlite: is damaged"));
  EXPECT_GE(std::filesystem::file_size(kept.path), size);
}

TEST(SqliteStore, ADirectoryThatIsNotThereIsSaid) {
  EXPECT_THAT(store_error("/nonexistent/history.sqlite"), HasSubstr("No such file or directory"));
}

TEST(SqliteReader, SaysThatThereIsNoFile) {
  Scratch scratch;
  EXPECT_THAT(reader_error(scratch.file("none.sqlite")), HasSubstr("none.sqlite: cannot be opened: No such file"));
  write_file(scratch.file("empty"), "");
  EXPECT_THAT(reader_error(scratch.file("empty")), HasSubstr("is empty"));
}

TEST(SqliteReader, ParametersGoByTheirNumber) {
  Kept kept;
  kept.write(rows_of(1, 9));
  EXPECT_EQ(number_in(kept.path,
                      "SELECT sequence FROM sesame_message WHERE queue_id = $2 AND sequence < $1 + 5 "
                      "AND sequence <> $1 AND from_domain = $3",
                      {std::int64_t{1}, std::string("4dXy4"), std::string("example.com")}),
            4);
}

TEST(SqliteReader, TextsAreNeverTakenForSql) {
  Kept kept;
  auto row = row_of(1);
  row.queue_id = "'; DROP TABLE sesame_message; --";
  kept.write({row});
  EXPECT_EQ(number_in(kept.path, "SELECT count(*) FROM sesame_message WHERE queue_id = $1", {row.queue_id}), 1);
}

TEST(SqliteReader, TheNumberOfParametersMustFit) {
  Kept kept;
  auto reader = *open_reader(kept.path);
  EXPECT_FALSE(reader->ask("SELECT $1", {}, [](const Cells&) {}));
  EXPECT_FALSE(reader->ask("SELECT $1", {std::int64_t{1}, std::int64_t{2}}, [](const Cells&) {}));
  EXPECT_FALSE(reader->ask("SELECT $2", {std::int64_t{1}}, [](const Cells&) {}));
}

TEST(SqliteReader, WritesNothing) {
  Kept kept;
  kept.write(rows_of(1, 3));
  auto reader = *open_reader(kept.path);
  const auto done = reader->ask("DELETE FROM sesame_message", {}, [](const Cells&) {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("may not be written"));
  EXPECT_EQ(kept.messages(), 3);
}

TEST(SqliteReader, ReadsWhileAnotherHasItLocked) {
  Kept kept;
  kept.write(rows_of(1, 3));
  auto other = *sqlite::Connection::open(kept.path, sqlite::Connection::Access::read_write,
                                         std::make_shared<sqlite::Patience>());
  expect_done(other->execute("BEGIN EXCLUSIVE"));
  EXPECT_EQ(kept.messages(), 3);
  expect_done(other->execute("ROLLBACK"));
}

TEST(SqliteReader, SeesWholeBatchesWhileTheyAreWritten) {
  Kept kept;
  constexpr int kBatches = 40, kRows = 25;
  std::atomic<bool> over = false;
  std::atomic<int> looks = 0;
  const auto look = [&] {
    auto reader = *open_reader(kept.path);
    while (!over) {
      const auto counts = texts(*reader,
                                "SELECT (SELECT count(*) FROM sesame_message) || ' ' || "
                                "(SELECT coalesce(sum(messages), 0) FROM sesame_hour)");
      ASSERT_EQ(counts.size(), 1u);
      const auto space = counts[0].find(' ');
      EXPECT_EQ(counts[0].substr(0, space), counts[0].substr(space + 1));
      EXPECT_EQ(std::stoi(counts[0]) % kRows, 0);
      ++looks;
    }
  };
  std::thread first(look), second(look);
  for (int i = 0; i < kBatches; ++i) kept.write(rows_of(1 + i * kRows, kRows));
  while (looks < 2) std::this_thread::yield();
  over = true;
  first.join();
  second.join();
  EXPECT_EQ(kept.messages(), kBatches * kRows);
}

TEST(SqlitePrune, WhatIsTooOldGoesInSteps) {
  Kept kept;
  for (int i = 0; i < 5; ++i) kept.write(rows_of(1 + 500 * i, 500));
  auto young = row_of(9000);
  young.time += 7200 * kSecond;
  kept.write({young});
  const auto before = (kStart + 3600) * kSecond;
  int steps = 1;
  for (auto more = kept.store->prune(before, 0); more && *more; more = kept.store->prune(before, 0)) ++steps;
  EXPECT_GT(steps, 1);
  EXPECT_LT(steps, 10);
  EXPECT_THAT(sequences_in(kept.path), ElementsAre(9000));
  EXPECT_EQ(number_in(kept.path, "SELECT count(*) FROM sesame_story"), 1);
  EXPECT_EQ(kept.counted(), 1);
}

TEST(SqlitePrune, AnHourStaysAsLongAsAPartOfItMay) {
  Kept kept;
  kept.write({row_of(1)});
  expect_done(kept.store->prune((kStart + 3599) * kSecond, 0));
  EXPECT_EQ(kept.messages(), 0);
  EXPECT_EQ(kept.counted(), 1);
  expect_done(kept.store->prune((kStart + 3600) * kSecond, 0));
  EXPECT_EQ(kept.counted(), 0);
}

TEST(SqlitePrune, BeyondTheSizeTheOldestGo) {
  Kept kept;
  constexpr std::size_t kSize = 2'000'000;
  for (int i = 0; i < 8; ++i) kept.write(rows_of(1 + 500 * i, 500));
  int steps = 0;
  for (bool more = true; more && steps < 100; ++steps) {
    const auto done = kept.store->prune(0, kSize);
    expect_done(done);
    more = done.value_or(false);
  }
  EXPECT_LT(steps, 100);
  change(kept.path, "PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_LE(std::filesystem::file_size(kept.path), kSize);
  const auto left = sequences_in(kept.path);
  ASSERT_FALSE(left.empty());
  EXPECT_LT(left.size(), 4000u);
  EXPECT_EQ(left.back(), 4000);
  EXPECT_EQ(left.front(), 4001 - static_cast<std::int64_t>(left.size()));
  // The sums tell of all.
  EXPECT_EQ(kept.counted(), 4000);
}

TEST(SqlitePrune, SumsOfManyNamesDoNotCrowdOutMessages) {
  Kept kept;
  constexpr std::size_t kSize = 1'048'576;
  for (int i = 0; i < 12; ++i) {
    auto rows = rows_of(1 + 500 * i, 500);
    for (auto& row : rows) row.from_domain = fmt::format("d{}.example.net", row.sequence);
    kept.write(rows);
    for (int steps = 0; steps < 100; ++steps)
      if (!kept.store->prune(0, kSize).value_or(false)) break;
  }
  EXPECT_LE(number_in(kept.path, "SELECT count(*) FROM sesame_hour"), 1024);
  const auto left = sequences_in(kept.path);
  EXPECT_GT(left.size(), 100u);
  EXPECT_EQ(left.back(), 6000);
}

TEST(SqlitePrune, WhatIsFreeIsGivenBack) {
  Kept kept;
  for (int i = 0; i < 6; ++i) kept.write(rows_of(1 + 500 * i, 500));
  change(kept.path, "PRAGMA wal_checkpoint(TRUNCATE)");
  const auto full = std::filesystem::file_size(kept.path);
  const auto before = (kStart + 7200) * kSecond;
  for (int steps = 0; steps < 100; ++steps)
    if (!kept.store->prune(before, 0).value_or(false)) break;
  change(kept.path, "PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_LT(std::filesystem::file_size(kept.path), full / 4);
}

}  // namespace sesame::test
