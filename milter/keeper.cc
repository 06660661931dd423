#include "milter/keeper.h"

namespace sesame::milter {

void Keeper::look(const inspect::Runtime& current, std::chrono::steady_clock::time_point now) {
  if (current.arrivals == arrivals_ && now < next_) return;
  save(current);
  next_ = now + kInterval;
}

void Keeper::save(const inspect::Runtime& current) {
  write();
  if (current.arrivals == arrivals_) return;
  arrivals_ = current.arrivals;
  said_ = Said::nothing;
  write();
}

// A failure is told once; what is learned stays in memory meanwhile.
void Keeper::write() {
  if (!arrivals_) return;
  const auto saved = arrivals_->save();
  if (!saved && said_ == Said::nothing)
    log_.line(Level::warning, "what is learned from received mail stays in memory: " + saved.error().message);
  said_ = saved ? Said::nothing : Said::failure;
}

}  // namespace sesame::milter
