#include "mail/field.h"

#include <cstring>

namespace sesame::mail {
namespace {

// Most headers fit in one.
constexpr std::size_t kBlock = std::size_t{8} << 10;
constexpr std::size_t kUsualFields = 32;

}  // namespace

std::string_view Fields::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > left_) {
    const auto size = std::max(kBlock, text.size());
    free_ = blocks_.emplace_back(new char[size]).get();
    left_ = size;
  }
  std::memcpy(free_, text.data(), text.size());
  const std::string_view kept(free_, text.size());
  free_ += text.size();
  left_ -= text.size();
  return kept;
}

void Fields::push_back(const Field& field) {
  if (fields_.empty()) fields_.reserve(kUsualFields);
  const auto name = keep(field.name);
  fields_.push_back({name, keep(field.value)});
}

bool has_loose_line_end(std::string_view value) {
  const auto begins_line = [&](std::size_t i) { return i < value.size() && !is_wsp(value[i]); };
  for (auto at = value.find('\n'); at != std::string_view::npos; at = value.find('\n', at + 1))
    if (begins_line(at + 1)) return true;
  for (auto at = value.find('\r'); at != std::string_view::npos; at = value.find('\r', at + 1))
    if (begins_line(at + 1) && value[at + 1] != '\n') return true;
  return false;
}

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

}  // namespace sesame::mail
