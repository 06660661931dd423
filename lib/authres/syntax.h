// What writing, parsing and stripping share of RFC 8601 Section 2.2.
#pragma once

#include <cstddef>
#include <string_view>

#include "util/text.h"

namespace sesame::authres {

inline bool is_8bit(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
inline bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}

// RFC 5322 Section 3.2.2 has both in comments; not every reader knows.
struct CommentSyntax {
  bool quoted_pairs = true;
  bool nesting = true;
};

// The position behind the comment that opens at `at`; npos when it does not close.
inline std::size_t comment_end(std::string_view text, std::size_t at, CommentSyntax syntax = {}) {
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && syntax.quoted_pairs) {
      ++at;
    } else if (text[at] == '(') {
      depth = syntax.nesting ? depth + 1 : 1;
    } else if (text[at] == ')' && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace sesame::authres
