#include "util/scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sesame::scan {
namespace {

constexpr auto kAb = [](auto octet, auto next) { return (octet == std::uint8_t{'a'}) & (next == std::uint8_t{'b'}); };

std::vector<std::size_t> found_in(std::string_view text, std::size_t step) {
  std::vector<std::size_t> found;
  PairFinder finder(text, kAb);
  for (auto at = finder.next(0); at < text.size(); at = finder.next(at + step)) found.push_back(at);
  return found;
}

std::vector<std::size_t> found_plainly(std::string_view text, std::size_t step) {
  std::vector<std::size_t> found;
  for (auto at = text.find("ab"); at != std::string_view::npos; at = text.find("ab", at + step)) found.push_back(at);
  return found;
}

TEST(PairFinder, FindsOneAtEveryPlaceOfEveryLength) {
  for (std::size_t size = 0; size <= 200; ++size) {
    std::string text(size, 'a');
    ASSERT_EQ(found_in(text, 1), found_plainly(text, 1));
    for (std::size_t at = 1; at < size; ++at) {
      text[at] = 'b';
      ASSERT_EQ(found_in(text, 1), found_plainly(text, 1)) << size << ' ' << at;
      text[at] = 'a';
    }
  }
}

TEST(PairFinder, FindsThemAllHoweverFarTheNextStep) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= 300; ++size) {
    std::string text;
    while (text.size() < size) text += "aaaabbbx"[random() % 8];
    for (const std::size_t step : {1u, 2u, 15u, 16u, 63u, 64u, 65u, 200u})
      ASSERT_EQ(found_in(text, step), found_plainly(text, step)) << text << ' ' << step;
  }
}

TEST(PairFinder, LooksAtNothingBehindTheText) {
  const std::string text = std::string(100, 'x') + "ab";
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_TRUE(found_in(text.substr(0, size), 1).empty());
  EXPECT_EQ(found_in(text, 1), std::vector<std::size_t>{100});
}

TEST(Hits, HaveABitForEachOctet) {
  for (std::size_t i = 0; i < kWidth; ++i) {
    std::string text(kWidth, '\xff');
    text[i] = 'a';
    const Hits hits = load(text.data()) == std::uint8_t{'a'};
    EXPECT_TRUE(any(hits));
    EXPECT_EQ(bits(hits), std::uint64_t{1} << i);
  }
  EXPECT_FALSE(any(Hits{}));
  EXPECT_EQ(bits(Hits{}), 0u);
}

}  // namespace
}  // namespace sesame::scan
