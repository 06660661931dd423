// The tables of contrib/doc/history.md in SQLite. Inside this folder only.
#pragma once

#include "history/sqlite_file.h"

namespace sesame::history {

// "SeHi". A message and its story have the same rowid, so that they are forgotten together.
inline constexpr FileKind kHistory{.application = 0x53654869,
                                   .version = 1,
                                   .version_query = "SELECT value FROM sesame_meta WHERE name = 'version'",
                                   .schema = R"(
CREATE TABLE sesame_meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE sesame_message(
  origin TEXT NOT NULL, sequence BIGINT NOT NULL, time BIGINT NOT NULL, host TEXT NOT NULL, queue_id TEXT NOT NULL,
  direction TEXT NOT NULL, from_domain TEXT NOT NULL, mail_from TEXT NOT NULL, message_id TEXT NOT NULL,
  client TEXT NOT NULL, verdict TEXT NOT NULL, alignment TEXT NOT NULL, disposition TEXT NOT NULL,
  forwarder TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL, codes TEXT NOT NULL, account TEXT NOT NULL,
  region TEXT NOT NULL, identity TEXT NOT NULL, why TEXT NOT NULL, waited_us BIGINT NOT NULL, took_us BIGINT NOT NULL,
  UNIQUE(origin, sequence));
CREATE INDEX sesame_message_time ON sesame_message(time);
CREATE INDEX sesame_message_queue_id ON sesame_message(queue_id);
CREATE INDEX sesame_message_from_domain ON sesame_message(from_domain, time);
CREATE TABLE sesame_story(
  origin TEXT NOT NULL, sequence BIGINT NOT NULL, story BLOB NOT NULL, UNIQUE(origin, sequence));
CREATE TABLE sesame_hour(
  hour BIGINT NOT NULL, host TEXT NOT NULL, direction TEXT NOT NULL, from_domain TEXT NOT NULL, verdict TEXT NOT NULL,
  alignment TEXT NOT NULL, disposition TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL,
  messages BIGINT NOT NULL,
  PRIMARY KEY(hour, host, direction, from_domain, verdict, alignment, disposition, action, code));
INSERT INTO sesame_meta VALUES('version', '1');
PRAGMA application_id = 1399146601;
)",
                                   .what = "a history"};

}  // namespace sesame::history
