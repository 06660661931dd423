#include "mail/shape.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace sesame::mail {
namespace {

Shape shape_of(const Fields& fields, const std::vector<std::string>& chunks) {
  ShapeMeter meter;
  for (const auto& field : fields) meter.field(field);
  for (const auto& chunk : chunks) meter.body(chunk);
  return meter.found();
}

std::size_t longest_of(const std::string& body) {
  return shape_of({}, {body}).longest_line;
}

TEST(Shape, OctetsAreThoseOnTheWire) {
  const std::string header = "From: a@example.com\r\nSubject: one\r\n two\r\n";
  const Fields fields = {{"From", " a@example.com"}, {"Subject", " one\r\n two"}};
  EXPECT_EQ(shape_of(fields, {}).octets, header.size() + 2) << "the empty line belongs to it";
  EXPECT_EQ(shape_of(fields, {"12345\r\n"}).octets, header.size() + 2 + 7);
  EXPECT_EQ(shape_of({}, {}), (Shape{2, 0, false, false}));
}

TEST(Shape, ALineIsCountedWithoutItsEnd) {
  const std::tuple<std::string, std::size_t> cases[] = {
      {"", 0},         {"\r\n", 0},      {"\n", 0},        {"abc\r\n", 3},      {"abc\n", 3},
      {"abc", 3},      {"abc\r\nde", 3}, {"a\r\nbcd", 3},  {"a\r\nbcd\r\n", 3}, {"a\nbcd\n", 3},
      {"a\rb\r\n", 3}, {"abc\r", 4},     {"abc\r\r\n", 4}, {"\r\r\r\n", 2},     {"ab\n\rcd\n", 3},
  };
  for (const auto& [body, want] : cases) EXPECT_EQ(longest_of(body), want) << testing::PrintToString(body);
}

TEST(Shape, NoChunkingChangesTheResult) {
  const std::string bodies[] = {"abc\r\nde\r\n", "a\rb\r\r\nlonger line\n\r\n\r",
                                "123456789\r\n12345678901\r\n1\xc3\xa9\r\n", "\n\n\r\n\r\r\n",
                                std::string(17, 'x') + "\xff" + std::string(9, 'y')};
  for (const auto& body : bodies) {
    const auto whole = shape_of({}, {body});
    for (std::size_t first = 0; first <= body.size(); ++first)
      for (std::size_t second = first; second <= body.size(); ++second)
        EXPECT_EQ(shape_of({}, {body.substr(0, first), body.substr(first, second - first), body.substr(second)}), whole)
            << testing::PrintToString(body) << " at " << first << " and " << second;
    std::vector<std::string> octets;
    for (const char c : body) octets.emplace_back(1, c);
    EXPECT_EQ(shape_of({}, octets), whole) << testing::PrintToString(body);
  }
}

TEST(Shape, TheLinesOfAFieldAreThoseOfItsFolds) {
  const auto longest = [](const Field& field) { return shape_of({field}, {}).longest_line; };
  EXPECT_EQ(longest({"Subject", " x"}), 10u) << "the name and the colon stand on its first line";
  EXPECT_EQ(longest({"Subject", " x\r\n " + std::string(20, 'y')}), 21u);
  EXPECT_EQ(longest({"Subject", " " + std::string(20, 'y') + "\r\n z"}), 29u);
  EXPECT_EQ(longest({"Subject", ""}), 8u);
}

TEST(Shape, TheLongestLineOfHeaderAndBodyCounts) {
  EXPECT_EQ(shape_of({{"Subject", " x"}}, {"12345678901\r\n"}).longest_line, 11u);
  EXPECT_EQ(shape_of({{"Subject", " x"}}, {"1\r\n"}).longest_line, 10u);
  EXPECT_EQ(shape_of({{"A", " x"}, {"Subject", " x"}, {"B", " x"}}, {}).longest_line, 10u);
  // The body begins a line of its own.
  EXPECT_EQ(shape_of({{"Subject", " x"}}, {"12"}).longest_line, 10u);
}

TEST(Shape, EightBitOctetsAreFoundWhereverTheyStand) {
  for (std::size_t length = 1; length <= 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      EXPECT_FALSE(shape_of({}, {text}).eight_bit_body);
      for (const char octet : {'\x80', '\xff'}) {
        text[at] = octet;
        EXPECT_TRUE(shape_of({}, {text}).eight_bit_body) << length << " " << at;
        EXPECT_FALSE(shape_of({}, {text}).eight_bit_header);
        const auto in_value = shape_of({{"Subject", text}}, {});
        EXPECT_TRUE(in_value.eight_bit_header) << length << " " << at;
        EXPECT_FALSE(in_value.eight_bit_body);
        EXPECT_TRUE(shape_of({{text, " x"}}, {}).eight_bit_header);
      }
    }
  }
  EXPECT_EQ(shape_of({{"Subject", " \x7f\x01"}}, {std::string("\0\x7f\t", 3)}), (Shape{18, 11, false, false}));
}

TEST(Shape, WhatWasFoundStaysFound) {
  const auto shape = shape_of({{"A", "\xc3\xa9"}, {"B", " x"}}, {"\xc3\xa9\r\n", "plain\r\n"});
  EXPECT_TRUE(shape.eight_bit_header);
  EXPECT_TRUE(shape.eight_bit_body);
}

}  // namespace
}  // namespace sesame::mail
