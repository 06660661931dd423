#include "watch/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <utility>

#include "util/text.h"

extern char** environ;

namespace sesame::watch {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kTail = 512;
constexpr std::chrono::seconds kGrace{2};  // from SIGTERM to SIGKILL
constexpr int kPollMs = 50;                // between two looks whether the child has ended

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Above those that the child's are made of.
  void move_up() {
    if (fd_ < 0 || fd_ > STDERR_FILENO) return;
    const int higher = ::fcntl(fd_, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close();
    fd_ = higher;
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read, write;

  static std::optional<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    pipe.read.move_up();
    pipe.write.move_up();
    if (!pipe.read.is_open() || !pipe.write.is_open()) return std::nullopt;
    return pipe;
  }
};

bool set_nonblocking(const Fd& fd) {
  return ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0;
}

// A child that does not read what it is given must not end us: while this lives, SIGPIPE of this thread is held back,
// and dropped at the end.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE)) return;
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
};

// What posix_spawn is told: which files the child has, its own process group, and signals as a program expects them.
class Plan {
 public:
  Plan(const Fd& input, const Fd& output) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files_, output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, output.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }

  // 0, or an errno.
  int carry_out(const std::vector<std::string>& words, pid_t& pid) const {
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return ::posix_spawn(&pid, words.front().c_str(), &files_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

class Child {
 public:
  Child(pid_t pid, Fd input, Fd output, std::string_view rest)
      : pid_(pid), input_(std::move(input)), output_(std::move(output)), rest_(rest) {}

  Ended wait(std::chrono::seconds timeout, const std::atomic<bool>& stop) {
    std::optional<Ended::How> cut;
    auto limit = steady_clock::now() + timeout;
    bool killed = false;
    while (!has_ended()) {
      exchange();
      const bool late = steady_clock::now() >= limit;
      if (!cut && (late || stop)) {
        cut = late ? Ended::How::too_late : Ended::How::stopped;
        ::kill(-pid_, SIGTERM);
        limit = steady_clock::now() + kGrace;
      } else if (cut && late && !killed) {
        ::kill(-pid_, SIGKILL);
        killed = true;
      }
    }
    receive();
    Ended ended{.output = printable(trim(tail_), kTail)};
    ended.how = cut ? *cut : WIFSIGNALED(status_) ? Ended::How::killed : Ended::How::exited;
    ended.number = WIFSIGNALED(status_) ? WTERMSIG(status_) : WEXITSTATUS(status_);
    return ended;
  }

 private:
  bool has_ended() {
    const auto got = ::waitpid(pid_, &status_, WNOHANG);
    return got == pid_ || (got < 0 && errno != EINTR);
  }

  // Waits a moment for the child to take or give something.
  void exchange() {
    std::array<pollfd, 2> ends = {{{output_.get(), POLLIN, 0}, {input_.get(), POLLOUT, 0}}};
    // What is closed is -1, which poll() passes over.
    if (::poll(ends.data(), ends.size(), kPollMs) <= 0) return;
    if (ends[1].revents) send();
    if (ends[0].revents) receive();
  }

  void send() {
    const auto count = ::write(input_.get(), rest_.data(), rest_.size());
    if (count >= 0)
      rest_.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EAGAIN && errno != EINTR)
      rest_ = {};  // it does not read any more
    if (rest_.empty()) input_.close();
  }

  // What there is, as far as one call takes: more than the end of it is nobody's interest.
  void receive() {
    std::array<char, 65536> buffer{};
    if (!output_.is_open()) return;
    const auto count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count == 0) output_.close();
    if (count <= 0) return;
    tail_.append(buffer.data(), static_cast<std::size_t>(count));
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  }

  const pid_t pid_;
  Fd input_, output_;
  std::string_view rest_;
  std::string tail_;
  int status_ = 0;
};

}  // namespace

Result<Ended> run_child(const std::vector<std::string>& words, std::string_view input, std::chrono::seconds timeout,
                        const std::atomic<bool>& stop) {
  auto to_child = Pipe::make(), from_child = Pipe::make();
  if (!to_child || !from_child || !set_nonblocking(to_child->write) || !set_nonblocking(from_child->read))
    return failure(fmt::format("no pipe to {}: {}", words.front(), errno_text(errno)));
  const NoSigpipe guard;
  pid_t pid = 0;
  if (const int error = Plan(to_child->read, from_child->write).carry_out(words, pid))
    return failure(fmt::format("{} cannot be run: {}", words.front(), errno_text(error)));
  to_child->read.close();
  from_child->write.close();
  return Child(pid, std::move(to_child->write), std::move(from_child->read), input).wait(timeout, stop);
}

}  // namespace sesame::watch
