#include "milter/status.h"

namespace sesame::milter {

struct Status::Impl {};

Status::Status(Service& /*service*/, Watching& /*watching*/) : impl_(std::make_unique<Impl>()) {}
Status::~Status() = default;
void Status::follow() {}
void Status::stop() {}

}  // namespace sesame::milter
