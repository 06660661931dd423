// CR and LF that do not stand together.
#pragma once

#include <cstddef>
#include <string_view>

namespace sesame::mail {

// Octets of a body that are no line end on the wire (RFC 5321 Section 2.3.8). Where one MTA takes them for one and the
// next does not, two messages can be made of one.
struct BareLineEnds {
  std::size_t cr = 0;
  std::size_t lf = 0;
  bool operator==(const BareLineEnds&) const = default;
};

// Counts them in a body that comes in pieces.
class BareLineEndCounter {
 public:
  void update(std::string_view chunk);
  // Of all that came; a CR at the very end is bare.
  BareLineEnds found() const { return {found_.cr + (after_cr_ ? 1 : 0), found_.lf}; }

 private:
  BareLineEnds found_;
  bool after_cr_ = false;
};

}  // namespace sesame::mail
