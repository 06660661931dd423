// Search for octets and pairs of octets, sixteen at a time: the compiler makes of these vectors what the machine has.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sesame::scan {

using Octets [[gnu::vector_size(16)]] = std::uint8_t;
inline constexpr std::size_t kWidth = sizeof(Octets);

// A comparison of two Octets gives Hits: 0xff where it holds, 0 elsewhere.
using Hits [[gnu::vector_size(16)]] = std::int8_t;

// Of octets that can be read at `at`.
inline Octets load(const char* at) {
  Octets octets;
  std::memcpy(&octets, at, kWidth);
  return octets;
}

using Halves = std::array<std::uint64_t, 2>;

inline bool any(const Hits& hits) {
  const auto halves = std::bit_cast<Halves>(hits);
  return (halves[0] | halves[1]) != 0;
}

// The position of the first; there is one.
inline std::size_t first(const Hits& hits) {
  const auto zeros = [](std::uint64_t half) {
    return std::endian::native == std::endian::little ? std::countr_zero(half) : std::countl_zero(half);
  };
  const auto halves = std::bit_cast<Halves>(hits);
  const auto bits = halves[0] != 0 ? zeros(halves[0]) : 64 + zeros(halves[1]);
  return static_cast<std::size_t>(bits) / 8;
}

inline std::size_t count(const Hits& hits) {
  const auto halves = std::bit_cast<Halves>(hits);
  return static_cast<std::size_t>(std::popcount(halves[0]) + std::popcount(halves[1])) / 8;
}

// The first position from `from` on whose octet and the next one match; the size of the text when there is none. The
// last octet has no next one and is never found. `match(octet, next)` is asked of two std::uint8_t and of two Octets.
template <class Match>
std::size_t find_pair(std::string_view text, std::size_t from, Match match) {
  const auto at = [&](std::size_t i) { return match(load(text.data() + i), load(text.data() + i + 1)); };
  const auto left = [&] { return text.size() - from; };
  if (from >= text.size()) return text.size();
  if (left() <= kWidth) {
    for (; left() > 1; ++from)
      if (match(static_cast<std::uint8_t>(text[from]), static_cast<std::uint8_t>(text[from + 1]))) return from;
    return text.size();
  }
  // Where there is much to be found, it is near.
  if (const auto hits = at(from); any(hits)) return from + first(hits);
  from += kWidth;
  for (; left() > 4 * kWidth; from += 4 * kWidth)
    if (any(at(from) | at(from + kWidth) | at(from + 2 * kWidth) | at(from + 3 * kWidth))) break;
  for (; left() > kWidth; from += kWidth)
    if (const auto hits = at(from); any(hits)) return from + first(hits);
  // The rest together with what is known not to match.
  from = text.size() - kWidth - 1;
  const auto hits = at(from);
  return any(hits) ? from + first(hits) : text.size();
}

}  // namespace sesame::scan
