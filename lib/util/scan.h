// Search for octets and pairs of octets, sixteen at a time: the compiler makes of the vectors what the machine has.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

// A bit for each octet, the first the lowest.
inline std::uint64_t bits(const Hits& hits) {
#ifdef __SSE2__
  return static_cast<std::uint16_t>(_mm_movemask_epi8(std::bit_cast<__m128i>(hits)));
#else
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < kWidth; ++i) result |= std::uint64_t{hits[i] != 0} << i;
  return result;
#endif
}

inline bool any(const Hits& hits) {
#ifdef __SSE2__
  return bits(hits) != 0;
#else
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2> >(hits);
  return (halves[0] | halves[1]) != 0;
#endif
}

// Finds, one after the other, the positions of a text whose octet and the next one match. The last octet has no next
// one and is never found. `match(octet, next)` is asked of two std::uint8_t and of two Octets.
template <class Match>
class PairFinder {
 public:
  PairFinder(std::string_view text, Match match) : text_(text), match_(match) {}

  // The first from `from` on, which is no less than it was before; the size of the text when there is none.
  std::size_t next(std::size_t from) {
    if (from < end_) {
      found_ &= ~std::uint64_t{0} << (from - begin_);
    } else {
      found_ = 0;
      end_ = from;
    }
    while (found_ == 0) {
      if (end_ + 1 >= text_.size()) return text_.size();
      begin_ = end_;
      look();
    }
    return begin_ + static_cast<std::size_t>(std::countr_zero(found_));
  }

 private:
  static constexpr std::size_t kBlock = 64;

  Hits hits(std::size_t at) const { return match_(load(text_.data() + at), load(text_.data() + at + 1)); }

  // Moves on to the next block with something in it, or to the last one.
  void look() {
    for (; text_.size() - begin_ > kBlock; begin_ += kBlock) {
      const Hits a = hits(begin_);
      const Hits b = hits(begin_ + kWidth);
      const Hits c = hits(begin_ + 2 * kWidth);
      const Hits d = hits(begin_ + 3 * kWidth);
      if (!any(a | b | c | d)) continue;
      found_ = bits(a) | bits(b) << kWidth | bits(c) << 2 * kWidth | bits(d) << 3 * kWidth;
      end_ = begin_ + kBlock;
      return;
    }
    end_ = text_.size() - 1;
    look_at_rest(end_ - begin_);
  }

  void look_at_rest(std::size_t count) {
    if (count < kWidth) {
      for (std::size_t i = 0; i < count; ++i)
        if (match_(static_cast<std::uint8_t>(text_[begin_ + i]), static_cast<std::uint8_t>(text_[begin_ + i + 1])))
          found_ |= std::uint64_t{1} << i;
      return;
    }
    for (std::size_t i = 0; i + kWidth < count; i += kWidth) found_ |= bits(hits(begin_ + i)) << i;
    // The last ones together with some that were looked at.
    found_ |= bits(hits(end_ - kWidth)) << (count - kWidth);
  }

  std::string_view text_;
  Match match_;
  // What is known: of the octets from begin_ to end_, those that match.
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t found_ = 0;
};

}  // namespace sesame::scan
