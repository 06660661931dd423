#include "sqlite/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace sesame::sqlite {
namespace {

constexpr mode_t kMode = 0640;
constexpr int kPause = 20;             // milliseconds between two tries while another has it locked
constexpr int kManySteps = 1'000'000;  // of SQLite's virtual machine: only what forgets old rows takes so many

tl::unexpected<Error> file_trouble(const std::string& path, const char* what) {
  return failure(fmt::format("{}: {}: {}", path, what, errno_text(errno)));
}

// An empty file is an empty database. SQLite would give it what the umask leaves of 0644; and what root makes in the
// daemon's directory, the daemon must be able to write.
Result<void> make_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (fd < 0 && errno == EEXIST) return {};
  if (fd < 0) return file_trouble(path, "cannot be created");
  const auto slash = path.rfind('/');
  const auto directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat model = {};
  if (stat(directory.c_str(), &model) == 0 && geteuid() == 0) (void)!fchown(fd, model.st_uid, model.st_gid);
  const bool moded = fchmod(fd, kMode) == 0;
  close(fd);
  if (!moded) return file_trouble(path, "cannot be given its mode");
  return {};
}

const char* meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process has locked it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "may not be written";
    case SQLITE_CORRUPT:
      return "is damaged";
    case SQLITE_NOTADB:
      return "is no SQLite database, or is damaged";
    case SQLITE_CANTOPEN:
      return "cannot be opened";
    default:
      return "cannot be used";
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access,
                                                     std::shared_ptr<const Patience> patience) {
  const bool writes = access == Access::read_write;
  if (path.empty()) return failure("the path is empty");
  if (writes) {
    if (auto made = make_file(path); !made) return tl::unexpected(made.error());
  }
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return file_trouble(path, "cannot be opened");
  if (!S_ISREG(found.st_mode)) return failure(path + ": is no regular file");
  // A name that begins with "file:" is a file's all the same: without SQLITE_OPEN_URI no name is a URI. One that is
  // relative could still be taken for ":memory:".
  const auto name = path.front() == '/' ? path : "./" + path;
  std::unique_ptr<Connection> connection(new Connection(path, std::move(patience)));
  sqlite3* handle = nullptr;
  // Each connection is used under one mutex of ours.
  const int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  connection->handle_.reset(handle);
  if (code != SQLITE_OK) return connection->trouble(code);
  // Where it may not write, SQLite opens a file for reading all the same.
  if (writes && sqlite3_db_readonly(handle, "main") == 1) return failure(path + ": may not be written");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_handler(handle, &Connection::on_busy, connection.get());
  sqlite3_progress_handler(handle, kManySteps, &Connection::on_progress, connection.get());
  // Who may read the file but write nothing beside it can read it also when nobody else has it open.
  int persist = 1;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  return connection;
}

// 0: it is given up.
int Connection::on_busy(void* connection, int tries) {
  const auto& patience = *static_cast<Connection*>(connection)->patience_;
  if (tries * kPause >= patience.milliseconds) return 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(kPause));
  return 1;
}

// 0: it goes on.
int Connection::on_progress(void* connection) {
  return static_cast<Connection*>(connection)->patience_->milliseconds > 0 ? 0 : 1;
}

bool Connection::has_moved() {
  int moved = 0;
  return sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

tl::unexpected<Error> Connection::trouble(int code) const {
  const char* words = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  return failure(fmt::format("{}: {}: {}", path_, meaning_of(code), words));
}

Result<void> Connection::execute(const char* statements) {
  const int code = sqlite3_exec(handle(), statements, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return trouble(code);
  return {};
}

sqlite3_stmt* Connection::prepared(std::string_view sql) {
  auto& known = statements_[sql];
  if (!known) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                       nullptr);
    known.reset(statement);
  }
  return known.get();
}

Result<bool> Query::next() {
  // What could not be prepared left its error in the handle.
  if (!statement_) return connection_.trouble(sqlite3_extended_errcode(connection_.handle()));
  if (fault_ != SQLITE_OK) return connection_.trouble(fault_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_.trouble(code);
}

Result<void> Query::run() {
  while (true) {
    const auto row = next();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return {};
  }
}

std::string Query::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes ? std::string(reinterpret_cast<const char*>(bytes), size) : "";
}

}  // namespace sesame::sqlite
