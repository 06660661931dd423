#include "history/sqlite_file.h"

#include <fmt/format.h>

namespace sesame::history {

using sqlite::Connection;

namespace {

// Nothing is written to a file that is not ours.
Result<bool> is_empty(Connection& connection, const FileKind& kind) {
  const auto application = number_of(connection, "PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  const auto tables = number_of(connection, "SELECT count(*) FROM sqlite_master");
  if (!tables) return tl::unexpected(tables.error());
  if (*application == 0 && *tables == 0) return true;
  if (*application != kind.application)
    return failure(fmt::format("{}: is not {}, but a database of another program", connection.path(), kind.what));
  const auto version = number_of(connection, kind.version_query);
  if (!version) return tl::unexpected(version.error());
  if (*version != kind.version)
    return failure(
        fmt::format("{}: was written by {} version of Sesame: its tables are of version {}, this one knows {}",
                    connection.path(), *version > kind.version ? "a later" : "another", *version, kind.version));
  return false;
}

Result<void> make_tables(Connection& connection, const FileKind& kind) {
  // Somebody else may have made them since.
  return in_transaction(connection, [&]() -> Result<void> {
    const auto empty = is_empty(connection, kind);
    if (!empty) return tl::unexpected(empty.error());
    return *empty ? connection.execute(kind.schema) : Result<void>{};
  });
}

}  // namespace

Result<std::int64_t> number_of(Connection& connection, std::string_view sql) {
  sqlite::Query query(connection, sql);
  const auto row = query.next();
  if (!row) return tl::unexpected(row.error());
  return *row ? query.number(0) : 0;
}

Result<std::unique_ptr<Connection>> open_to_write(const std::string& path, const FileKind& kind,
                                                  std::shared_ptr<const sqlite::Patience> patience) {
  auto connection = Connection::open(path, Connection::Access::read_write, std::move(patience));
  if (!connection) return connection;
  const auto empty = is_empty(**connection, kind);
  if (!empty) return tl::unexpected(empty.error());
  // How pages are given back is settled before anything else is written.
  if (*empty) {
    if (auto done = (*connection)->execute("PRAGMA auto_vacuum = INCREMENTAL"); !done)
      return tl::unexpected(done.error());
  }
  // What the log beside the file grew to is given back.
  const auto modes = fmt::format(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA journal_size_limit = 4194304", kind.synchronous);
  if (auto done = (*connection)->execute(modes.c_str()); !done) return tl::unexpected(done.error());
  if (*empty) {
    if (auto made = make_tables(**connection, kind); !made) return tl::unexpected(made.error());
  }
  return connection;
}

Result<std::unique_ptr<Connection>> open_to_read(const std::string& path, const FileKind& kind,
                                                 std::shared_ptr<const sqlite::Patience> patience) {
  auto connection = Connection::open(path, Connection::Access::read_only, std::move(patience));
  if (!connection) return connection;
  const auto empty = is_empty(**connection, kind);
  if (!empty) return tl::unexpected(empty.error());
  if (*empty) return failure(path + ": is empty: nothing has been written to it yet");
  return connection;
}

Result<FileSize> size_of(Connection& connection) {
  std::int64_t figures[3] = {};
  constexpr std::string_view kQuestions[] = {"PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count"};
  for (std::size_t i = 0; i < std::size(kQuestions); ++i) {
    const auto figure = number_of(connection, kQuestions[i]);
    if (!figure) return tl::unexpected(figure.error());
    figures[i] = *figure;
  }
  const auto [page, pages, free] = figures;
  return FileSize{static_cast<std::size_t>(page * (pages - free)), static_cast<std::size_t>(page * pages)};
}

Result<void> give_back(Connection& connection) {
  return connection.execute("PRAGMA incremental_vacuum(1000)");
}

}  // namespace sesame::history
