#include "milter/status.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "milter/api.h"
#include "milter/status_http.h"
#include "milter/status_server.h"
#include "milter/status_socket.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

constexpr std::chrono::milliseconds kLastAnswers{500};
constexpr std::size_t kMaxToken = 4096;

// What is known when somebody asks.
Metrics::Now now_of(Service& service, const Watching& watching, const inspect::Runtime& runtime) {
  Metrics::Now now;
  now.connections = service.connections.count();
  now.messages = service.messages.count();
  now.dns = runtime.cache.get();
  now.history = service.recording.standing();
  if (const auto ledger = watching.ledger())
    for (const auto& [state, count] : ledger->counts()) now.watched.emplace_back(watch::to_string(state), count);
  now.identities = runtime.accounts->identity_count();
  const auto& snapshot = runtime.snapshot.contents;
  if (snapshot && !snapshot->regions.empty())
    now.snapshot_age_s = std::max<std::int64_t>(runtime.clock->unix_now() - runtime.accounts->as_of(), 0);
  return now;
}

struct Token {
  std::string text;
  std::string warning;
};

// The first line.
Result<Token> read_token(const std::string& path) {
  const auto contents = read_file(path, kMaxToken);
  if (!contents) return tl::unexpected(contents.error());
  if (!*contents) return failure("there is no such file");
  const std::string_view text = **contents;
  Token token{std::string(trim(text.substr(0, text.find('\n')))), ""};
  if (token.text.empty()) return failure("its first line is empty");
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0 && (file.st_mode & S_IROTH) != 0)
    token.warning = "anybody on this host can read it";
  return token;
}

}  // namespace

struct Status::Impl {
  Impl(Service& shared, Watching& watch)
      : service(shared),
        http(std::make_shared<StatusHttp>(
            StatusPages{[&shared] { return shared.draining.load(); },
                        [&shared, &watch] {
                          const auto runtime = shared.runtime.current();
                          return shared.metrics.text(now_of(shared, watch, *runtime));
                        },
                        [api = std::make_shared<const Api>(shared, watch)](
                            std::string_view path, const std::map<std::string, std::string>& query) {
                          return api->get(path, query);
                        }})) {}

  // Once, until something else is told of the same.
  void tell(std::string& last, Level level, const std::string& text) {
    if (text == last) return;
    last = text;
    if (!text.empty()) service.log.line(level, "status: " + text);
  }
  Access access_of(const config::Status& settings);
  void open();
  void close();

  Service& service;
  const std::shared_ptr<StatusHttp> http;
  config::Status settings;
  Snapshot followed;
  std::unique_ptr<StatusServer> server;
  std::string socket_path;
  std::string told_of_token, told_of_socket;
};

Access Status::Impl::access_of(const config::Status& asked) {
  if (asked.token_file.empty())
    return {asked.listen.starts_with("unix:") ? Access::Rule::anybody : Access::Rule::local, ""};
  auto token = read_token(asked.token_file);
  if (!token) {
    tell(told_of_token, Level::error,
         fmt::format("nobody is admitted: {}: {}", asked.token_file, token.error().message));
    return {};
  }
  tell(told_of_token, Level::warning, token->warning.empty() ? "" : asked.token_file + ": " + token->warning);
  return {Access::Rule::token, std::move(token->text)};
}

void Status::Impl::open() {
  const auto failed = [&](const Error& error) {
    tell(told_of_socket, Level::warning,
         fmt::format("not at {}: {}; it is tried again", settings.listen, error.message));
  };
  auto socket = open_status_socket(settings.listen);
  if (!socket) return failed(socket.error());
  socket_path = socket->path;
  auto started =
      StatusServer::start(socket->listener, [http = http](std::string_view head) { return http->answer(head); }, {});
  if (!started) {
    close();
    return failed(started.error());
  }
  server = *std::move(started);
  tell(told_of_socket, Level::info, "answers at " + settings.listen);
}

void Status::Impl::close() {
  if (server) server->stop(kLastAnswers);
  server.reset();
  if (!socket_path.empty()) ::unlink(socket_path.c_str());
  socket_path.clear();
}

Status::Status(Service& service, Watching& watching) : impl_(std::make_unique<Impl>(service, watching)) {}

Status::~Status() {
  stop();
}

void Status::follow() {
  auto& self = *impl_;
  const auto runtime = self.service.runtime.current();
  if (runtime != self.followed) {
    const auto& asked = runtime->config.status;
    if (asked.listen != self.settings.listen) {
      self.close();
      self.told_of_socket.clear();
    }
    self.settings = asked;
    self.followed = runtime;
    if (!asked.listen.empty()) self.http->set_access(self.access_of(asked));
  }
  if (!self.server && !self.settings.listen.empty()) self.open();
}

void Status::stop() {
  impl_->close();
}

}  // namespace sesame::milter
