#include "dkim/header_hash.h"

#include "util/text.h"

namespace sesame::dkim {

FieldIndex::FieldIndex(std::span<const mail::Field> fields) : fields_(fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) positions_[lower(mail::name_of(fields[i]))].push_back(i);
}

std::span<const std::size_t> FieldIndex::of(std::string_view name) const {
  const auto found = positions_.find(name);
  if (found == positions_.end()) return {};
  return found->second;
}

std::vector<std::uint8_t> header_digest(const Signature& signature, const FieldIndex& index, std::size_t own) {
  crypto::Hasher hasher(signature.body.hash);
  std::map<std::string_view, std::size_t> used;
  for (const auto& name : signature.signed_fields) {
    // RFC 6376 Section 5.4.2: each mention takes the next field of that name from the bottom; one too many is empty.
    const auto positions = index.of(name);
    auto& taken = used[name];
    if (taken < positions.size() && positions[positions.size() - 1 - taken] == own) ++taken;
    if (taken >= positions.size()) continue;
    const auto position = positions[positions.size() - 1 - taken++];
    hasher.update(canonical_field(index.fields()[position], signature.header));
    hasher.update("\r\n");
  }
  // RFC 6376 Section 3.7: last the signature itself, without its b= and without CRLF.
  const auto& field = index.fields()[own];
  hasher.update(canonical_field({field.name, without_signature(field.value)}, signature.header));
  return hasher.finish();
}

}  // namespace sesame::dkim
