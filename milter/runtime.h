// The configuration in force: read at the start, replaced whole on reload.
#pragma once

#include <memory>
#include <string>

#include "inspect/inspect.h"
#include "util/guarded.h"
#include "util/result.h"

namespace sesame::milter {

using Snapshot = std::shared_ptr<const inspect::Runtime>;

// Thread-safe. A connection takes the snapshot when it begins and keeps it to its end.
class RuntimeStore {
 public:
  explicit RuntimeStore(Snapshot first) : current_(std::move(first)) {}

  Snapshot current() const {
    return current_.with([](const Snapshot& snapshot) { return snapshot; });
  }
  void replace(Snapshot next) {
    current_.with([&](Snapshot& snapshot) { snapshot = std::move(next); });
  }

 private:
  mutable Guarded<Snapshot> current_;
};

// The file read and everything made that it asks for.
Result<Snapshot> load_runtime(const std::string& path);
// The same with the old one's resolver and cache where the DNS settings did not change. The socket and the user stay
// as they are until a restart.
Result<Snapshot> reload_runtime(const std::string& path, const inspect::Runtime& old);

// The settings that a reload cannot change and the new file has otherwise: "milter.socket"; "" when none.
std::string needs_restart(const config::Config& before, const config::Config& after);

}  // namespace sesame::milter
