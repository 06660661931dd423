#include "mail/shape.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sesame::mail {
namespace {

bool has_eight_bit(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    if ((word & kHighBits) != 0) return true;
  }
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) > 127; });
}

}  // namespace

std::size_t LineMeter::longest() const {
  return std::max(longest_, line_);
}

void LineMeter::update(std::string_view text) {
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const bool after_cr = end > 0 ? text[end - 1] == '\r' : after_cr_;
    longest_ = std::max(longest_, line_ + end - (after_cr ? 1 : 0));
    line_ = 0;
    after_cr_ = false;
    text.remove_prefix(end + 1);
  }
  if (text.empty()) return;
  line_ += text.size();
  after_cr_ = text.back() == '\r';
}

void ShapeMeter::field(const Field& field) {
  LineMeter lines;
  lines.update(field.name);
  lines.update(":");
  lines.update(field.value);
  shape_.longest_line = std::max(shape_.longest_line, lines.longest());
  shape_.octets += field.name.size() + field.value.size() + 3;  // ":" and CRLF
  shape_.eight_bit_header = shape_.eight_bit_header || has_eight_bit(field.name) || has_eight_bit(field.value);
}

void ShapeMeter::body(std::string_view chunk) {
  lines_.update(chunk);
  shape_.octets += chunk.size();
  shape_.eight_bit_body = shape_.eight_bit_body || has_eight_bit(chunk);
}

Shape ShapeMeter::found() const {
  auto shape = shape_;
  shape.octets += 2;  // the empty line behind the header
  shape.longest_line = std::max(shape.longest_line, lines_.longest());
  return shape;
}

}  // namespace sesame::mail
