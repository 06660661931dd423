#include "sync/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace sesame::sync {
namespace {

constexpr mode_t kMode = 0640;

tl::unexpected<Error> trouble(const std::string& path, const char* what) {
  return failure(fmt::format("{}: {}: {}", path, what, errno_text(errno)));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// As the file that is replaced; what is not allowed is left.
void take_over_owner(int fd, const std::string& path) {
  struct stat old {}, now {};
  if (stat(path.c_str(), &old) != 0 || fstat(fd, &now) != 0) return;
  if (old.st_uid == now.st_uid && old.st_gid == now.st_gid) return;
  if (fchown(fd, old.st_uid, old.st_gid) != 0) (void)!fchown(fd, static_cast<uid_t>(-1), old.st_gid);
}

void sync_directory(const std::filesystem::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

Result<std::optional<std::string>> read_file(const std::string& path, std::size_t max_size) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && !file.eof()))
    return trouble(path, "cannot be read");
  std::error_code error;
  if (std::filesystem::file_size(path, error) > max_size && !error)
    return failure(fmt::format("{}: is larger than {} bytes", path, max_size));
  std::ostringstream text;
  text << file.rdbuf();
  return std::optional(std::move(text).str());
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  std::error_code error;
  const auto resolved = std::filesystem::weakly_canonical(path, error);
  const auto target = error ? std::filesystem::path(path) : resolved;
  auto name = target.string() + ".XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return trouble(name, "cannot be created");
  take_over_owner(fd, target.string());
  const bool written = write_all(fd, text) && fchmod(fd, kMode) == 0 && fsync(fd) == 0;
  const int why = errno;
  const bool closed = close(fd) == 0;
  if (written && closed && rename(name.c_str(), target.c_str()) == 0) {
    sync_directory(target.parent_path());
    return {};
  }
  if (!written) errno = why;
  auto result = trouble(path, "cannot be written");
  unlink(name.c_str());
  return result;
}

Result<std::optional<Lock>> Lock::take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (fd < 0) return trouble(path, "cannot be opened");
  Lock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(lock));
  if (errno == EWOULDBLOCK) return std::nullopt;
  return trouble(path, "cannot be locked");
}

Lock::Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Lock::~Lock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sesame::sync
