#include "milter/status_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dns/server.h"

namespace sesame::milter {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr mode_t kMode = 0660;
constexpr int kBacklog = 64;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

tl::unexpected<Error> failed(int fd, const char* what) {
  const int number = errno;
  if (fd >= 0) ::close(fd);
  return failure(std::string(what) + ": " + errno_text(number));
}

Address internet(const dns::Server& server) {
  Address address;
  const auto octets = server.address.octets();
  if (server.address.is_v4()) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port);
    std::ranges::copy(octets, reinterpret_cast<std::uint8_t*>(&to.sin_addr));
    std::memcpy(&address.storage, &to, address.size = sizeof to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(server.port);
    std::ranges::copy(octets, reinterpret_cast<std::uint8_t*>(&to.sin6_addr));
    std::memcpy(&address.storage, &to, address.size = sizeof to);
  }
  return address;
}

Result<Address> local(const std::string& path) {
  sockaddr_un to{};
  if (path.size() >= sizeof to.sun_path) return failure("the path is too long for a socket");
  to.sun_family = AF_UNIX;
  std::ranges::copy(path, to.sun_path);
  Address address;
  std::memcpy(&address.storage, &to, address.size = sizeof to);
  return address;
}

// A socket that nobody answers at is what a daemon left that did not end well.
Result<void> remove_stale(const std::string& path, const Address& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? Result<void>{} : Result<void>(failed(-1, "lstat"));
  if (!S_ISSOCK(found.st_mode)) return failure("there is something else than a socket at " + path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(fd, "socket");
  const bool refused = ::connect(fd, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  if (!refused) return failure("somebody answers at " + path);
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? Result<void>{} : Result<void>(failed(-1, "unlink"));
}

Result<StatusSocket> listen_locally(const std::string& path) {
  const auto address = local(path);
  if (!address) return tl::unexpected(address.error());
  if (auto done = remove_stale(path, *address); !done) return tl::unexpected(done.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(fd, "socket");
  // Before it has a name, so that it is at no time open to others; after, since the umask has taken from it.
  ::fchmod(fd, kMode);
  if (::bind(fd, address->get(), address->size) != 0) return failed(fd, "bind");
  if (::chmod(path.c_str(), kMode) != 0) return failed(fd, "chmod");
  if (::listen(fd, kBacklog) != 0) return failed(fd, "listen");
  return StatusSocket{fd, path};
}

}  // namespace

Result<StatusSocket> open_status_socket(const std::string& listen) {
  if (listen.starts_with(kUnix)) return listen_locally(listen.substr(kUnix.size()));
  const auto server = dns::parse_server(listen);
  if (!server) return tl::unexpected(server.error());
  const auto address = internet(*server);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(fd, "socket");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.get(), address.size) != 0) return failed(fd, "bind");
  if (::listen(fd, kBacklog) != 0) return failed(fd, "listen");
  return StatusSocket{fd, ""};
}

}  // namespace sesame::milter
