#include <map>
#include <tuple>

#include "history/sqlite_prune.h"
#include "history/sqlite_rows.h"
#include "history/sqlite_tables.h"
#include "history/sqlite_text.h"
#include "history/store.h"

namespace sesame::history {

using sqlite::Connection;
using sqlite::Query;

namespace {

constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kHour = 3600;

// What a sum is of; the texts are those of the rows.
using Group = std::tuple<std::int64_t, std::string_view, std::string_view, std::string_view, std::string_view,
                         std::string_view, std::string_view, std::string_view, std::string_view>;
using Sums = std::map<Group, std::int64_t>;

Group group_of(const Row& row) {
  const auto second = row.time / kMicro;
  const std::string_view disposition = row.forwarder.empty() ? std::string_view(row.disposition) : "";
  return {second - second % kHour,  row.host,    row.direction, row.from_domain, row.verdict,
          to_string(row.alignment), disposition, row.action,    row.code};
}

// False when it is there already.
Result<bool> write_message(Connection& connection, const Row& row) {
  Query message(connection,
                "INSERT OR IGNORE INTO sesame_message "
                "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (auto done = bind(message, row).run(); !done) return tl::unexpected(done.error());
  if (connection.changes() == 0) return false;
  Query story(connection, "INSERT INTO sesame_story(rowid, origin, sequence, story) VALUES(?, ?, ?, ?)");
  story.with(connection.last_row()).with(row.origin).with(row.sequence).with_blob(deflated(row.story));
  if (auto done = story.run(); !done) return tl::unexpected(done.error());
  return true;
}

Result<void> write_sum(Connection& connection, const Group& group, std::int64_t messages) {
  Query query(connection,
              "INSERT INTO sesame_hour VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
              "ON CONFLICT DO UPDATE SET messages = messages + excluded.messages");
  std::apply([&query](const auto&... part) { (query.with(part), ...); }, group);
  return query.with(messages).run();
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::shared_ptr<const sqlite::Patience> patience)
      : path_(std::move(path)), patience_(std::move(patience)) {}

  Result<void> ready() {
    if (connection_ && !connection_->has_moved()) return {};
    // What the file that went away has in its log goes into that file: a new one of its name makes away with the log.
    if (connection_) (void)connection_->execute("PRAGMA wal_checkpoint");
    connection_.reset();
    auto opened = open_to_write(path_, kHistory, patience_);
    if (!opened) return tl::unexpected(opened.error());
    connection_ = std::move(*opened);
    return {};
  }

  Result<void> write(std::span<const Row> rows) override {
    if (auto done = ready(); !done) return done;
    return in_transaction(*connection_, [&]() -> Result<void> {
      Sums sums;
      for (const auto& row : rows) {
        const auto fresh = write_message(*connection_, row);
        if (!fresh) return tl::unexpected(fresh.error());
        if (*fresh) ++sums[group_of(row)];
      }
      for (const auto& [group, messages] : sums)
        if (auto done = write_sum(*connection_, group, messages); !done) return done;
      return {};
    });
  }

  Result<bool> prune(std::int64_t before, std::size_t max_size) override {
    if (auto done = ready(); !done) return tl::unexpected(done.error());
    return prune_history(*connection_, before, max_size);
  }

 private:
  const std::string path_;
  const std::shared_ptr<const sqlite::Patience> patience_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path,
                                                 std::shared_ptr<const sqlite::Patience> patience) {
  auto store = std::make_unique<SqliteStore>(path, std::move(patience));
  if (auto done = store->ready(); !done) return tl::unexpected(done.error());
  return store;
}

}  // namespace sesame::history
