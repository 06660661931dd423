#include "history/sqlite_file.h"
#include "history/sqlite_rows.h"
#include "history/sqlite_text.h"
#include "history/store.h"

namespace sesame::history {

using sqlite::Connection;
using sqlite::Query;

namespace {

// "SeSp". What has been taken over survives a loss of power.
constexpr FileKind kSpool{.application = 0x53655370,
                          .version = 1,
                          .version_query = "PRAGMA user_version",
                          .schema = R"(
CREATE TABLE spooled(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  origin TEXT NOT NULL, sequence BIGINT NOT NULL, time BIGINT NOT NULL, host TEXT NOT NULL, queue_id TEXT NOT NULL,
  direction TEXT NOT NULL, from_domain TEXT NOT NULL, mail_from TEXT NOT NULL, message_id TEXT NOT NULL,
  client TEXT NOT NULL, verdict TEXT NOT NULL, alignment TEXT NOT NULL, disposition TEXT NOT NULL,
  forwarder TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL, codes TEXT NOT NULL, account TEXT NOT NULL,
  region TEXT NOT NULL, identity TEXT NOT NULL, why TEXT NOT NULL, waited_us BIGINT NOT NULL, took_us BIGINT NOT NULL,
  story BLOB NOT NULL, UNIQUE(origin, sequence));
PRAGMA application_id = 1399149424;
PRAGMA user_version = 1;
)",
                          .synchronous = "FULL",
                          .what = "a spool"};

constexpr std::int64_t kShrinkStep = 500;  // rows
constexpr int kMostSteps = 100;            // at once

class SqliteSpool final : public Spool {
 public:
  SqliteSpool(std::string path, std::shared_ptr<const sqlite::Patience> patience)
      : path_(std::move(path)), patience_(std::move(patience)) {}

  Result<void> ready() {
    if (connection_ && !connection_->has_moved()) return {};
    connection_.reset();
    auto opened = open_to_write(path_, kSpool, patience_);
    if (!opened) return tl::unexpected(opened.error());
    connection_ = std::move(*opened);
    return {};
  }

  Result<void> add(std::span<const Row> rows) override {
    if (auto done = ready(); !done) return done;
    return in_transaction(*connection_, [&]() -> Result<void> {
      for (const auto& row : rows) {
        Query query(*connection_,
                    "INSERT OR IGNORE INTO spooled "
                    "VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        if (auto done = bind(query, row).with_blob(deflated(row.story)).run(); !done) return done;
      }
      return {};
    });
  }

  Result<std::vector<Row>> oldest(std::size_t most) override {
    if (auto done = ready(); !done) return tl::unexpected(done.error());
    constexpr int kFirst = 1;
    Query query(*connection_, "SELECT * FROM spooled ORDER BY id LIMIT ?");
    query.with(most);
    std::vector<Row> rows;
    while (true) {
      const auto more = query.next();
      if (!more) return tl::unexpected(more.error());
      if (!*more) return rows;
      rows.push_back(row_of(query, kFirst));
      rows.back().story = inflated(query.text(kFirst + kColumns));
    }
  }

  Result<void> remove(std::span<const Row> rows) override {
    if (auto done = ready(); !done) return done;
    auto done = in_transaction(*connection_, [&]() -> Result<void> {
      for (const auto& row : rows) {
        Query query(*connection_, "DELETE FROM spooled WHERE origin = ? AND sequence = ?");
        if (auto gone = query.with(row.origin).with(row.sequence).run(); !gone) return gone;
      }
      return {};
    });
    if (!done) return done;
    // An empty one is small again.
    const auto left = number_of(*connection_, "SELECT EXISTS(SELECT 1 FROM spooled)");
    if (!left) return tl::unexpected(left.error());
    return *left == 0 ? connection_->execute("PRAGMA incremental_vacuum") : Result<void>{};
  }

  Result<std::uint64_t> size() override {
    if (auto done = ready(); !done) return tl::unexpected(done.error());
    return number_of(*connection_, "SELECT count(*) FROM spooled").map([](std::int64_t rows) {
      return static_cast<std::uint64_t>(rows);
    });
  }

  Result<std::uint64_t> shrink(std::size_t max_size) override {
    if (auto done = ready(); !done) return tl::unexpected(done.error());
    std::uint64_t gone = 0;
    for (int i = 0; i < kMostSteps; ++i) {
      const auto size = size_of(*connection_);
      if (!size) return tl::unexpected(size.error());
      if (size->used <= max_size) break;
      Query query(*connection_, "DELETE FROM spooled WHERE id IN (SELECT id FROM spooled ORDER BY id LIMIT ?)");
      if (auto done = query.with(kShrinkStep).run(); !done) return tl::unexpected(done.error());
      if (connection_->changes() == 0) break;
      gone += static_cast<std::uint64_t>(connection_->changes());
    }
    return gone;
  }

 private:
  const std::string path_;
  const std::shared_ptr<const sqlite::Patience> patience_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<Spool>> open_spool(const std::string& path, std::shared_ptr<const sqlite::Patience> patience) {
  auto spool = std::make_unique<SqliteSpool>(path, std::move(patience));
  if (auto done = spool->ready(); !done) return tl::unexpected(done.error());
  return spool;
}

}  // namespace sesame::history
