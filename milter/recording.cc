#include "milter/recording.h"

namespace sesame::milter {

void Recording::follow(const inspect::Runtime& /*runtime*/) {}

void Recording::record(policy::Report /*report*/, policy::Decision /*decision*/, const Stages& /*stages*/) noexcept {}

history::Standing Recording::standing() const {
  return {};
}

void Recording::stop(std::chrono::milliseconds /*at_most*/) {}

}  // namespace sesame::milter
