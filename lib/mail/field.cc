#include "mail/field.h"

#include <algorithm>

namespace sesame::mail {
namespace {

// Cuts off what a reader takes for one line with its folds, if any CR or LF ends a line for it.
std::string_view take_lines(std::string_view& rest) {
  std::size_t end = rest.find_first_of("\r\n");
  std::size_t next = end;
  while (end != std::string_view::npos) {
    next = end + (rest.substr(end).starts_with("\r\n") ? 2 : 1);
    if (next == rest.size() || !is_wsp(rest[next])) break;
    end = rest.find_first_of("\r\n", next);
  }
  const auto lines = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(next);
  return lines;
}

}  // namespace

void for_each_hidden_field(const Field& field, const std::function<void(const Field&)>& visit) {
  std::string_view rest = field.value;
  take_lines(rest);
  while (!rest.empty()) {
    const auto lines = take_lines(rest);
    const auto colon = lines.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = trim(lines.substr(0, colon));
    if (name.empty() || !std::ranges::all_of(name, is_ftext)) continue;
    visit({std::string(name), std::string(lines.substr(colon + 1))});
  }
}

}  // namespace sesame::mail
