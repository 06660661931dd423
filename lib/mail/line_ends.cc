#include "mail/line_ends.h"

#include <bit>
#include <cstdint>

#include "util/scan.h"

namespace sesame::mail {

// A CR is bare without a LF behind it, a LF without a CR before it: of every two neighbours, where one holds and not
// the other.
void BareLineEndCounter::update(std::string_view chunk) {
  if (chunk.empty()) return;
  const auto judge = [&](bool cr, bool lf_follows) {
    if (cr && !lf_follows) ++found_.cr;
    if (!cr && lf_follows) ++found_.lf;
  };
  judge(after_cr_, chunk.front() == '\n');
  std::size_t at = 0;
  for (; at + scan::kWidth < chunk.size(); at += scan::kWidth) {
    const scan::Hits cr = scan::load(chunk.data() + at) == std::uint8_t{'\r'};
    const scan::Hits lf_follows = scan::load(chunk.data() + at + 1) == std::uint8_t{'\n'};
    const scan::Hits bare = cr ^ lf_follows;
    if (!scan::any(bare)) continue;
    found_.cr += static_cast<std::size_t>(std::popcount(scan::bits(bare & cr)));
    found_.lf += static_cast<std::size_t>(std::popcount(scan::bits(bare & lf_follows)));
  }
  for (; at + 1 < chunk.size(); ++at) judge(chunk[at] == '\r', chunk[at + 1] == '\n');
  after_cr_ = chunk.back() == '\r';
}

}  // namespace sesame::mail
