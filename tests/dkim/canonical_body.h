// A body that comes in chunks, in its canonical form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dkim/canonicalize.h"

namespace sesame::dkim {

inline std::string canonical_body(Canonicalization how, const std::vector<std::string_view>& chunks) {
  std::string result;
  BodyCanonicalizer canonicalizer(how, [&](std::string_view octets) { result += octets; });
  for (const auto chunk : chunks) canonicalizer.write(chunk);
  canonicalizer.finish();
  return result;
}

}  // namespace sesame::dkim
