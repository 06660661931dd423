#include "milter/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "util/clock.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

constexpr const char* kIdent = "sesame-milter";
constexpr std::size_t kMaxLine = 4096;

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

const char* word(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

// Under systemd standard error may lead to the journal: systemd.exec(5), $JOURNAL_STREAM.
bool is_journal(int file) {
  const char* told = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  if (!told || ::fstat(file, &found) != 0) return false;
  return std::to_string(found.st_dev) + ':' + std::to_string(found.st_ino) == told;
}

// "<4>": by it the journal knows how severe a line is, sd-daemon(3).
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    const char number = message.level >= spdlog::level::err    ? '3'
                        : message.level == spdlog::level::warn ? '4'
                        : message.level == spdlog::level::info ? '6'
                                                               : '7';
    for (const char each : {'<', number, '>'}) to.push_back(each);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

std::unique_ptr<spdlog::formatter> formatter(const config::Log& settings) {
  auto made = std::make_unique<spdlog::pattern_formatter>();
  made->add_flag<Priority>('*');
  const bool journal = settings.destination == "stderr" && is_journal(STDERR_FILENO);
  // syslog and the journal have a time and a host of their own; the lines of JSON carry theirs inside.
  const bool bare = journal || settings.destination == "syslog" || settings.format == config::Log::Format::json;
  made->set_pattern(std::string(journal ? "%*" : "") + (bare ? "%v" : "%Y-%m-%dT%H:%M:%S%z %l %v"));
  return made;
}

spdlog::level::level_enum threshold(const std::string& configured) {
  if (configured == "debug") return spdlog::level::debug;
  if (configured == "warning") return spdlog::level::warn;
  if (configured == "error") return spdlog::level::err;
  return spdlog::level::info;
}

Result<spdlog::sink_ptr> make_sink(const std::string& destination) {
  try {
    if (destination == "syslog")
      return std::make_shared<spdlog::sinks::syslog_sink_mt>(kIdent, LOG_PID, LOG_MAIL, false);
    if (destination == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    // spdlog would make the directory; a mistyped one is an error.
    const auto parent = std::filesystem::path(destination).parent_path();
    std::error_code error;
    if (!std::filesystem::is_directory(parent, error))
      return failure("cannot open the log: there is no directory " + parent.string());
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(destination);
  } catch (const spdlog::spdlog_ex& error) {
    return failure("cannot open the log: " + printable(error.what()));
  }
}

}  // namespace

struct Log::Output {
  Output(config::Log wanted, spdlog::sink_ptr opened)
      : settings(std::move(wanted)), sink(std::move(opened)), logger(kIdent, sink) {
    logger.set_formatter(formatter(settings));
    logger.set_level(threshold(settings.level));
    logger.flush_on(spdlog::level::debug);
  }

  config::Log settings;
  spdlog::sink_ptr sink;
  spdlog::logger logger;
};

Log::Log(const Clock& clock) : clock_(clock) {
  config::Log settings;
  settings.destination = "stderr";
  settings.level = "info";
  auto first = std::make_shared<Output>(settings, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  output_.with([&](auto& output) { output = std::move(first); });
}

Log::~Log() = default;

Result<void> Log::open(const config::Log& settings) {
  const auto old = output();
  // A second syslog sink would call openlog() before the first one's closelog().
  const bool is_file = settings.destination.starts_with('/');
  auto sink = is_file || settings.destination != old->settings.destination ? make_sink(settings.destination)
                                                                           : Result<spdlog::sink_ptr>(old->sink);
  if (!sink) return tl::unexpected(sink.error());
  auto opened = std::make_shared<Output>(settings, *sink);
  output_.with([&](auto& output) { output = std::move(opened); });
  return {};
}

void Log::write(Level level, std::string_view queue_id, std::string_view text) {
  const auto to = output();
  auto safe = printable(text, kMaxLine);
  const auto id = printable(queue_id);
  if (to->settings.format == config::Log::Format::text) {
    to->logger.log(spdlog_level(level), id.empty() ? safe : "queue_id=" + id + ' ' + safe);
    return;
  }
  nlohmann::ordered_json object = {{"time", timestamp(clock_.unix_now())},
                                   {"event", "daemon"},
                                   {"level", word(level)},
                                   {"message", std::move(safe)}};
  if (!id.empty()) object["queue_id"] = id;
  to->logger.log(spdlog_level(level), object.dump());
}

void Log::line(Level level, std::string_view text) {
  const auto passes = [&](Repeats& repeats) { return repeats.lets_pass(text, level, clock_.steady_now()); };
  if (level < Level::warning || repeats_.with(passes)) write(level, "", text);
}

void Log::line_about(std::string_view queue_id, Level level, std::string_view text) {
  write(level, queue_id.empty() ? "none" : queue_id, text);
}

void Log::event(std::string_view rendered, Level level) {
  output()->logger.log(spdlog_level(level), rendered);
}

bool Log::takes(Level level) const {
  return output()->logger.should_log(spdlog_level(level));
}

void Log::tell(const std::vector<Repeats::Held>& held) {
  for (const auto& [line, level, count] : held)
    write(level, "", fmt::format("... {} more of these in the last minute: {}", count, line));
}

void Log::tell_repeats() {
  tell(repeats_.with([&](Repeats& repeats) { return repeats.over(clock_.steady_now()); }));
}

config::Log::Format Log::format() const {
  return output()->settings.format;
}

void Log::flush() {
  tell(repeats_.with([](Repeats& repeats) { return repeats.all(); }));
  output()->logger.flush();
}

std::shared_ptr<Log::Output> Log::output() const {
  return output_.with([](const auto& output) { return output; });
}

}  // namespace sesame::milter
