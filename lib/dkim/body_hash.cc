#include "dkim/body_hash.h"

#include <algorithm>

namespace sesame::dkim {

BodyHash::BodyHash(const BodyPart& part)
    : part_(part),
      hasher_(part.hash),
      canonicalizer_(part.canonicalization, [this](std::string_view octets) { take(octets); }) {}

// RFC 6376 Section 3.7: the canonical body is cut to l= octets.
void BodyHash::take(std::string_view octets) {
  const auto room = part_.length ? *part_.length - std::min(seen_, *part_.length) : octets.size();
  hasher_.update(octets.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, octets.size()))));
  seen_ += octets.size();
}

void BodyHash::update(std::string_view chunk) {
  if (!settled()) canonicalizer_.write(chunk);
}

void BodyHash::finish() {
  if (!settled()) canonicalizer_.finish();
  digest_ = hasher_.finish();
}

const BodyHash& BodyHashes::want(const BodyPart& part) {
  const auto found = std::ranges::find(hashes_, part, &BodyHash::part);
  return found == hashes_.end() ? hashes_.emplace_back(part) : *found;
}

bool BodyHashes::has(const BodyPart& part) const {
  return std::ranges::find(hashes_, part, &BodyHash::part) != hashes_.end();
}

void BodyHashes::update(std::string_view chunk) {
  for (auto& hash : hashes_) hash.update(chunk);
}

void BodyHashes::finish() {
  for (auto& hash : hashes_) hash.finish();
}

bool BodyHashes::wants_more() const {
  return !std::ranges::all_of(hashes_, [](const BodyHash& hash) { return hash.settled(); });
}

}  // namespace sesame::dkim
