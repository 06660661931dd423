#include "mail/line_ends.h"

namespace sesame::mail {

void BareLineEndCounter::update(std::string_view chunk) {
  if (chunk.empty()) return;
  if (after_cr_ && chunk.front() != '\n') ++found_.cr;
  for (auto at = chunk.find('\n'); at != std::string_view::npos; at = chunk.find('\n', at + 1))
    if (at == 0 ? !after_cr_ : chunk[at - 1] != '\r') ++found_.lf;
  for (auto at = chunk.find('\r'); at != std::string_view::npos; at = chunk.find('\r', at + 1))
    if (at + 1 < chunk.size() && chunk[at + 1] != '\n') ++found_.cr;
  after_cr_ = chunk.back() == '\r';
}

}  // namespace sesame::mail
