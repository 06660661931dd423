// The store that hosts share. What the server is asked is in postgres_tables.cc.
#include <fmt/format.h>

#include "history/postgres_connection.h"
#include "history/postgres_tables.h"
#include "history/store.h"

namespace sesame::history {
namespace {

using postgres::Connection;

constexpr int kPruneStep = 5000;  // rows

// Whoever has the lock is the one who forgets.
constexpr const char* kPruneLock = "SELECT pg_try_advisory_xact_lock(1399157601, 2)";

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(std::string url) : url_(std::move(url)) {}

  Result<void> connect() {
    if (connection_ && !connection_->is_broken()) return {};
    connection_.reset();
    auto opened = Connection::open(url_, Connection::Use::write);
    if (!opened) return tl::unexpected(opened.error());
    if (auto made = postgres::make_tables(**opened); !made) return made;
    if (auto made = postgres::make_batch(**opened); !made) return made;
    connection_ = *std::move(opened);
    return {};
  }

  Result<void> write(std::span<const Row> rows) override {
    if (rows.empty()) return {};
    const bool old = connection_ != nullptr;
    auto done = try_to_write(rows);
    // One that was idle may have ended without a word.
    if (!done && old && connection_ && connection_->is_broken()) done = try_to_write(rows);
    if (!done) connection_.reset();
    return done;
  }

  Refused take_refused() override { return std::exchange(refused_, {}); }

  Result<bool> prune(std::int64_t before, std::size_t /*max_size*/) override {
    auto done = connect();
    bool more = false;
    if (done) done = in_transaction([&] { return prune_step(before, more); });
    if (done) return more;
    connection_.reset();
    return tl::unexpected(done.error());
  }

 private:
  // What became of a batch.
  struct Split {
    std::size_t taken = 0, refused = 0;
    std::string why;
  };

  template <class Steps>
  Result<void> in_transaction(Steps&& steps) {
    auto done = connection_->run("BEGIN");
    if (done) done = steps();
    if (done) done = connection_->run("COMMIT");
    return done;
  }

  Result<void> try_to_write(std::span<const Row> rows) {
    Split split;
    auto done = connect();
    if (done) done = write_parts(rows, split);
    if (!done) return done;
    // Where nothing at all is taken it is the table that is wrong, and somebody may mend it.
    if (split.refused > 0 && split.taken == 0) return failure(split.why);
    if (split.refused > 0) refused_ = {refused_.rows + split.refused, split.why};
    return {};
  }

  // A row that the server would refuse for ever must not hold up the others: what is refused for its values is tried
  // again by halves, until the rows that are to blame stand alone.
  Result<void> write_parts(std::span<const Row> rows, Split& split) {
    auto done = in_transaction([&] { return postgres::take_batch(*connection_, rows); });
    if (done) {
      split.taken += rows.size();
      return done;
    }
    if (!connection_->refused_values()) return done;
    if (auto undone = connection_->run("ROLLBACK"); !undone) return undone;
    if (rows.size() == 1) {
      ++split.refused;
      split.why = done.error().message;
      return {};
    }
    const auto half = rows.size() / 2;
    if (done = write_parts(rows.first(half), split); !done) return done;
    return write_parts(rows.subspan(half), split);
  }

  Result<void> prune_step(std::int64_t before, bool& more) {
    const auto mine = postgres::number_of(*connection_, kPruneLock);
    if (!mine) return tl::unexpected(mine.error());
    if (*mine == 0) return {};
    const std::int64_t hour = before / 1'000'000 / 3600 * 3600;
    for (const auto& [sql, border] : {std::pair{kPruneMessages, before}, std::pair{kPruneHours, hour}}) {
      std::int64_t gone = 0;
      auto done = connection_->ask(sql, {border, std::int64_t{kPruneStep}},
                                   [&gone](const Cells& cells) { gone = cells.number(0); });
      if (!done) return done;
      more = more || gone == kPruneStep;
    }
    return {};
  }

  static constexpr const char* kPruneMessages =
      "WITH gone AS (DELETE FROM sesame_message WHERE ctid = ANY (ARRAY(SELECT ctid FROM sesame_message "
      "WHERE time < $1 ORDER BY time LIMIT $2)) RETURNING origin, sequence), "
      "stories AS (DELETE FROM sesame_story USING gone WHERE sesame_story.origin = gone.origin "
      "AND sesame_story.sequence = gone.sequence) SELECT count(*) FROM gone";
  static constexpr const char* kPruneHours =
      "WITH gone AS (DELETE FROM sesame_hour WHERE ctid = ANY (ARRAY(SELECT ctid FROM sesame_hour "
      "WHERE hour < $1 ORDER BY hour LIMIT $2)) RETURNING hour) SELECT count(*) FROM gone";

  const std::string url_;
  std::unique_ptr<Connection> connection_;
  Refused refused_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres_store(const std::string& url) {
  auto store = std::make_unique<PostgresStore>(url);
  if (auto connected = store->connect(); !connected) return tl::unexpected(connected.error());
  return store;
}

}  // namespace sesame::history
