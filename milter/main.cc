// sesame-milter: the daemon. Stays in the foreground; systemd or another supervisor looks after it.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "milter/callbacks.h"
#include "milter/dns_file.h"
#include "milter/dns_lines.h"
#include "milter/keeper.h"
#include "milter/log.h"
#include "milter/runtime.h"
#include "milter/session.h"
#include "milter/signals.h"
#include "milter/snapshot_lines.h"
#include "milter/status.h"
#include "milter/watching.h"

namespace {

using namespace sesame;
using namespace sesame::milter;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr std::chrono::seconds kLastReplies{1};
constexpr std::chrono::seconds kLastRows{5};
constexpr std::chrono::seconds kLookAtSnapshot{2};  // so often
constexpr std::chrono::hours kTellDns{1};           // likewise

struct Arguments {
  std::string config = config::default_path();
  std::string socket;
};

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

int complain(const std::string& message, int status) {
  std::fprintf(stderr, "sesame-milter: %s\n", message.c_str());
  return status;
}

// Who to become; nobody when not asked for.
Result<std::optional<User>> find_user(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (::geteuid() != 0)
    return failure("milter.user: only root can become " + name + "; leave it empty or start as root");
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
    return failure("milter.user: there is no user " + name);
  return User{name, entry.pw_uid, entry.pw_gid};
}

Result<void> become(const User& user, const std::string& socket_path) {
  const auto failed = [&](const char* what) {
    return failure(fmt::format("cannot become {}: {}: {}", user.name, what, errno_text(errno)));
  };
  if (!socket_path.empty() && ::lchown(socket_path.c_str(), user.uid, user.gid) != 0) return failed("chown");
  if (::initgroups(user.name.c_str(), user.gid) != 0) return failed("initgroups");
  if (::setgid(user.gid) != 0) return failed("setgid");
  if (::setuid(user.uid) != 0) return failed("setuid");
  if (user.uid != 0 && ::setuid(0) == 0) return failure("cannot become " + user.name + ": root comes back");
  return {};
}

std::string servers_of(const config::Dns& dns) {
  if (dns.servers.empty()) return "resolv.conf";
  std::string list;
  for (const auto& server : dns.servers) list += (list.empty() ? "" : ",") + server;
  return list;
}

// "identities=3 dns=resolv.conf watch=3 history=/var/lib/sesame/history.sqlite"
std::string served(const inspect::Runtime& runtime) {
  return fmt::format("identities={} dns={} watch={} history={}", runtime.accounts->identity_count(),
                     servers_of(runtime.config.dns), watched_by(runtime), kept_in(runtime.config.history));
}

// What was learned from mail received helps, and nothing depends on it.
void tell_arrivals(const inspect::Runtime& runtime, Log& log) {
  if (!runtime.arrivals_error.empty())
    log.line(Level::warning, "ses.arrivals: begins empty: " + runtime.arrivals_error);
}

void tell_snapshot(const inspect::Runtime* before, const inspect::Runtime& after, Log& log) {
  for (const auto& line : snapshot_lines(before, after, after.clock->unix_now())) log.line(line.level, line.text);
}

void tell_dns(const inspect::Runtime& runtime, Log& log) {
  if (runtime.cache) tell_dns(*runtime.cache, log, runtime.clock->unix_now());
}

// A new snapshot, or one that became too old, serves the connections that begin from now on.
void refresh(RuntimeStore& store, Log& log) {
  const auto old = store.current();
  const auto next = inspect::refresh(*old);
  if (!next) return;
  store.replace(next);
  tell_snapshot(old.get(), *next, log);
}

void reload(const std::string& path, RuntimeStore& store, Log& log) {
  const auto old = store.current();
  const auto next = reload_runtime(path, *old);
  if (!next) {
    log.open(old->config.log);  // the file may have been rotated all the same
    log.line(Level::error, "reload: the configuration stays as it was: " + next.error().message);
    return;
  }
  if (auto opened = log.open((*next)->config.log); !opened)
    log.line(Level::error, "reload: the log stays where it was: " + opened.error().message);
  store.replace(*next);
  // Its counters end with it.
  if ((*next)->cache != old->cache) tell_dns(*old, log);
  tell_arrivals(**next, log);
  tell_snapshot(old.get(), **next, log);
  log.line(Level::info, "reload: done: " + served(**next));
  if (const auto names = needs_restart(old->config, (*next)->config); !names.empty())
    log.line(Level::warning, "reload: changed only by a restart: " + names);
}

// No new connections; what is under way ends by itself, for a while.
void drain(Service& service, std::chrono::seconds at_most) {
  service.draining = true;
  service.log.line(Level::info, fmt::format("stop: waiting up to {} s for {} messages under way", at_most.count(),
                                            service.messages.count()));
  if (const auto left = service.messages.wait_for_none(at_most); left > 0)
    service.log.line(Level::warning, fmt::format("stop: {} messages under way are left to the MTA", left));
  // The reply to the last message is written after its callback returned; the MTA closes when it has it.
  service.connections.wait_for_none(kLastReplies);
}

int run(const Arguments& arguments, const Snapshot& runtime) {
  const auto& config = runtime->config;
  const auto& socket = arguments.socket.empty() ? config.milter.socket : arguments.socket;
  const auto user = find_user(config.milter.user);
  if (!user) return complain(user.error().message, kExitUsage);
  static Log log;
  static RuntimeStore store(runtime);
  static Service service(store, log);
  if (auto opened = open_socket(socket, service); !opened) return complain(opened.error().message, kExitFailed);
  if (*user)
    if (auto became = become(**user, unix_path(socket)); !became) return complain(became.error().message, kExitFailed);
  // After the change of user, so that the file belongs to whom will open it again.
  if (auto opened = log.open(config.log); !opened) return complain(opened.error().message, kExitFailed);
  log.line(Level::info, fmt::format("start: version={} socket={} {}", SESAME_VERSION, socket, served(*runtime)));
  tell_snapshot(nullptr, *runtime, log);
  if (!runtime->accounts->knows_identities())
    log.line(Level::warning,
             "start: neither [[ses.identity]] nor ses.snapshot names an identity: outbound mail gets no prediction");
  tell_arrivals(*runtime, log);
  load_answers(*runtime, log);
  Keeper keeper(log);
  // An answer that is being made when the daemon ends is not waited for.
  static Watching watching(log);
  static Status status(service, watching);
  std::atomic<bool> broken = false;
  std::thread([&broken] {
    serve();
    broken = true;
    request_stop();
  }).detach();
  auto tell_dns_at = std::chrono::steady_clock::now() + kTellDns;
  for (auto event = Event::none; event != Event::stop; event = wait_for_signal(kLookAtSnapshot)) {
    if (event == Event::reload) reload(arguments.config, store, log);
    if (event == Event::none) refresh(store, log);
    const auto now = std::chrono::steady_clock::now();
    if (event == Event::counters || now >= tell_dns_at) {
      tell_dns(*store.current(), log);
      tell_dns_at = now + kTellDns;
    }
    keeper.look(*store.current(), now);
    watching.follow(store);
    service.recording.follow(*store.current());
    status.follow();
    log.tell_repeats();
  }
  if (!broken) drain(service, store.current()->config.milter.drain);
  status.stop();
  service.recording.stop(kLastRows);
  // First what would be lost if somebody lost patience with what takes longer.
  keeper.save(*store.current());
  save_answers(*store.current(), log);
  watching.stop();
  tell_dns(*store.current(), log);
  if (const auto path = unix_path(socket); !path.empty()) ::unlink(path.c_str());
  log.line(broken ? Level::error : Level::info,
           fmt::format("stop: {}judged={} failures={}", broken ? "libmilter gave up (see syslog) " : "",
                       service.judged.load(), service.failures.load()));
  log.flush();
  return broken ? kExitFailed : EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  // libmilter, the resolver and the log start threads; none may take a signal.
  block_signals();
  Arguments arguments;
  CLI::App app("Mail filter that verifies mail and predicts its fate after Amazon SES", "sesame-milter");
  app.add_option("--config", arguments.config, "Configuration file")->capture_default_str();
  app.add_option("--socket", arguments.socket, "Socket to listen on instead of the configured one");
  bool test = false;
  app.add_flag("--test-config", test, "Check the configuration and exit");
  app.set_version_flag("--version", "sesame-milter " SESAME_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kExitUsage;
  }
  if (!arguments.socket.empty() && !config::is_milter_socket(arguments.socket))
    return complain("--socket " + arguments.socket + ": expected inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH",
                    kExitUsage);
  const auto runtime = load_runtime(arguments.config);
  if (!runtime) return complain(runtime.error().message, kExitUsage);
  if (test) {
    if (const auto user = find_user((*runtime)->config.milter.user); !user)
      return complain(user.error().message, kExitUsage);
    if (const auto& error = (*runtime)->snapshot.error; !error.empty())
      complain("ses.snapshot: " + error, EXIT_SUCCESS);
    std::printf("%s: good\n", arguments.config.c_str());
    return EXIT_SUCCESS;
  }
  const int status = run(arguments, *runtime);
  // libmilter's threads cannot be joined and may be about to use what static destructors would take away.
  std::fflush(nullptr);
  std::_Exit(status);
}
