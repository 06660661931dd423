#include "milter/snapshot_lines.h"

#include <fmt/format.h>

#include <algorithm>

namespace sesame::milter {
namespace {

Line taken(const inspect::Runtime& runtime, std::int64_t now) {
  const auto& regions = runtime.snapshot.contents->regions;
  std::size_t identities = 0;
  for (const auto& region : regions) identities += region.identities.size();
  auto text = fmt::format("snapshot: taken: regions={} identities={}", regions.size(), identities);
  // Of the oldest answer in it.
  if (!regions.empty()) text += fmt::format(" age={}s", now - runtime.accounts->as_of());
  return {Level::info, text};
}

Line not_taken(const inspect::Runtime& runtime) {
  const auto& file = runtime.snapshot;
  if (file.contents) return {Level::error, "snapshot: not taken, the one before holds: " + file.error};
  // Before the first sesame sync there is none.
  return {file.stamp.empty() ? Level::warning : Level::error,
          "snapshot: not taken, only the configuration holds: " + file.error};
}

bool is_news(const inspect::SnapshotFile& before, const inspect::SnapshotFile& after) {
  return before.stamp != after.stamp || before.error != after.error || !before.contents != !after.contents;
}

}  // namespace

std::vector<Line> snapshot_lines(const inspect::Runtime* before, const inspect::Runtime& after, std::int64_t now) {
  std::vector<Line> lines;
  const auto& settings = after.config.ses;
  if (settings.snapshot.empty()) return lines;
  const bool same_path = before && before->config.ses.snapshot == settings.snapshot;
  const bool news = !same_path || is_news(before->snapshot, after.snapshot);
  if (news && !after.snapshot.error.empty()) {
    lines.push_back(not_taken(after));
  } else if (news) {
    lines.push_back(taken(after, now));
    for (const auto& remark : after.snapshot.contents->remarks)
      lines.push_back({Level::warning, "snapshot: " + settings.snapshot + ": " + remark});
    for (const auto& remark : after.accounts->remarks())
      lines.push_back({Level::warning, "snapshot: " + settings.snapshot + ": " + remark});
  }
  const auto aged = after.accounts->aged_count();
  const bool taken_anew = news && after.snapshot.error.empty();
  if (aged > 0 && (taken_anew || !before || before->accounts->aged_count() == 0))
    lines.push_back(
        {Level::warning, fmt::format("snapshot: what it says of {} of {} identities is older than ses.snapshot_max_age "
                                     "({} s) and is no longer relied on; run sesame sync",
                                     aged, after.accounts->identity_count(), settings.snapshot_max_age)});
  return lines;
}

}  // namespace sesame::milter
