// The way of a row into the store: a bounded queue, and one thread that writes batches.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "history/history.h"
#include "util/clock.h"

namespace sesame::history {

enum class Loudness { info, warning, error };
using Say = std::function<void(Loudness, const std::string&)>;

struct Openers;

class Recorder {
 public:
  // Opens nothing yet: a store that is away is tried again for as long as it takes, and told once. `host` stands in the
  // rows. `say` is not called after stop(). `clock` outlives every store that may hang: the system's does.
  Recorder(Options options, std::string host, const Clock& clock, Say say);
  // With stores of its own, for tests.
  Recorder(Options options, std::string host, const Clock& clock, Say say, Openers openers);
  ~Recorder();  // stop()

  // Never waits and never throws: where too much waits already, or there is no memory for it, it is lost and counted.
  // Thread-safe.
  void record(std::unique_ptr<const Source> source) noexcept;

  Result<void> start();
  // Writes what waits, for at most so long; what is left then is counted as lost.
  void stop(std::chrono::milliseconds at_most);
  // Everything recorded until now is in the store, or in the spool. For tests and for the end of a program; false after
  // `at_most`.
  bool settle(std::chrono::milliseconds at_most);

  Standing standing() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // with the thread, which stop() leaves behind when a store hangs
};

}  // namespace sesame::history
