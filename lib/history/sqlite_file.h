// An SQLite file of ours, with its tables. Inside this folder only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sqlite/sqlite.h"
#include "util/result.h"

namespace sesame::history {

// What tells one kind of file from others.
struct FileKind {
  std::int64_t application = 0;  // SQLite's application_id
  std::int64_t version = 0;
  std::string_view version_query;  // literals, as the others are
  const char* schema = nullptr;    // makes the tables, and writes the application and the version
  const char* synchronous = "NORMAL";
  const char* what = "";  // "the history", for messages
};

// For writing; makes the file and its tables where they are not there. What is no file of ours stays as it is.
Result<std::unique_ptr<sqlite::Connection>> open_to_write(const std::string& path, const FileKind& kind,
                                                          std::shared_ptr<const sqlite::Patience> patience);
Result<std::unique_ptr<sqlite::Connection>> open_to_read(const std::string& path, const FileKind& kind,
                                                         std::shared_ptr<const sqlite::Patience> patience);

Result<std::int64_t> number_of(sqlite::Connection& connection, std::string_view sql);

// Octets that are in use, and those of the file.
struct FileSize {
  std::size_t used = 0, whole = 0;
};
Result<FileSize> size_of(sqlite::Connection& connection);
// Gives free pages back to the disk, a part of them at a time.
Result<void> give_back(sqlite::Connection& connection);

}  // namespace sesame::history
