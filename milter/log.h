// Where the daemon's lines go: standard error, syslog or a file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "milter/level.h"
#include "milter/repeats.h"
#include "util/clock.h"
#include "util/guarded.h"
#include "util/result.h"

namespace sesame::milter {

// Thread-safe. Lines are text, or one JSON object each, as configured. In syslog they have the facility mail; in the
// journal they have their severity.
class Log {
 public:
  // Standard error, text, level info, until open() says otherwise.
  explicit Log(const Clock& clock = system_clock());
  ~Log();

  // Opens what the settings ask for, a file anew also when its name did not change (it may have been rotated away).
  // When that fails the lines go on where they went.
  Result<void> open(const config::Log& settings);

  // For people: made printable, without line ends. Of warnings and errors that come again and again only some are
  // written, and the others counted (see Repeats).
  void line(Level level, std::string_view text);
  // The same about one message, and each is written.
  void line_about(std::string_view queue_id, Level level, std::string_view text);
  // What is told of one message, as inspect/render.h writes it: "key=value ..." or a JSON object, as format() says.
  void event(std::string_view rendered, Level level = Level::info);
  // False where the level drops them.
  bool takes(Level level) const;
  config::Log::Format format() const;
  // Tells how many lines were held back, when it is time. Call often.
  void tell_repeats();
  // The same at once.
  void flush();

 private:
  struct Output;
  std::shared_ptr<Output> output() const;
  void write(Level level, std::string_view queue_id, std::string_view text);
  void tell(const std::vector<Repeats::Held>& held);

  const Clock& clock_;
  mutable Guarded<std::shared_ptr<Output>> output_;
  Guarded<Repeats> repeats_;
};

}  // namespace sesame::milter
