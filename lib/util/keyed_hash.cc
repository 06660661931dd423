#include "util/keyed_hash.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

namespace sesame {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

// Up to eight octets, the first the lowest.
std::uint64_t word_of(const char* octets, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, octets, count);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

HashKey draw() {
  HashKey key{};
  // So few octets are never cut short, and never fail once the machine has started.
  [[maybe_unused]] const auto got = getrandom(&key, sizeof key, 0);
  return key;
}

}  // namespace

std::uint64_t keyed_hash(std::string_view text, const HashKey& key) {
  State state{0x736f6d6570736575 ^ key.first, 0x646f72616e646f6d ^ key.second, 0x6c7967656e657261 ^ key.first,
              0x7465646279746573 ^ key.second};
  const auto whole = text.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) state.take(word_of(text.data() + at, 8));
  state.take(std::uint64_t{text.size()} << 56 | word_of(text.data() + whole, text.size() - whole));
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint64_t keyed_hash(std::string_view text) {
  static const HashKey key = draw();
  return keyed_hash(text, key);
}

}  // namespace sesame
