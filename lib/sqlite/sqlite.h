// SQLite behind objects that clean up after themselves. This folder, and the .cc files that include this header, are
// the only ones that include sqlite3.h.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sqlite/patience.h"
#include "util/result.h"

namespace sesame::sqlite {

// One open file. For one thread at a time.
class Connection {
 public:
  enum class Access { read_write, read_only };
  // An error names the file.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access,
                                                  std::shared_ptr<const Patience> patience);

  const std::string& path() const { return path_; }
  Result<void> execute(const char* statements);
  // Prepared once, for as long as the file is open; null when that fails. `sql` is a literal.
  sqlite3_stmt* prepared(std::string_view sql);
  sqlite3* handle() { return handle_.get(); }
  // Of the last statement that wrote.
  std::int64_t last_row() { return sqlite3_last_insert_rowid(handle()); }
  int changes() { return sqlite3_changes(handle()); }
  // Does its path lead to another file by now, or to none?
  bool has_moved();
  // What SQLite says of its result `code`, with the file's name.
  tl::unexpected<Error> trouble(int code) const;

 private:
  Connection(std::string path, std::shared_ptr<const Patience> patience)
      : path_(std::move(path)), patience_(std::move(patience)) {}
  static int on_busy(void* connection, int tries);
  static int on_progress(void* connection);

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  const std::string path_;
  const std::shared_ptr<const Patience> patience_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string_view, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// One run of a prepared statement: values in the order of its marks, then the rows. No two of one statement at once.
class Query {
 public:
  // `sql` is a literal.
  Query(Connection& connection, std::string_view sql) : connection_(connection), statement_(connection.prepared(sql)) {}
  ~Query() {
    if (!statement_) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& with(std::string_view text) {
    return bound(sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
  }
  Query& with_blob(std::string_view octets) {
    return bound(sqlite3_bind_blob(statement_, ++bound_, octets.empty() ? "" : octets.data(),
                                   static_cast<int>(octets.size()), SQLITE_TRANSIENT));
  }
  template <std::integral T>
  Query& with(T number) {
    return bound(sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(number)));
  }
  template <std::integral T>
  Query& with(std::optional<T> number) {
    if (number) return with(*number);
    return bound(sqlite3_bind_null(statement_, ++bound_));
  }

  // Is there another row?
  Result<bool> next();
  // For its effect.
  Result<void> run();

  // Of the present row.
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<std::int64_t> maybe_number(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return number(column);
  }
  std::string text(int column) const;

 private:
  Query& bound(int code) {
    if (fault_ == SQLITE_OK) fault_ = code;
    return *this;
  }

  Connection& connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int fault_ = SQLITE_OK;
};

// All of it or, when something in it fails, nothing. Others who write wait.
template <class Steps>
Result<void> in_transaction(Connection& connection, Steps&& steps) {
  if (auto begun = connection.execute("BEGIN IMMEDIATE"); !begun) return begun;
  Result<void> done = steps();
  if (done) done = connection.execute("COMMIT");
  // Some errors have ended it already.
  if (!done && sqlite3_get_autocommit(connection.handle()) == 0) (void)connection.execute("ROLLBACK");
  return done;
}

}  // namespace sesame::sqlite
