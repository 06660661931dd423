#include "util/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame {
namespace {

std::vector<std::uint8_t> octets(std::string_view text) {
  return {text.begin(), text.end()};
}

// RFC 4648 Section 10.
TEST(Base64, VectorsOfTheStandard) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    EXPECT_EQ(base64_encode(octets(plain)), coded);
    EXPECT_EQ(base64_decode(coded), octets(plain));
  }
}

TEST(Base64, EveryOctetSurvives) {
  std::vector<std::uint8_t> all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  for (std::size_t length = 0; length <= all.size(); ++length) {
    const std::vector<std::uint8_t> part(all.end() - static_cast<std::ptrdiff_t>(length), all.end());
    EXPECT_EQ(base64_decode(base64_encode(part)), part);
  }
}

TEST(Base64, WhiteSpaceIsSkippedAndPaddingMayBeAbsent) {
  EXPECT_EQ(base64_decode(" Zm\r\n\t9v Yg"), octets("foob"));
  EXPECT_EQ(base64_decode("Zm9vYmE"), octets("fooba"));
  EXPECT_EQ(base64_decode("Zg= ="), octets("f"));
  EXPECT_EQ(base64_decode(" \r\n"), octets(""));
}

// The value of every digit counted out one by one: where white space cuts a group makes no difference.
TEST(Base64, WhiteSpaceAnywhereAndEveryWrongOctet) {
  const auto plain = octets("What four digits make does not depend on what stands between");
  const auto coded = base64_encode(plain);
  for (std::size_t i = 0; i <= coded.size(); ++i) {
    for (const auto* space : {" ", "\r\n\t", "\n"}) {
      auto text = coded;
      EXPECT_EQ(base64_decode(text.insert(i, space)), plain) << i;
      if (i < coded.size() / 2) EXPECT_EQ(base64_decode(text.insert(text.size() - i, space)), plain) << i;
    }
    for (const char wrong : {'-', '!', '\0', '\xff', '\v'}) {
      auto text = coded;
      EXPECT_EQ(base64_decode(text.insert(i, 1, wrong)), std::nullopt) << i;
    }
    const auto cut = base64_decode(coded.substr(0, i));
    EXPECT_EQ(cut.has_value(), coded.substr(0, i).find('=') == std::string::npos ? i % 4 != 1 : i % 4 == 0) << i;
    if (cut) EXPECT_TRUE(std::equal(cut->begin(), cut->end(), plain.begin())) << i;
  }
}

TEST(Base64, AnythingElseGivesNothing) {
  using namespace std::string_literals;
  for (const auto& text : {"Z"s, "Zm9vY"s, "Zg="s, "Zg==="s, "Z==="s, "===="s, "="s, "Zg==Zg=="s, "Zm9v="s, "Zm-_"s,
                           "Zm9v!"s, "Zm\0v"s, "Zm\xe9v"s})
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

}  // namespace
}  // namespace sesame
