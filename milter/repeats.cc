#include "milter/repeats.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::milter {
namespace {

// Every number that stands alone as "#": "312 ms" becomes "# ms", "t1._domainkey" stays.
std::string constant_part(std::string_view line) {
  constexpr std::string_view kBetween = " =(),;";
  std::string part;
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(kBetween), line.size());
    const auto word = line.substr(0, end);
    if (!word.empty() && std::ranges::all_of(word, is_digit)) {
      part += '#';
    } else {
      part += word;
    }
    if (end < line.size()) part += line[end];
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return part;
}

}  // namespace

bool Repeats::lets_pass(std::string_view line, Level level, Time now) {
  auto part = constant_part(line);
  auto found = lines_.find(part);
  if (found != lines_.end() && is_over(found->second, now) && found->second.held.count == 0) {
    lines_.erase(found);
    found = lines_.end();
  }
  if (found == lines_.end()) {
    if (lines_.size() >= kMaxLines)
      std::erase_if(lines_, [&](const auto& each) { return is_over(each.second, now) && each.second.held.count == 0; });
    if (lines_.size() >= kMaxLines) return true;
    found = lines_.emplace(std::move(part), Line{now, 0, {std::string(line), level, 0}}).first;
  }
  auto& known = found->second;
  if (++known.seen <= kMost) return true;
  ++known.held.count;
  return false;
}

bool Repeats::is_over(const Line& line, Time now) {
  return now - line.began >= kWhile;
}

std::vector<Repeats::Held> Repeats::over(Time now) {
  std::vector<Held> told;
  for (const auto& [part, line] : lines_)
    if (is_over(line, now) && line.held.count > 0) told.push_back(line.held);
  std::erase_if(lines_, [&](const auto& each) { return is_over(each.second, now); });
  return told;
}

std::vector<Repeats::Held> Repeats::all() {
  return over(Time::max());
}

}  // namespace sesame::milter
