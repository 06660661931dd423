#include "milter/signals.h"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace sesame::milter {
namespace {

sigset_t ours() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const auto set = ours();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that went away is an error of the write, not the end of the daemon.
  signal(SIGPIPE, SIG_IGN);
}

Event wait_for_signal(std::chrono::milliseconds at_most) {
  const auto set = ours();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec patience{seconds.count(), std::chrono::nanoseconds(at_most - seconds).count()};
  switch (sigtimedwait(&set, nullptr, &patience)) {
    case SIGHUP:
      return Event::reload;
    case SIGTERM:
    case SIGINT:
      return Event::stop;
    case SIGUSR1:
      return Event::counters;
    default:
      return Event::none;
  }
}

void request_stop() {
  ::kill(::getpid(), SIGTERM);
}

}  // namespace sesame::milter
