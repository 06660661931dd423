#include "dkim/header_hash.h"

#include <algorithm>
#include <compare>
#include <string>

#include "dkim/canonicalize.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

// Some order of names in which case makes no difference; most differ in length.
std::weak_ordering compare(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const auto order = to_lower(a[i]) <=> to_lower(b[i]); order != 0) return order;
  return std::weak_ordering::equivalent;
}

}  // namespace

FieldIndex::FieldIndex(std::span<const mail::Field> fields) : fields_(fields) {
  places_.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) places_.push_back({mail::name_of(fields[i]), i});
  std::ranges::sort(places_, [](const Place& a, const Place& b) {
    const auto order = compare(a.name, b.name);
    return order == 0 ? a.position < b.position : order < 0;
  });
}

std::span<const FieldIndex::Place> FieldIndex::of(std::string_view name) const {
  const auto before = [](const Place& a, const Place& b) { return compare(a.name, b.name) < 0; };
  const auto [first, last] = std::equal_range(places_.begin(), places_.end(), Place{name}, before);
  return {first, last};
}

std::vector<std::uint8_t> header_digest(const Signature& signature, const FieldIndex& index, std::size_t own) {
  const auto fields = index.fields();
  std::string text;
  std::vector<std::size_t> taken(fields.size());  // of each name, at its first place
  for (const auto& name : signature.signed_fields) {
    // RFC 6376 Section 5.4.2: each mention takes the next field of that name from the bottom; one too many is empty.
    const auto places = index.of(name);
    if (places.empty()) continue;
    auto& used = taken[static_cast<std::size_t>(places.data() - index.places().data())];
    if (used < places.size() && places[places.size() - 1 - used].position == own) ++used;
    if (used == places.size()) continue;
    const auto& field = fields[places[places.size() - 1 - used++].position];
    append_canonical(field.name, field.value, signature.header, text);
    text += "\r\n";
  }
  // RFC 6376 Section 3.7: last the signature itself, without its b= and without CRLF.
  append_canonical(fields[own].name, without_signature(fields[own].value), signature.header, text);
  crypto::Hasher hasher(signature.body.hash);
  hasher.update(text);
  return hasher.finish();
}

}  // namespace sesame::dkim
