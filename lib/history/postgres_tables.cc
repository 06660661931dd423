#include "history/postgres_tables.h"

#include <fmt/format.h>

namespace sesame::history::postgres {
namespace {

constexpr std::int64_t kVersion = 1;

// Advisory locks are numbers: 1399157601 is "Sesa", and then 1 is for making tables, 2 for forgetting old rows, 3 for
// the watch.
// Two hosts that make a table at once would stand in each other's way, even with IF NOT EXISTS. In the collation "C"
// texts compare as they do in SQLite, and an index does not depend on the libraries of the server.
constexpr const char* kMake = R"(
BEGIN;
SELECT pg_advisory_xact_lock(1399157601, 1);
CREATE TABLE IF NOT EXISTS sesame_meta (name TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);
CREATE TABLE IF NOT EXISTS sesame_message (
  origin TEXT COLLATE "C" NOT NULL, sequence BIGINT NOT NULL, time BIGINT NOT NULL, host TEXT COLLATE "C" NOT NULL,
  queue_id TEXT COLLATE "C" NOT NULL, direction TEXT COLLATE "C" NOT NULL, from_domain TEXT COLLATE "C" NOT NULL,
  mail_from TEXT COLLATE "C" NOT NULL, message_id TEXT COLLATE "C" NOT NULL, client TEXT COLLATE "C" NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL, alignment TEXT COLLATE "C" NOT NULL, disposition TEXT COLLATE "C" NOT NULL,
  forwarder TEXT COLLATE "C" NOT NULL, action TEXT COLLATE "C" NOT NULL, code TEXT COLLATE "C" NOT NULL,
  codes TEXT COLLATE "C" NOT NULL, account TEXT COLLATE "C" NOT NULL, region TEXT COLLATE "C" NOT NULL,
  identity TEXT COLLATE "C" NOT NULL, why TEXT COLLATE "C" NOT NULL, waited_us BIGINT NOT NULL,
  took_us BIGINT NOT NULL, UNIQUE (origin, sequence));
CREATE INDEX IF NOT EXISTS sesame_message_time ON sesame_message (time);
CREATE INDEX IF NOT EXISTS sesame_message_queue_id ON sesame_message (queue_id);
CREATE INDEX IF NOT EXISTS sesame_message_from_domain ON sesame_message (from_domain, time);
CREATE TABLE IF NOT EXISTS sesame_story (
  origin TEXT COLLATE "C" NOT NULL, sequence BIGINT NOT NULL, story TEXT COLLATE "C" NOT NULL,
  UNIQUE (origin, sequence));
CREATE TABLE IF NOT EXISTS sesame_hour (
  hour BIGINT NOT NULL, host TEXT COLLATE "C" NOT NULL, direction TEXT COLLATE "C" NOT NULL,
  from_domain TEXT COLLATE "C" NOT NULL, verdict TEXT COLLATE "C" NOT NULL, alignment TEXT COLLATE "C" NOT NULL,
  disposition TEXT COLLATE "C" NOT NULL, action TEXT COLLATE "C" NOT NULL, code TEXT COLLATE "C" NOT NULL,
  messages BIGINT NOT NULL,
  PRIMARY KEY (hour, host, direction, from_domain, verdict, alignment, disposition, action, code));
INSERT INTO sesame_meta (name, value) VALUES ('version', '1') ON CONFLICT DO NOTHING;
COMMIT;
)";

constexpr const char* kMakeBatch = R"(
CREATE TEMPORARY TABLE sesame_batch (
  origin TEXT, sequence BIGINT, time BIGINT, host TEXT, queue_id TEXT, direction TEXT, from_domain TEXT, mail_from TEXT,
  message_id TEXT, client TEXT, verdict TEXT, alignment TEXT, disposition TEXT, forwarder TEXT, action TEXT, code TEXT,
  codes TEXT, account TEXT, region TEXT, identity TEXT, why TEXT, waited_us BIGINT, took_us BIGINT, story TEXT
) ON COMMIT DELETE ROWS
)";

