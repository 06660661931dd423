#include "milter/signals.h"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace sesame::milter {
namespace {

sigset_t ours() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const auto set = ours();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that went away is an error of the write, not the end of the daemon.
  signal(SIGPIPE, SIG_IGN);
}

Event wait_for_signal() {
  const auto set = ours();
  for (;;) {
    const int number = sigwaitinfo(&set, nullptr);
    if (number == SIGHUP) return Event::reload;
    if (number == SIGTERM || number == SIGINT) return Event::stop;
  }
}

void request_stop() {
  ::kill(::getpid(), SIGTERM);
}

}  // namespace sesame::milter
