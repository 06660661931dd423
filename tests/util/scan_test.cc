#include "util/scan.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame::scan {
namespace {

constexpr auto kAb = [](auto octet, auto next) { return (octet == std::uint8_t{'a'}) & (next == std::uint8_t{'b'}); };

TEST(FindPair, IsTheFirstAtEveryPlaceOfEveryLength) {
  for (std::size_t size = 0; size <= 150; ++size) {
    const std::string none(size, 'a');
    for (std::size_t from = 0; from <= size + 1; ++from) ASSERT_EQ(find_pair(none, from, kAb), size);
    for (std::size_t at = 0; at + 1 < size; ++at) {
      auto text = none;
      text[at + 1] = 'b';
      text.back() = 'b';
      for (std::size_t from = 0; from <= size; ++from) {
        const auto second = from + 1 < size && size - 2 > at + 1 ? std::max(from, size - 2) : size;
        ASSERT_EQ(find_pair(text, from, kAb), from <= at ? at : second) << size << ' ' << at << ' ' << from;
      }
    }
  }
}

TEST(FindPair, LooksAtNothingBehindTheText) {
  const std::string text = std::string(100, 'x') + "ab";
  for (std::size_t size = 0; size <= text.size(); ++size)
    EXPECT_EQ(find_pair(std::string_view(text).substr(0, size), 0, kAb), size == text.size() ? 100 : size);
}

TEST(Hits, AreCountedAndTheFirstIsFound) {
  for (std::size_t i = 0; i < kWidth; ++i) {
    for (std::size_t j = i; j < kWidth; ++j) {
      std::string text(kWidth, '\xff');
      text[i] = text[j] = 'a';
      const Hits hits = load(text.data()) == std::uint8_t{'a'};
      EXPECT_TRUE(any(hits));
      EXPECT_EQ(first(hits), i);
      EXPECT_EQ(count(hits), i == j ? 1u : 2u);
    }
  }
  EXPECT_FALSE(any(Hits{}));
  EXPECT_EQ(count(Hits{}), 0u);
}

}  // namespace
}  // namespace sesame::scan
