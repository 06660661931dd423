// The outer shape of a message, as far as relays mind it.
#pragma once

#include <cstddef>
#include <string_view>

#include "mail/field.h"

namespace sesame::mail {

struct Shape {
  std::size_t octets = 0;         // of header and body together, as on the wire
  std::size_t longest_line = 0;   // octets without the line end
  bool eight_bit_header = false;  // an octet above 127 in the header
  bool eight_bit_body = false;
  bool operator==(const Shape&) const = default;
};

// The longest line of a text that comes in pieces. CRLF or LF alone ends a line; a CR alone is part of one.
class LineMeter {
 public:
  void update(std::string_view text);
  std::size_t longest() const;

 private:
  std::size_t longest_ = 0;
  std::size_t line_ = 0;   // octets of the last line so far
  bool after_cr_ = false;  // the last of them is a CR
};

// Measures a message that comes field by field, then in pieces of its body.
class ShapeMeter {
 public:
  void field(const Field& field);
  void body(std::string_view chunk);
  // Of all that came.
  Shape found() const;

 private:
  Shape shape_;
  LineMeter lines_;  // of the body
};

}  // namespace sesame::mail
