// The private PostgreSQL beside which run.py runs these tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "history/history.h"
#include "history/postgres_connection.h"

namespace sesame::history::tests {

inline std::string url_of(const std::string& database, const std::string& user = "sesame") {
  return "postgresql://" + user + "@/" + database + "?host=" + std::getenv("SESAME_POSTGRES_DIRECTORY");
}

inline std::unique_ptr<postgres::Connection> connect(const std::string& database) {
  auto opened = postgres::Connection::open(url_of(database), postgres::Connection::Use::write);
  EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
  return opened ? *std::move(opened) : nullptr;
}

inline void run(const std::string& database, const std::string& sql) {
  const auto done = connect(database)->run(sql.c_str());
  EXPECT_TRUE(done) << sql << ": " << (done ? "" : done.error().message);
}

inline std::int64_t number(const std::string& database, const std::string& sql) {
  const auto found = postgres::number_of(*connect(database), sql);
  EXPECT_TRUE(found) << sql << ": " << (found ? "" : found.error().message);
  return found.value_or(-1);
}

// An empty one.
inline std::string new_database() {
  static int count = 0;
  const auto name = "test" + std::to_string(++count);
  run("postgres", "CREATE DATABASE " + name);
  return name;
}

// "start", "stop -m immediate".
inline bool control(const std::string& words) {
  const auto command = std::string(std::getenv("SESAME_POSTGRES_CTL")) + " " + words + " >/dev/null 2>&1 </dev/null";
  return std::system(command.c_str()) == 0;
}

constexpr std::int64_t kHour = std::int64_t{3600} * 1'000'000;
constexpr std::int64_t kBegin = 480'000 * kHour;

inline Row row_of(std::int64_t sequence, const std::string& origin = "one") {
  Row row;
  row.origin = origin;
  row.sequence = sequence;
  row.time = kBegin + sequence * 1'000'000;
  row.host = "mx.example.com";
  row.queue_id = "Q" + std::to_string(sequence);
  row.direction = "outbound";
  row.from_domain = "example.com";
  row.verdict = "pass";
  row.alignment = Alignment::both;
  row.action = "none";
  row.story = "{}";
  return row;
}

inline std::vector<Row> rows_of(std::int64_t first, std::int64_t count, const std::string& origin = "one") {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(row_of(first + i, origin));
  return rows;
}

}  // namespace sesame::history::tests
