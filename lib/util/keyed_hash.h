// A hash for keys that strangers choose.
#pragma once

#include <cstdint>
#include <string_view>

namespace sesame {

// SipHash-1-3 under a key that the process draws at random: whoever does not know it cannot choose texts of the same
// hash. Not for anything that leaves the process.
std::uint64_t keyed_hash(std::string_view text);
// The same under a key that is given, as octets in order.
struct HashKey {
  std::uint64_t first, second;  // the little-endian halves
};
std::uint64_t keyed_hash(std::string_view text, const HashKey& key);

// A text to be looked up, hashed once.
struct HashedText {
  explicit HashedText(std::string_view of) : text(of), hash(keyed_hash(of)) {}
  std::string_view text;
  std::uint64_t hash;
  friend bool operator==(const HashedText& a, std::string_view b) { return a.text == b; }
};

struct KeyedHash {
  std::uint64_t operator()(std::string_view text) const { return keyed_hash(text); }
  std::uint64_t operator()(const HashedText& text) const { return text.hash; }
};

}  // namespace sesame
