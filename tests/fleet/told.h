// What one host tells, for these tests.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "watch/watcher.h"

namespace sesame::milter::tests {

inline watch::RecordState degraded(const watch::RecordKey& key, std::int64_t checked = 1'800'000'000) {
  watch::RecordState state;
  state.key = key;
  state.state = watch::State::degraded;
  state.since = state.checked = checked;
  state.first_bad = state.last_bad = checked;
  state.code = "dkim-server-fault";
  state.reason = "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT";
  state.faults = {
      {"ns2.example.com (192.0.2.53)", key.name, dns::Type::txt, "SERVFAIL", "UDP", checked, checked, 1, 4}};
  return state;
}

// Asks again and again, as the daemon does; false when that lasts too long.
inline bool comes(const std::function<bool()>& holds) {
  for (int i = 0; i < 1200; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

}  // namespace sesame::milter::tests
