#include "milter/api.h"

#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "history/reader.h"
#include "milter/api_parts.h"
#include "milter/dashboard_files.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

using api::Json;
using api::Query;
using api::Said;

constexpr int kQuestions = 2;  // put to the history at once: fewer than there are threads that answer
constexpr std::chrono::milliseconds kPatience{500};

constexpr const char* kNoHistory =
    "No history is kept: set store in [history] of the configuration, to an SQLite file or a PostgreSQL database, and "
    "reload.";

// So many at once, and nobody waits long for a turn.
class Turns {
 public:
  bool take() {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, kPatience, [this] { return left_ > 0; })) return false;
    --left_;
    return true;
  }
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      ++left_;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int left_ = kQuestions;
};

class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(turns), taken_(turns.take()) {}
  ~Turn() {
    if (taken_) turns_.give_back();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  Turns& turns_;
  const bool taken_;
};

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Reply reply_of(const Said& said) {
  if (said) return {200, "application/json", text_of(*said)};
  return {said.error().status, "application/json", text_of({{"error", said.error().sentence}})};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// A URL may have a password in it.
const char* kind_of(const history::Options& options) {
  if (options.store.empty()) return "none";
  return history::is_postgresql(options.store) ? "postgresql" : "sqlite";
}

Json history_value(const history::Options& options, const history::Standing& standing) {
  return {{"store", kind_of(options)},   {"keep_s", options.keep.count()},
          {"kept", standing.kept},       {"lost", standing.lost},
          {"waiting", standing.waiting}, {"spooled", standing.spooled},
          {"lag_us", standing.lag_us},   {"trouble", printable(standing.trouble, 400)}};
}

}  // namespace

struct Api::Impl {
  Service& service;
  const Watching& watching;
  const std::int64_t started;
  mutable Turns turns{};

  Json about(const inspect::Runtime& runtime, std::int64_t now) const {
    return {{"version", SESAME_VERSION},
            {"host", host_name()},
            {"started", started},
            {"now", now},
            {"judged", service.judged.load()},
            {"failures", service.failures.load()},
            {"connections", service.connections.count()},
            {"history", history_value(runtime.config.history, service.recording.standing())}};
  }

  template <class Ask>
  Said ask_history(const inspect::Runtime& runtime, Ask&& ask) const {
    const auto& store = runtime.config.history.store;
    if (store.empty()) return api::refuse(404, kNoHistory);
    const Turn turn(turns);
    if (!turn) return api::refuse(503, "The history is busy with other questions; ask again.");
    const auto reader = history::open_reader(store);
    if (!reader) return api::refuse(502, "The history cannot be read: " + printable(reader.error().message, 400) + ".");
    return ask(**reader);
  }

  Said answer(std::string_view path, const Query& query) const {
    const auto runtime = service.runtime.current();
    const auto now = runtime->clock->unix_now();
    using history::Reader;
    if (path == "/api/about") return about(*runtime, now);
    if (path == "/api/dns") return api::dns(*runtime);
    if (path == "/api/identities") return api::identities(*runtime, watching.ledger().get(), query, now);
    if (path == "/api/overview")
      return ask_history(*runtime, [&](Reader& reader) { return api::overview(reader, query, now); });
    if (path == "/api/messages")
      return ask_history(*runtime, [&](Reader& reader) { return api::messages(reader, query, now); });
    if (path == "/api/message")
      return ask_history(*runtime, [&](Reader& reader) { return api::message(reader, query); });
    return api::refuse(404, "There is no such answer.");
  }
};

Api::Api(Service& service, Watching& watching)
    : impl_(new Impl{service, watching, service.runtime.current()->clock->unix_now()}) {}
Api::~Api() = default;

Reply Api::get(std::string_view path, const std::map<std::string, std::string>& query) const {
  if (path.starts_with("/api/")) return reply_of(impl_->answer(path, query));
  const auto name = path == "/" ? std::string_view("/index.html") : path;
  for (const auto& file : dashboard_files())
    if (name.substr(0, 1) == "/" && name.substr(1) == file.name) return {200, file.type, std::string(file.contents)};
  return {404, "text/plain; charset=utf-8", "not found\n"};
}

}  // namespace sesame::milter
