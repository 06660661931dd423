// Signals as events, waited for in one place.
#pragma once

#include <chrono>

namespace sesame::milter {

enum class Event { reload, stop, counters, none };

// Blocks the signals in this thread and every thread started from it; call before any is.
void block_signals();
// SIGHUP is reload, SIGTERM and SIGINT are stop, SIGUSR1 is counters; none when there is no signal for that long.
Event wait_for_signal(std::chrono::milliseconds at_most);
// Makes wait_for_signal() return stop.
void request_stop();

}  // namespace sesame::milter
