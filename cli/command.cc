#include "command.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "util/text.h"
#include "watch/memory.h"
#include "watch/state.h"

namespace sesame::cli {
namespace {

constexpr std::size_t kMaxMessage = 64u << 20;
constexpr std::size_t kChunk = 64u << 10;
constexpr std::int64_t kOldestLook = 3600;  // seconds

struct Close {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

Result<std::string> read_text(const std::string& name, std::FILE* file) {
  std::string text;
  std::array<char, kChunk> chunk;
  while (const auto count = std::fread(chunk.data(), 1, chunk.size(), file)) {
    text.append(chunk.data(), count);
    if (text.size() > kMaxMessage) return failure(fmt::format("{}: is larger than {} MiB", name, kMaxMessage >> 20));
  }
  if (std::ferror(file)) return failure(fmt::format("{}: cannot be read: {}", name, errno_text(errno)));
  return text;
}

}  // namespace

Result<config::Config> load_settings(const std::optional<std::string>& path) {
  if (path) return config::load(*path);
  std::error_code ignored;
  const auto installed = config::default_path();
  return std::filesystem::exists(installed, ignored) ? config::load(installed) : config::defaults();
}

Result<RuntimePtr> make_runtime(const Common& common, config::Config config) {
  if (!common.dns.empty()) config.dns.servers = {common.dns};
  auto runtime = inspect::make_runtime(std::move(config));
  if (runtime && !(*runtime)->snapshot.error.empty())
    complain("warning: ses.snapshot: only the configuration holds: " + (*runtime)->snapshot.error, kFine);
  if (runtime && !(*runtime)->arrivals_error.empty())
    complain("warning: ses.arrivals: nothing was learned: " + (*runtime)->arrivals_error, kFine);
  return runtime;
}

RuntimePtr with_memory(RuntimePtr runtime) {
  const auto& settings = runtime->config.watch;
  if (settings.memory.empty()) return runtime;
  const auto memory = watch::Memory::open(settings.memory, watch::Memory::Access::read_only);
  auto states = memory ? (*memory)->states() : tl::unexpected(memory.error());
  if (!states) {
    complain("warning: watch.memory: what the watch saw is not known: " + states.error().message, kFine);
    return runtime;
  }
  // What was at fault when the watch ended may be mended since.
  const auto oldest = runtime->clock->unix_now() - std::max(kOldestLook, 4 * std::int64_t{settings.interval.count()});
  const auto aged = std::erase_if(*states, [oldest](const watch::RecordState& each) {
    return each.checked < oldest && (each.state == watch::State::degraded || each.state == watch::State::missing);
  });
  if (aged > 0) complain("warning: watch.memory: the faults in it are too old to count: is the watch running?", kFine);
  auto sights = (*memory)->sights("").value_or(std::vector<watch::Sight>{});
  std::erase_if(sights, [oldest](const watch::Sight& each) { return each.time < oldest; });
  auto ledger = std::make_shared<watch::Ledger>();
  ledger->restore(*std::move(states), sights, runtime->clock->unix_now());
  return inspect::with_watch(*runtime, std::move(ledger));
}

Deadline deadline_of(const inspect::Runtime& runtime) {
  return runtime.clock->steady_now() + runtime.config.dns.budget;
}

Result<mail::Message> read_message(const std::string& file) {
  const std::string name = file == "-" ? "standard input" : file;
  const std::unique_ptr<std::FILE, Close> source(file == "-" ? stdin : std::fopen(file.c_str(), "rb"));
  if (!source) return failure(fmt::format("{}: cannot be opened: {}", name, errno_text(errno)));
  const auto text = read_text(name, source.get());
  if (!text) return tl::unexpected(text.error());
  return mail::read_message(*text);
}

void feed(inspect::Inspection& inspection, const mail::Message& message) {
  for (const auto& field : message.fields) inspection.field(field);
  inspection.end_of_header();
  inspection.body(message.body);
}

std::string without_brackets(const std::string& path) {
  const bool bracketed = path.size() >= 2 && path.front() == '<' && path.back() == '>';
  return bracketed ? path.substr(1, path.size() - 2) : path;
}

int answer(const std::string& text, int status) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                       (text.ends_with('\n') || std::fputc('\n', stdout) != EOF) && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return status;
  return complain(fmt::format("cannot write the answer: {}", errno_text(errno)), kUsage);
}

int complain(const std::string& message, int status) {
  for (const auto line : split(message, '\n')) fmt::print(stderr, "sesame: {}\n", line);
  return status;
}

}  // namespace sesame::cli
