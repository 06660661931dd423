// Where the daemon's lines go: standard error, syslog or a file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "util/guarded.h"
#include "util/result.h"

namespace sesame::milter {

enum class Level { debug, info, warning, error };

// Thread-safe. Lines are text, or one JSON object each, as configured.
class Log {
 public:
  // Standard error, text, level info, until open() says otherwise.
  Log();
  ~Log();

  // Opens what the settings ask for, a file anew also when its name did not change (it may have been rotated away).
  // When that fails the lines go on where they went.
  Result<void> open(const config::Log& settings);

  // For people: printable text without line ends.
  void line(Level level, std::string_view text);
  // The event of one message as inspect/render.h writes it: "key=value ..." or a JSON object, as format() says.
  void event(std::string_view rendered);
  // False where the level drops them.
  bool takes_events() const;
  config::Log::Format format() const;
  void flush();

 private:
  struct Output;
  std::shared_ptr<Output> output() const;

  mutable Guarded<std::shared_ptr<Output>> output_;
};

}  // namespace sesame::milter
