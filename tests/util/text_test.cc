#include "util/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "util/tri.h"

namespace sesame {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

TEST(Text, FoldsAsciiOnly) {
  EXPECT_EQ(lower("ExAmple\xc9"), "example\xc9");
  EXPECT_TRUE(iequals("DKIM", "dkim"));
  EXPECT_FALSE(iequals("dkim", "dki"));
  EXPECT_FALSE(iequals("\xc9", "\xe9"));
  EXPECT_FALSE(iequals("@", "`"));
  EXPECT_TRUE(istarts_with("V=SPF1 -all", "v=spf1"));
  EXPECT_FALSE(istarts_with("v", "v=spf1"));
  EXPECT_TRUE(iends_with("mail.EXAMPLE", ".example"));
  EXPECT_FALSE(iends_with("e", "example"));
}

TEST(Text, TrimTakesOnlyTheEnds) {
  EXPECT_EQ(trim(" \t\r\na b\r\n "), "a b");
  EXPECT_EQ(trim(" \r\n"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\va\f"), "\va\f");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split("a", ','), ElementsAre("a"));
  EXPECT_THAT(split(",a,,b,", ','), ElementsAre("", "a", "", "b", ""));
}

TEST(Text, JoinPutsTheSeparatorBetween) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({"", "a", ""}, ", "), ", a, ");
}

TEST(Text, NumbersAreDigitsWithoutOverflow) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("007"), 7u);
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615u);
  for (const auto& text : {""s, "+1"s, "-1"s, " 1"s, "1 "s, "0x1"s, "1a"s, "18446744073709551616"s, "1\0"s})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(Text, PrintableFitsOneLine) {
  EXPECT_EQ(printable("plain ~"), "plain ~");
  EXPECT_EQ(printable("a\r\nb\x7f\xff\0"s), "a\\x0d\\x0ab\\x7f\\xff\\x00");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("ab\nd", 2), "ab...");
  EXPECT_EQ(printable("ab\nd", 3), "ab\\x0a...");
  EXPECT_EQ(printable("ab\n", 3), "ab\\x0a");
  EXPECT_EQ(printable("\n\n", 1), "\\x0a...");
  EXPECT_EQ(printable("", 0), "");
}

TEST(Tri, UnknownNeverDecides) {
  EXPECT_EQ(both(Tri::unknown, Tri::no), Tri::no);
  EXPECT_EQ(both(Tri::unknown, Tri::yes), Tri::unknown);
  EXPECT_EQ(either(Tri::unknown, Tri::yes), Tri::yes);
  EXPECT_EQ(either(Tri::unknown, Tri::no), Tri::unknown);
  EXPECT_EQ(agree(Tri::yes, Tri::no), Tri::unknown);
  EXPECT_EQ(agree(Tri::no, Tri::no), Tri::no);
}

}  // namespace
}  // namespace sesame
