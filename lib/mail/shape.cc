#include "mail/shape.h"

#include <algorithm>

namespace sesame::mail {
namespace {

bool is_eight_bit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) > 127; });
}

// The longest of the lines in `text`, of which the first goes on one of `line` octets; leaves the last one in `line`.
std::size_t longest_line(std::string_view text, std::size_t& line) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    line += end - at;
    const bool ends_in_cr = end > at && end < text.size() && text[end - 1] == '\r';
    longest = std::max(longest, line - (ends_in_cr ? 1 : 0));
    if (end == text.size()) break;
    line = 0;
    at = end + 1;
  }
  return longest;
}

}  // namespace

void ShapeMeter::field(const Field& field) {
  std::size_t line = field.name.size() + 1;
  shape_.longest_line = std::max(shape_.longest_line, longest_line(field.value, line));
  shape_.octets += field.name.size() + field.value.size() + 3;
  shape_.eight_bit_header = shape_.eight_bit_header || is_eight_bit(field.value);
}

void ShapeMeter::body(std::string_view chunk) {
  shape_.longest_line = std::max(shape_.longest_line, longest_line(chunk, line_));
  shape_.octets += chunk.size();
  shape_.eight_bit_body = shape_.eight_bit_body || is_eight_bit(chunk);
}

Shape ShapeMeter::found() const {
  auto shape = shape_;
  shape.octets += 2;  // the empty line behind the header
  return shape;
}

}  // namespace sesame::mail