// Who adds to the same sums at once does so in the same order, and waits for the other instead of each for each.
constexpr const char* kTakeBatch = R"(
WITH fresh AS (
  INSERT INTO sesame_message (origin, sequence, time, host, queue_id, direction, from_domain, mail_from, message_id,
    client, verdict, alignment, disposition, forwarder, action, code, codes, account, region, identity, why, waited_us,
    took_us)
  SELECT origin, sequence, time, host, queue_id, direction, from_domain, mail_from, message_id, client, verdict,
    alignment, disposition, forwarder, action, code, codes, account, region, identity, why, waited_us, took_us
  FROM pg_temp.sesame_batch ORDER BY origin COLLATE "C", sequence
  ON CONFLICT DO NOTHING
  RETURNING origin, sequence, time / 1000000 / 3600 * 3600 AS hour, host, direction, from_domain, verdict, alignment,
    CASE forwarder WHEN '' THEN disposition ELSE '' END AS disposition, action, code),
stories AS (
  INSERT INTO sesame_story (origin, sequence, story)
  SELECT origin, sequence, story FROM pg_temp.sesame_batch JOIN fresh USING (origin, sequence)
  ON CONFLICT DO NOTHING)
INSERT INTO sesame_hour AS old
  (hour, host, direction, from_domain, verdict, alignment, disposition, action, code, messages)
SELECT hour, host, direction, from_domain, verdict, alignment, disposition, action, code, count(*) FROM fresh
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ON CONFLICT (hour, host, direction, from_domain, verdict, alignment, disposition, action, code)
DO UPDATE SET messages = old.messages + excluded.messages
)";

constexpr const char* kVersionOf = "SELECT value FROM sesame_meta WHERE name = 'version'";

Result<bool> has_tables(Connection& connection) {
  const auto found = number_of(connection, "SELECT to_regclass('sesame_meta') IS NOT NULL");
  if (!found) return tl::unexpected(found.error());
  return *found != 0;
}

Result<void> check_version(Connection& connection) {
  const auto version = number_of(connection, kVersionOf);
  if (!version) return tl::unexpected(version.error());
  if (*version != kVersion)
    return failure(fmt::format("PostgreSQL: the tables are of version {}, and this version of Sesame knows {}",
                               *version, kVersion));
  return {};
}

void append(std::string& line, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        line += "\\\\";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      default:
        line += c == '\0' || static_cast<unsigned char>(c) > 0x7f ? '?' : c;
    }
  }
  line += '\t';
}

void append(std::string& line, std::int64_t number) {
  line += std::to_string(number);
  line += '\t';
}

}  // namespace

Result<void> make_tables(Connection& connection) {
  const auto there = has_tables(connection);
  if (!there) return tl::unexpected(there.error());
  // Where they are there the role needs no right to make any.
  if (!*there)
    if (auto made = connection.run(kMake); !made) return made;
  return check_version(connection);
}

Result<void> check_tables(Connection& connection) {
  const auto there = has_tables(connection);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return failure("PostgreSQL: there is no history in this database yet");
  return check_version(connection);
}

Result<void> make_batch(Connection& connection) {
  return connection.run(kMakeBatch);
}

Result<void> take_batch(Connection& connection, std::span<const Row> rows) {
  if (auto copied = connection.copy("COPY pg_temp.sesame_batch FROM STDIN", copy_text(rows)); !copied) return copied;
  return connection.run(kTakeBatch);
}

// As kMakeBatch has the columns.
std::string copy_text(std::span<const Row> rows) {
  std::string all;
  const auto add = [&all](const auto&... fields) { (append(all, fields), ...); };
  for (const auto& row : rows) {
    add(row.origin, row.sequence, row.time, row.host, row.queue_id, row.direction, row.from_domain, row.mail_from,
        row.message_id, row.client, row.verdict, std::string_view(to_string(row.alignment)), row.disposition,
        row.forwarder, row.action, row.code, row.codes, row.account, row.region, row.identity, row.why, row.waited_us,
        row.took_us, row.story);
    all.back() = '\n';
  }
  return all;
}

}  // namespace sesame::history::postgres
