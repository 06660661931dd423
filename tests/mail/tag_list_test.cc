// RFC 6376 Section 3.2.
#include "mail/tag_list.h"

#include <gtest/gtest.h>

namespace sesame::mail {
namespace {

struct Good {
  const char* rule;
  std::string text;
  std::vector<std::pair<std::string, std::string>> tags;
};

TEST(TagList, Reads) {
  const std::vector<Good> cases = {
      {"one tag", "v=1", {{"v", "1"}}},
      {"a last semicolon", "v=1;", {{"v", "1"}}},
      {"a last semicolon and white space", "v=1; \r\n ", {{"v", "1"}}},
      {"white space around everything", " a \t=\r\n b ; c= d", {{"a", "b"}, {"c", "d"}}},
      {"an empty value is present", "p=;q=1", {{"p", ""}, {"q", "1"}}},
      {"only the first = divides", "b=ab==", {{"b", "ab=="}}},
      {"folding inside a value is kept", "h=a:\r\n b", {{"h", "a:\r\n b"}}},
      {"names are case-sensitive", "a=1; A=2", {{"a", "1"}, {"A", "2"}}},
      {"digits and underscores in a name", "a_1=x", {{"a_1", "x"}}},
      {"hyphens in the unknown tags of records in use", "x-foo=y", {{"x-foo", "y"}}},
      {"UTF-8 values (RFC 8616)",
       "d=b\xc3\xbc"
       "cher.example",
       {{"d",
         "b\xc3\xbc"
         "cher.example"}}},
  };
  for (const auto& test : cases) {
    const auto list = TagList::parse(test.text);
    ASSERT_TRUE(list) << test.rule << ": " << list.error().message;
    ASSERT_EQ(list->tags().size(), test.tags.size()) << test.rule;
    for (std::size_t i = 0; i < test.tags.size(); ++i) {
      EXPECT_EQ(list->tags()[i].name, test.tags[i].first) << test.rule;
      EXPECT_EQ(list->tags()[i].value, test.tags[i].second) << test.rule;
      EXPECT_EQ(list->find(test.tags[i].first), test.tags[i].second) << test.rule;
    }
  }
}

TEST(TagList, Refuses) {
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"nothing", ""},
      {"white space", " \r\n\t"},
      {"a semicolon alone", ";"},
      {"two semicolons", "a=1;;b=2"},
      {"two semicolons at the end", "a=1;;"},
      {"a semicolon first", ";a=1"},
      {"no =", "a=1; b"},
      {"no name", "=1"},
      {"a name that begins with a digit", "1a=1"},
      {"a name that begins with an underscore", "_=1"},
      {"a name with a space", "a b=1"},
      {"a name with a dot", "a.b=1"},
      {"a duplicate", "a=1; b=2; a=1"},
      {"a NUL in a value", std::string("a=1\0002", 5)},
      {"a DEL in a value", "a=1\x7f"},
  };
  for (const auto& [rule, text] : cases) EXPECT_FALSE(TagList::parse(text)) << rule;
}

TEST(TagList, ManyTagsAreRefusedNotCompared) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "t" + std::to_string(i) + "=;";
  EXPECT_FALSE(TagList::parse(text));
}

TEST(TagList, AbsentIsNotEmpty) {
  const auto list = TagList::parse("p=");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->find("p"), "");
  EXPECT_EQ(list->find("q"), std::nullopt);
}

TEST(TagList, WithoutWhiteSpace) {
  EXPECT_EQ(without_white_space(" a\r\n\tb c "), "abc");
}

}  // namespace
}  // namespace sesame::mail
