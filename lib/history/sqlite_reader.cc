#include <fmt/format.h>

#include "history/reader.h"
#include "history/sqlite_tables.h"
#include "history/sqlite_text.h"
#include "history/store.h"

namespace sesame::history {

using sqlite::Connection;

namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

class SqliteCells final : public Cells {
 public:
  explicit SqliteCells(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number(int column) const override { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const override { return text_of(statement_, column); }

 private:
  sqlite3_stmt* const statement_;
};

int bind(sqlite3_stmt* statement, int place, const Parameter& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, place, *number);
  const auto& text = std::get<std::string>(value);
  return sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(std::string path) : path_(std::move(path)) {}

  Result<void> ready() {
    if (connection_ && !connection_->has_moved()) return {};
    connection_.reset();
    auto opened = open_to_read(path_, kHistory, std::make_shared<sqlite::Patience>());
    if (!opened) return tl::unexpected(opened.error());
    connection_ = std::move(*opened);
    return {};
  }

  Result<void> ask(std::string_view sql, const std::vector<Parameter>& parameters,
                   const std::function<void(const Cells&)>& row) override {
    if (auto done = ready(); !done) return done;
    const auto statement = prepare(sql, parameters);
    if (!statement) return tl::unexpected(statement.error());
    const SqliteCells cells(statement->get());
    while (true) {
      const int code = sqlite3_step(statement->get());
      if (code == SQLITE_DONE) return {};
      if (code != SQLITE_ROW) return connection_->trouble(code);
      row(cells);
    }
  }

 private:
  // To SQLite "$2" is a name, and names are numbered in the order in which they occur.
  Result<Statement> prepare(std::string_view sql, const std::vector<Parameter>& parameters) {
    sqlite3_stmt* prepared = nullptr;
    const int code =
        sqlite3_prepare_v2(connection_->handle(), sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
    Statement statement(prepared);
    if (code != SQLITE_OK) return connection_->trouble(code);
    if (sqlite3_bind_parameter_count(prepared) != static_cast<int>(parameters.size()))
      return failure(fmt::format("{}: a question has {} parameters, and {} were given", path_,
                                 sqlite3_bind_parameter_count(prepared), parameters.size()));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const int place = sqlite3_bind_parameter_index(prepared, fmt::format("${}", i + 1).c_str());
      if (const int bound = bind(prepared, place, parameters[i]); bound != SQLITE_OK)
        return connection_->trouble(bound);
    }
    return statement;
  }

  const std::string path_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path) {
  auto reader = std::make_unique<SqliteReader>(path);
  if (auto done = reader->ready(); !done) return tl::unexpected(done.error());
  return reader;
}

Result<std::unique_ptr<Reader>> open_reader(const std::string& store) {
  return is_postgresql(store) ? open_postgres_reader(store) : open_sqlite_reader(store);
}

}  // namespace sesame::history
