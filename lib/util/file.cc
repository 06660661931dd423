#include "util/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "util/text.h"

namespace sesame {
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

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// As what stands there, else as the directory; what is not allowed is left. Only for files that this process created.
void take_owner(int fd, const std::string& path) {
  struct stat model = {};
  struct stat own = {};
  if (lstat(path.c_str(), &model) != 0 && stat(directory_of(path).c_str(), &model) != 0) return;
  if (fstat(fd, &own) != 0 || (own.st_uid == model.st_uid && own.st_gid == model.st_gid)) return;
  if (fchown(fd, model.st_uid, model.st_gid) != 0) (void)!fchown(fd, static_cast<uid_t>(-1), model.st_gid);
}

void sync_directory(const std::string& directory) {
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

Result<void> check_replaceable(const std::string& path) {
  struct stat found = {};
  if (lstat(path.c_str(), &found) != 0 || !S_ISLNK(found.st_mode)) return {};
  std::error_code error;
  const auto target = std::filesystem::read_symlink(path, error).string();
  return failure(fmt::format("{}: is a symbolic link to {}, which would be replaced by a file; name the file itself",
                             path, printable(target)));
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  auto name = path + ".XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return trouble(name, "cannot be created");
  take_owner(fd, path);
  const bool written = write_all(fd, text) && fchmod(fd, kMode) == 0 && fsync(fd) == 0;
  const int why = errno;
  const bool closed = close(fd) == 0;
  if (written && closed && rename(name.c_str(), path.c_str()) == 0) {
    sync_directory(directory_of(path));
    return {};
  }
  if (!written) errno = why;
  auto result = trouble(path, "cannot be written");
  unlink(name.c_str());
  return result;
}

Result<std::optional<FileLock>> FileLock::take(const std::string& path) {
  constexpr int kHow = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
  int fd = open(path.c_str(), kHow | O_CREAT | O_EXCL, kMode);
  if (fd >= 0)
    take_owner(fd, directory_of(path));
  else if (errno == EEXIST)
    fd = open(path.c_str(), kHow);
  if (fd < 0) return trouble(path, "cannot be opened");
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(lock));
  if (errno == EWOULDBLOCK) return std::nullopt;
  return trouble(path, "cannot be locked");
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sesame
