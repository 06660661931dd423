// Files that are replaced whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame::sync {

// Nothing when there is no such file.
Result<std::optional<std::string>> read_file(const std::string& path, std::size_t max_size);

// A file of mode 0640 in its place, written out to the disk before it takes it; owner and group of the file replaced
// are kept where that is allowed. A symbolic link stays, and what it leads to is replaced.
Result<void> replace_file(const std::string& path, std::string_view text);

// Held as long as the object lives, or the process.
class Lock {
 public:
  // Nothing when another process holds it. The file is created, and stays.
  static Result<std::optional<Lock>> take(const std::string& path);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace sesame::sync
