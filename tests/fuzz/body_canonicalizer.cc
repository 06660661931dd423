// Any body in any chunks: the first octet chooses the form, the second the length of the chunks.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dkim/canonicalize.h"

namespace {

using sesame::dkim::BodyCanonicalizer;
using sesame::dkim::Canonicalization;

std::string canonical(Canonicalization how, std::string_view body, std::size_t chunk) {
  std::string result;
  BodyCanonicalizer canonicalizer(how, [&](std::string_view octets) { result += octets; });
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) canonicalizer.write(body.substr(0, chunk));
  canonicalizer.finish();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto how = data[0] % 2 ? Canonicalization::relaxed : Canonicalization::simple;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = canonical(how, body, body.size() + 1);
  if (canonical(how, body, data[1] % 16 + 1) != whole) std::abort();
  // The canonical form is its own canonical form.
  if (canonical(how, whole, body.size() + 3) != whole) std::abort();
  return 0;
}
