// Signals as events, waited for in one place.
#pragma once

namespace sesame::milter {

enum class Event { reload, stop };

// Blocks the signals in this thread and every thread started from it; call before any is.
void block_signals();
// SIGHUP is reload, SIGTERM and SIGINT are stop.
Event wait_for_signal();
// Makes wait_for_signal() return stop.
void request_stop();

}  // namespace sesame::milter
