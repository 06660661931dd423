#include "milter/metrics.h"

namespace sesame::milter {

struct Metrics::Impl {};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::judged(const policy::Report& /*report*/, const policy::Decision& /*decision*/,
                     const Stages& /*stages*/) noexcept {}
void Metrics::passed_unjudged() noexcept {}

std::string Metrics::text(const Now& /*now*/) const {
  return "";
}

}  // namespace sesame::milter
