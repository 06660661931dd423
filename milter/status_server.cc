#include "milter/status_server.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "milter/status_connections.h"

namespace sesame::milter {

// What the threads share; lives until the last of them has ended.
struct StatusServer::Shared {
  struct Item {
    std::uint64_t connection = 0;
    std::string head;
    Answer answer;
  };

  Shared(int socket, Responder respond, const Limits& bounds)
      : listener(socket),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        responder(std::move(respond)),
        limits(bounds) {}

  void connect();
  void respond();
  std::optional<Item> next();
  void nudge() const { ::eventfd_write(wake.get(), 1); }
  Result<void> run(const std::shared_ptr<Shared>& self, void (Shared::*work)());

  Descriptor listener;
  Descriptor wake;
  const Responder responder;
  const Limits limits;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Item> asked;
  std::vector<Item> answered;
  std::atomic<bool> over = false;
  int running = 0;  // threads
};

// The thread of the connections.
void StatusServer::Shared::connect() {
  StatusConnections connections(listener.get(), wake.get(), limits, [this](std::uint64_t id, std::string head) {
    const std::lock_guard lock(mutex);
    asked.push_back({id, std::move(head), {}});
    changed.notify_all();
  });
  while (!over) {
    connections.turn();
    eventfd_t count = 0;
    ::eventfd_read(wake.get(), &count);
    std::vector<Item> ready;
    {
      const std::lock_guard lock(mutex);
      ready.swap(answered);
    }
    for (auto& item : ready) connections.answer(item.connection, std::move(item.answer));
  }
  // Others may have the address now, whatever is still being answered.
  ::shutdown(listener.get(), SHUT_RDWR);
}

// Waits; nothing when it is over.
std::optional<StatusServer::Shared::Item> StatusServer::Shared::next() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return over || !asked.empty(); });
  if (over) return std::nullopt;
  auto item = std::move(asked.front());
  asked.pop_front();
  return item;
}

// A thread that answers.
void StatusServer::Shared::respond() {
  while (auto item = next()) {
    item->answer = responder(item->head);
    const std::lock_guard lock(mutex);
    answered.push_back(std::move(*item));
    nudge();
  }
}

Result<void> StatusServer::Shared::run(const std::shared_ptr<Shared>& self, void (Shared::*work)()) {
  {
    const std::lock_guard lock(mutex);
    ++running;
  }
  const auto end = [](Shared& shared) {
    const std::lock_guard lock(shared.mutex);
    --shared.running;
    shared.changed.notify_all();
  };
  try {
    std::thread([self, work, end] {
      // Out of memory is all that can be thrown: no status, but mail as ever.
      try {
        ((*self).*work)();
      } catch (const std::exception&) {
        self->over = true;
      }
      end(*self);
    }).detach();
  } catch (const std::system_error& error) {
    end(*self);
    return failure(std::string("no thread: ") + error.what());
  }
  return {};
}

StatusServer::StatusServer(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

Result<std::unique_ptr<StatusServer>> StatusServer::start(int listener, Responder responder, const Limits& limits) {
  auto shared = std::make_shared<Shared>(listener, std::move(responder), limits);
  std::unique_ptr<StatusServer> server(new StatusServer(shared));
  if (shared->wake.get() < 0) return failure("eventfd: " + errno_text(errno));
  if (auto done = shared->run(shared, &Shared::connect); !done) return tl::unexpected(done.error());
  for (int i = 0; i < limits.threads; ++i)
    if (auto done = shared->run(shared, &Shared::respond); !done) return tl::unexpected(done.error());
  return server;
}

StatusServer::~StatusServer() {
  stop(std::chrono::milliseconds(0));
}

void StatusServer::stop(std::chrono::milliseconds at_most) {
  std::unique_lock lock(shared_->mutex);
  shared_->over = true;
  shared_->nudge();
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, at_most, [this] { return shared_->running == 0; });
}

}  // namespace sesame::milter
