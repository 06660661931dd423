// Header fields as they were received: their order and every octet matter to DKIM.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "util/text.h"

namespace sesame::mail {

// Two views of octets that somebody else keeps: of a message, its Fields.
struct Field {
  std::string_view name;   // as written, without the colon; may end in white space ("From :")
  std::string_view value;  // everything after the colon: leading white space and CRLF folding kept, final CRLF not
};

// RFC 5322 Section 3.6.8: ftext, what a field name is made of.
constexpr bool is_ftext(char c) {
  return c > ' ' && c < 0x7f && c != ':';
}

// The fields of a message from its top down, with the octets they are made of. Those stay where they are while fields
// are added and when the whole is moved, so that views of them stay good.
class Fields {
 public:
  Fields() = default;
  explicit Fields(std::span<const Field> fields) {
    for (const auto& field : fields) push_back(field);
  }
  Fields(std::initializer_list<Field> fields) : Fields(std::span(fields.begin(), fields.size())) {}
  Fields(const Fields& other) : Fields(std::span(other)) {}
  Fields(Fields&& other) noexcept { swap(other); }
  Fields& operator=(Fields other) noexcept {
    swap(other);
    return *this;
  }
  ~Fields() = default;

  // Keeps a copy of the octets.
  void push_back(const Field& field);

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  const Field* data() const { return fields_.data(); }
  const Field* begin() const { return data(); }
  const Field* end() const { return data() + size(); }
  const Field& operator[](std::size_t i) const { return fields_[i]; }
  const Field& front() const { return fields_.front(); }
  const Field& back() const { return fields_.back(); }

 private:
  std::string_view keep(std::string_view text);
  void swap(Fields& other) noexcept {
    std::swap(fields_, other.fields_);
    std::swap(blocks_, other.blocks_);
    std::swap(free_, other.free_);
    std::swap(left_, other.left_);
  }

  std::vector<Field> fields_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;  // of the last block
  std::size_t left_ = 0;  // octets from there on
};

// The field name that counts: without white space before the colon (RFC 5322 Section 4.5).
inline std::string_view name_of(const Field& field) {
  const auto name = field.name;
  const bool bare = !name.empty() && !is_space(name.front()) && !is_space(name.back());
  return bare ? name : trim(name);
}
inline bool is_named(const Field& field, std::string_view name) {
  const auto found = name_of(field);
  return found.size() == name.size() && iequals(found, name);
}

// Does a CR or LF stand in the value that is no fold? Then readers may disagree on where the field ends.
bool has_loose_line_end(std::string_view value);

// Cuts off what a reader takes for one line with its folds, if any CR or LF ends a line for it.
std::string_view take_lines(std::string_view& rest);

// What stands inside a value behind a CR or LF that is no fold: no field to us, and one to readers for which it ends a
// line.
template <class Visit>
void for_each_hidden_field(const Field& field, const Visit& visit) {
  if (!has_loose_line_end(field.value)) return;
  auto rest = field.value;
  take_lines(rest);
  while (!rest.empty()) {
    const auto lines = take_lines(rest);
    const auto colon = lines.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = trim(lines.substr(0, colon));
    if (!name.empty() && std::ranges::all_of(name, is_ftext)) visit(Field{name, lines.substr(colon + 1)});
  }
}

}  // namespace sesame::mail
