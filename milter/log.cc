#include "milter/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>

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
    // syslog has a time and a host of its own; the lines of JSON carry theirs inside.
    const bool bare = settings.destination == "syslog" || settings.format == config::Log::Format::json;
    logger.set_pattern(bare ? "%v" : "%Y-%m-%dT%H:%M:%S%z %l %v");
    logger.set_level(threshold(settings.level));
    logger.flush_on(spdlog::level::debug);
  }

  config::Log settings;
  spdlog::sink_ptr sink;
  spdlog::logger logger;
};

Log::Log() {
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

void Log::line(Level level, std::string_view text) {
  const auto to = output();
  const auto safe = printable(text, kMaxLine);
  if (to->settings.format == config::Log::Format::text) {
    to->logger.log(spdlog_level(level), safe);
    return;
  }
  const nlohmann::ordered_json object = {
      {"time", timestamp(system_clock().unix_now())}, {"event", "daemon"}, {"level", word(level)}, {"message", safe}};
  to->logger.log(spdlog_level(level), object.dump());
}

void Log::event(std::string_view rendered) {
  output()->logger.log(spdlog::level::info, rendered);
}

bool Log::takes_events() const {
  return output()->logger.should_log(spdlog::level::info);
}

config::Log::Format Log::format() const {
  return output()->settings.format;
}

void Log::flush() {
  output()->logger.flush();
}

std::shared_ptr<Log::Output> Log::output() const {
  return output_.with([](const auto& output) { return output; });
}

}  // namespace sesame::milter
