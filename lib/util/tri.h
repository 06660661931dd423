// An answer that may be undecided. "unknown" is never treated as "no".
#pragma once

namespace sesame {

enum class Tri { no, yes, unknown };

constexpr Tri tri(bool value) {
  return value ? Tri::yes : Tri::no;
}

// Kleene's three-valued logic: a definite answer of one side decides where it can.
constexpr Tri both(Tri a, Tri b) {
  if (a == Tri::no || b == Tri::no) return Tri::no;
  return a == Tri::yes && b == Tri::yes ? Tri::yes : Tri::unknown;
}
constexpr Tri either(Tri a, Tri b) {
  if (a == Tri::yes || b == Tri::yes) return Tri::yes;
  return a == Tri::no && b == Tri::no ? Tri::no : Tri::unknown;
}
// Whatever holds for both alternatives; unknown where they differ.
constexpr Tri agree(Tri a, Tri b) {
  return a == b ? a : Tri::unknown;
}

constexpr const char* to_string(Tri value) {
  switch (value) {
    case Tri::no:
      return "false";
    case Tri::yes:
      return "true";
    case Tri::unknown:
      break;
  }
  return "unknown";
}

}  // namespace sesame
