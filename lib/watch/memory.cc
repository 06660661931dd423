#include "watch/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "sqlite/sqlite.h"
#include "watch/memory_rows.h"
#include "watch/memory_text.h"

namespace sesame::watch {
namespace {

using sqlite::Connection;
using sqlite::in_transaction;
using sqlite::Query;

// "SeWa": tells this file from other programs'.
constexpr std::int64_t kApplication = 0x53655761;
constexpr std::int64_t kVersion = 1;

// `open` is 1 for what goes on as long as the same is observed. Of a question there may be several such: two answers
// that one look got.
constexpr const char* kSchema = R"(
CREATE TABLE subject(
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, identity TEXT NOT NULL, region TEXT NOT NULL, domain TEXT NOT NULL,
  looked INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0, zones TEXT NOT NULL DEFAULT '[]',
  delegation TEXT NOT NULL DEFAULT '', bogus_zone TEXT NOT NULL DEFAULT '',
  UNIQUE(identity, account, region));
CREATE INDEX subject_by_domain ON subject(domain);
CREATE TABLE run(
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, part TEXT NOT NULL, record TEXT NOT NULL, name TEXT NOT NULL,
  type INTEGER NOT NULL, server TEXT NOT NULL, address TEXT NOT NULL, transport TEXT NOT NULL, quality TEXT NOT NULL,
  answer TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
  latency INTEGER NOT NULL, slowest INTEGER NOT NULL, ttl INTEGER NOT NULL, serial INTEGER, open INTEGER NOT NULL);
CREATE INDEX run_by_subject ON run(subject, open);
CREATE INDEX run_by_last ON run(last);
CREATE TABLE blindness(
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, kind TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  count INTEGER NOT NULL, open INTEGER NOT NULL);
CREATE INDEX blindness_by_subject ON blindness(subject, open);
CREATE TABLE state(
  subject INTEGER NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL, healthy INTEGER NOT NULL, first_bad INTEGER,
  body TEXT NOT NULL, PRIMARY KEY(subject, part, name)) WITHOUT ROWID;
CREATE TABLE event(
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, time INTEGER NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL,
  before TEXT NOT NULL, after TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX event_by_subject ON event(subject, time);
CREATE TABLE notice(
  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL, identity TEXT NOT NULL,
  region TEXT NOT NULL, domain TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX notice_by_domain ON notice(domain, time);
CREATE INDEX notice_by_identity ON notice(identity, time);
CREATE TABLE silence(
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, identity TEXT NOT NULL, region TEXT NOT NULL, domain TEXT NOT NULL,
  kind TEXT NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL, over INTEGER NOT NULL);
CREATE INDEX silence_by_identity ON silence(identity, over);
PRAGMA application_id = 1399150433;
PRAGMA user_version = 1;
)";

Result<std::int64_t> number_of(Connection& connection, std::string_view sql) {
  Query query(connection, sql);
  const auto row = query.next();
  if (!row) return tl::unexpected(row.error());
  return *row ? query.number(0) : 0;
}

// Nothing is written to a file that is not ours.
Result<bool> is_empty(Connection& connection) {
  const auto application = number_of(connection, "PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  const auto version = number_of(connection, "PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  const auto tables = number_of(connection, "SELECT count(*) FROM sqlite_master");
  if (!tables) return tl::unexpected(tables.error());
  if (*application == 0 && *version == 0 && *tables == 0) return true;
  if (*application != kApplication)
    return failure(connection.path() + ": is not the memory of a watch, but a database of another program");
  if (*version != kVersion)
    return failure(fmt::format("{}: was written by another version of Sesame: its schema is {}, this one knows {}",
                               connection.path(), *version, kVersion));
  return false;
}

Result<void> prepare_writing(Connection& connection) {
  // What the log beside the file grew to is given back.
  constexpr const char* kModes =
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;";
  return connection.execute(kModes);
}

Result<void> make_tables(Connection& connection) {
  // Somebody else may have made them since.
  return in_transaction(connection, [&connection]() -> Result<void> {
    const auto empty = is_empty(connection);
    if (!empty) return tl::unexpected(empty.error());
    return *empty ? connection.execute(kSchema) : Result<void>{};
  });
}

std::string domain_of(const std::string& identity) {
  const auto at = identity.rfind('@');
  return at == std::string::npos ? identity : identity.substr(at + 1);
}

}  // namespace

struct Memory::Database {
  std::unique_ptr<Connection> connection;
  std::mutex mutex;  // guards all of it
};

std::string lock_path(const std::string& path) {
  return path + ".lock";
}

Memory::Memory(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Memory::~Memory() = default;

Result<std::unique_ptr<Memory>> Memory::open(const std::string& path, Access access,
                                             std::shared_ptr<const sqlite::Patience> patience) {
  const bool writes = access == Access::read_write;
  auto connection = Connection::open(path, writes ? Connection::Access::read_write : Connection::Access::read_only,
                                     std::move(patience));
  if (!connection) return tl::unexpected(connection.error());
  const auto empty = is_empty(**connection);
  if (!empty) return tl::unexpected(empty.error());
  if (*empty && !writes) return failure(path + ": is empty: no watch has written to it yet");
  if (writes) {
    if (auto prepared = prepare_writing(**connection); !prepared) return tl::unexpected(prepared.error());
  }
  // What is there already is opened, and read, also while another has it locked for writing.
  if (*empty) {
    if (auto made = make_tables(**connection); !made) return tl::unexpected(made.error());
  }
  auto database = std::make_unique<Database>();
  database->connection = std::move(*connection);
  return std::unique_ptr<Memory>(new Memory(std::move(database)));
}

Result<void> Memory::record(const Look& look, std::span<const RecordState> states, std::span<const Change> changes) {
  const std::lock_guard lock(database_->mutex);
  auto& connection = *database_->connection;
  return in_transaction(connection, [&]() -> Result<void> {
    const auto subject = rows::take_subject(connection, look);
    if (!subject) return tl::unexpected(subject.error());
    if (auto done = rows::take_blindness(connection, *subject, look); !done) return done;
    if (auto done = rows::take_observations(connection, *subject, look); !done) return done;
    if (auto done = rows::take_states(connection, *subject, states); !done) return done;
    if (auto done = rows::take_changes(connection, *subject, changes, look.time); !done) return done;
    const bool healthy =
        !states.empty() && std::ranges::all_of(states, [](const auto& each) { return each.state == State::healthy; });
    if (!healthy) return {};
    return Query(connection,
                 "UPDATE silence SET over = 1 WHERE over = 0 AND identity = ? AND account = ? AND region = ? "
                 "AND kind = ? AND made <= ?")
        .with(look.subject.identity)
        .with(look.subject.account)
        .with(look.subject.region)
        .with(to_string(Silence::Kind::acknowledged))
        .with(look.time)
        .run();
  });
}

Result<void> Memory::record(const Notice& notice) {
  const std::lock_guard lock(database_->mutex);
  return Query(*database_->connection,
               "INSERT INTO notice(time, kind, account, identity, region, domain, title, text, body) "
               "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(notice.time)
      .with(to_string(notice.kind))
      .with(notice.account)
      .with(notice.identity)
      .with(notice.region)
      .with(domain_of(notice.identity))
      .with(notice.title)
      .with(notice.text)
      .with(text_of(notice))
      .run();
}

Result<void> Memory::record(const Silence& silence) {
  const std::lock_guard lock(database_->mutex);
  auto& connection = *database_->connection;
  return in_transaction(connection, [&]() -> Result<void> {
    auto replaced = Query(connection,
                          "UPDATE silence SET over = 1 WHERE over = 0 AND identity = ? AND account = ? "
                          "AND region = ? AND kind = ?")
                        .with(silence.identity)
                        .with(silence.account)
                        .with(silence.region)
                        .with(to_string(silence.kind))
                        .run();
    if (!replaced) return replaced;
    return Query(connection,
                 "INSERT INTO silence(account, identity, region, domain, kind, made, until, over) "
                 "VALUES(?, ?, ?, ?, ?, ?, ?, 0)")
        .with(silence.account)
        .with(silence.identity)
        .with(silence.region)
        .with(domain_of(silence.identity))
        .with(to_string(silence.kind))
        .with(silence.made)
        .with(silence.until)
        .run();
  });
}

Result<void> Memory::prune(std::int64_t before) {
  const std::lock_guard lock(database_->mutex);
  auto& connection = *database_->connection;
  return in_transaction(connection, [&]() -> Result<void> {
    // What began a fault that still lasts is kept, however long ago that was.
    constexpr const char* kStatements[] = {
        "DELETE FROM run WHERE last < ?1",
        "DELETE FROM blindness WHERE last < ?1",
        "DELETE FROM event WHERE time < ?1 AND NOT EXISTS (SELECT 1 FROM state WHERE state.subject = event.subject "
        "AND state.healthy = 0 AND state.first_bad <= event.time)",
        "DELETE FROM notice WHERE time < ?1 AND NOT EXISTS (SELECT 1 FROM state JOIN subject "
        "ON subject.id = state.subject WHERE state.healthy = 0 AND state.first_bad <= notice.time AND "
        "(notice.kind = 'digest' OR (subject.identity = notice.identity AND subject.account = notice.account "
        "AND subject.region = notice.region)))",
        "DELETE FROM silence WHERE made < ?1 AND (over = 1 OR (kind = 'silenced' AND until < ?1) "
        "OR kind = 'confirmed')",
        "DELETE FROM subject WHERE looked < ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE run.subject = subject.id) "
        "AND NOT EXISTS (SELECT 1 FROM state WHERE state.subject = subject.id) "
        "AND NOT EXISTS (SELECT 1 FROM event WHERE event.subject = subject.id) "
        "AND NOT EXISTS (SELECT 1 FROM blindness WHERE blindness.subject = subject.id)"};
    for (const char* statement : kStatements)
      if (auto done = Query(connection, statement).with(before).run(); !done) return done;
    return rows::prune_runs(connection);
  });
}

Result<void> Memory::forget_states(std::span<const RecordKey> keys) {
  const std::lock_guard lock(database_->mutex);
  auto& connection = *database_->connection;
  return in_transaction(connection, [&]() -> Result<void> {
    for (const auto& key : keys) {
      auto done = Query(connection,
                        "DELETE FROM state WHERE part = ? AND name = ? AND subject = "
                        "(SELECT id FROM subject WHERE identity = ? AND account = ? AND region = ?)")
                      .with(to_string(key.part))
                      .with(key.name)
                      .with(key.identity)
                      .with(key.account)
                      .with(key.region)
                      .run();
      if (!done) return done;
    }
    return {};
  });
}

bool Memory::has_moved() const {
  const std::lock_guard lock(database_->mutex);
  return database_->connection->has_moved();
}

Result<std::vector<RecordState>> Memory::states() const {
  const std::lock_guard lock(database_->mutex);
  return rows::states(*database_->connection);
}

Result<std::vector<Silence>> Memory::silences() const {
  const std::lock_guard lock(database_->mutex);
  return rows::silences(*database_->connection);
}

Result<std::vector<Silence>> Memory::silences(const std::string& domain, std::int64_t since) const {
  const std::lock_guard lock(database_->mutex);
  Query query(*database_->connection,
              "SELECT account, identity, region, kind, made, until FROM silence "
              "WHERE (?1 = '' OR identity = ?1 OR domain = ?1) AND made >= ?2 ORDER BY made, id");
  return rows::silences(query.with(domain).with(since), database_->connection->path());
}

Result<std::vector<Run>> Memory::runs(const std::string& domain, std::int64_t since) const {
  const std::lock_guard lock(database_->mutex);
  return rows::runs(*database_->connection, domain, since);
}

Result<std::vector<Memory::Event>> Memory::events(const std::string& domain, std::int64_t since) const {
  const std::lock_guard lock(database_->mutex);
  return rows::events(*database_->connection, domain, since);
}

Result<std::vector<Notice>> Memory::notices(const std::string& domain, std::int64_t since) const {
  const std::lock_guard lock(database_->mutex);
  return rows::notices(*database_->connection, domain, since);
}

Result<std::vector<Blindness>> Memory::blindnesses(const std::string& domain, std::int64_t since) const {
  const std::lock_guard lock(database_->mutex);
  return rows::blindnesses(*database_->connection, domain, since);
}

Result<std::vector<Sight>> Memory::sights(const std::string& domain) const {
  const std::lock_guard lock(database_->mutex);
  return rows::sights(*database_->connection, domain);
}

Result<std::int64_t> Memory::last_look() const {
  const std::lock_guard lock(database_->mutex);
  return number_of(*database_->connection, "SELECT coalesce(max(looked), 0) FROM subject");
}

}  // namespace sesame::watch
