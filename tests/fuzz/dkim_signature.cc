// Any text as the value of a DKIM-Signature field.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dkim/canonicalize.h"
#include "dkim/signature.h"

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(std::string_view text) {
  for (const char c : text)
    if (c < ' ' || c > '~') return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = sesame::dkim::parse_signature(text);
  const auto& signature = parsed.signature;
  if (parsed.problem) {
    demand(is_printable(parsed.problem->reason) && !parsed.problem->reason.empty());
    demand(parsed.problem->result != sesame::dkim::Result::pass);
  } else {
    demand(!signature.domain.empty() && !signature.selector.empty() && !signature.signature.empty());
    demand(signature.body_hash.size() == sesame::crypto::digest_size(signature.body.hash));
    demand(!signature.signed_fields.empty());
  }
  demand(is_printable(signature.domain) && is_printable(signature.selector) && is_printable(signature.algorithm));
  demand(signature.signed_fields.size() <= sesame::dkim::kMaxSignedFields);
  // Taking b= out is final, and never adds anything.
  const auto without = sesame::dkim::without_signature(text);
  demand(without.size() <= text.size());
  demand(sesame::dkim::without_signature(without) == without);
  return 0;
}
