// Header fields as they were received: their order and every octet matter to DKIM.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "util/text.h"

namespace sesame::mail {

struct Field {
  std::string name;   // as written, without the colon; may end in white space ("From :")
  std::string value;  // everything after the colon: leading white space and CRLF folding kept, final CRLF not
};

// RFC 5322 Section 3.6.8: ftext, what a field name is made of.
constexpr bool is_ftext(char c) {
  return c > ' ' && c < 0x7f && c != ':';
}

// From the top of the message down.
using Fields = std::vector<Field>;

// The field name that counts: without white space before the colon (RFC 5322 Section 4.5).
inline std::string_view name_of(const Field& field) {
  return trim(field.name);
}
inline bool is_named(const Field& field, std::string_view name) {
  return iequals(name_of(field), name);
}

// What stands inside a value behind a CR or LF that is no fold: no field to us, and one to readers for which it ends a
// line.
void for_each_hidden_field(const Field& field, const std::function<void(const Field&)>& visit);

}  // namespace sesame::mail
