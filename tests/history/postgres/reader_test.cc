#include "history/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/postgres/server.h"
#include "history/store.h"

namespace sesame::history::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PostgresReader : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = open_postgres_store(url_of(database_));
    ASSERT_TRUE(store) << store.error().message;
    auto rows = rows_of(1, 100);
    rows[49].from_domain = "example.org";
    ASSERT_TRUE((*store)->write(rows));
    auto opened = open_reader(url_of(database_));
    ASSERT_TRUE(opened) << opened.error().message;
    reader_ = *std::move(opened);
  }

  std::vector<std::string> ask(std::string_view sql, const std::vector<Parameter>& parameters = {}) {
    std::vector<std::string> found;
    const auto done = reader_->ask(sql, parameters, [&](const Cells& cells) { found.push_back(cells.text(0)); });
    EXPECT_TRUE(done) << done.error().message;
    return found;
  }

  const std::string database_ = new_database();
  std::unique_ptr<Reader> reader_;
};

TEST_F(PostgresReader, ParametersAreNumbersAndTexts) {
  EXPECT_THAT(ask("SELECT queue_id FROM sesame_message WHERE from_domain = $1 AND time > $2",
                  {std::string("example.org"), kBegin}),
              ElementsAre("Q50"));
  // Larger than an integer of PostgreSQL's, beside one.
  EXPECT_THAT(ask("SELECT queue_id FROM sesame_message WHERE time - 1000000 * $1 = $2 ORDER BY time LIMIT $3",
                  {std::int64_t{3}, kBegin, std::int64_t{10}}),
              ElementsAre("Q3"));
  EXPECT_THAT(ask("SELECT $1", {std::string("'; DROP TABLE sesame_message; --")}),
              ElementsAre("'; DROP TABLE sesame_message; --"));
}

TEST_F(PostgresReader, CellsAreNumbersAndTexts) {
  int rows = 0;
  const auto done =
      reader_->ask("SELECT sum(messages), NULL, true, false, -9223372036854775807, 'text' FROM sesame_hour", {},
                   [&](const Cells& cells) {
                     ++rows;
                     EXPECT_EQ(cells.number(0), 100);
                     EXPECT_EQ(cells.number(1), 0);
                     EXPECT_EQ(cells.text(1), "");
                     EXPECT_EQ(cells.number(2), 1);
                     EXPECT_EQ(cells.number(3), 0);
                     EXPECT_EQ(cells.number(4), -9223372036854775807);
                     EXPECT_EQ(cells.text(5), "text");
                   });
  EXPECT_TRUE(done);
  EXPECT_EQ(rows, 1);
}

TEST_F(PostgresReader, ItWritesNothing) {
  for (const std::string sql : {"DELETE FROM sesame_message", "CREATE TABLE other (a INT)",
                                "UPDATE sesame_hour SET messages = 0", "SELECT 1; DROP TABLE sesame_story"})
    EXPECT_FALSE(reader_->ask(sql, {}, [](const Cells&) {})) << sql;
  EXPECT_EQ(number(database_, "SELECT sum(messages) FROM sesame_hour"), 100);
}

TEST_F(PostgresReader, AnErrorIsToldAndTheNextQuestionIsAnswered) {
  const auto done = reader_->ask("SELECT nonsense FROM sesame_message", {}, [](const Cells&) {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("nonsense"));
  EXPECT_FALSE(reader_->ask("SELECT $1", {std::string("a\0b", 3)}, [](const Cells&) {}));
  // In the middle of the answer.
  int rows = 0;
  EXPECT_FALSE(
      reader_->ask("SELECT 1 / (50 - n) FROM generate_series(1, 100) AS n", {}, [&](const Cells&) { ++rows; }));
  EXPECT_EQ(ask("SELECT queue_id FROM sesame_message").size(), 100);
}

TEST_F(PostgresReader, AServerThatWasAwayIsAskedAgain) {
  ASSERT_TRUE(control("stop -m immediate"));
  const auto done = reader_->ask("SELECT 1", {}, [](const Cells&) {});
  EXPECT_FALSE(done);
  ASSERT_TRUE(control("start"));
  EXPECT_EQ(ask("SELECT queue_id FROM sesame_message").size(), 100);
  ASSERT_TRUE(control("restart -m immediate"));
  EXPECT_EQ(ask("SELECT queue_id FROM sesame_message").size(), 100);
}

TEST_F(PostgresReader, WhereNothingWasEverWrittenItSaysSo) {
  const auto reader = open_reader(url_of(new_database()));
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message, HasSubstr("no history"));
}

}  // namespace
}  // namespace sesame::history::tests
