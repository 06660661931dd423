#include "program.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "util/text.h"

extern char** environ;

namespace sesame::cli {
namespace {

constexpr std::size_t kMaxOutput = 1u << 20;

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    // Read to its end all the same, so that the program is not stopped by a full pipe.
    if (text.size() < kMaxOutput) text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

int spawn(const std::vector<std::string>& words, int output, pid_t& child) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  const int error = ::posix_spawn(&child, words.front().c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::string places = std::string(path ? path : "") + ":/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin";
  for (const auto place : split(places, ':')) {
    auto candidate = fmt::format("{}/{}", place, name);
    if (place.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

Result<Ended> run_program(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("pipe: " + errno_text(errno));
  pid_t child = 0;
  const int error = spawn(words, ends[1], child);
  ::close(ends[1]);
  Ended ended;
  if (error == 0) ended.output = read_all(ends[0]);
  ::close(ends[0]);
  if (error != 0) return failure(fmt::format("{}: cannot be run: {}", words.front(), errno_text(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return failure(fmt::format("{}: {}", words.front(), errno_text(errno)));
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

Result<std::string> output_of(const std::vector<std::string>& words) {
  auto ended = run_program(words);
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status != 0) return failure(fmt::format("{}: failed with status {}", join(words, " "), ended->status));
  return std::move(ended->output);
}

}  // namespace sesame::cli
