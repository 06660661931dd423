// Files that are replaced whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame {

// Nothing when there is no such file.
Result<std::optional<std::string>> read_file(const std::string& path, std::size_t max_size);

// Is what stands there, if anything, no symbolic link? A rename replaces the link itself, and what it leads to may be
// anywhere, where whoever made the link could not write.
Result<void> check_replaceable(const std::string& path);

// A file of mode 0640 in its place, written out to the disk before it takes it. Owner and group are those of the file
// replaced, or of the directory where there was none, as far as that is allowed: what root makes, the daemon can read.
Result<void> replace_file(const std::string& path, std::string_view text);

// Held as long as the object lives, or the process.
class FileLock {
 public:
  // Nothing when another process holds it. The file is created, with the owner of its directory, and stays.
  static Result<std::optional<FileLock>> take(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace sesame
