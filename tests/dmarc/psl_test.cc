#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dmarc/dmarc.h"

namespace sesame::dmarc {
namespace {

std::filesystem::path write_file(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / name;
  std::ofstream(path) << text;
  return path;
}

TEST(PublicSuffixes, RulesWildcardsAndExceptionsAreFollowed) {
  const auto path = write_file("sesame_psl_test.dat", "test\nco.test\n*.wild.test\n!city.wild.test\n");
  const auto list = PublicSuffixList::from_file(path);
  ASSERT_TRUE(list.has_value()) << list.error().message;
  const std::pair<const char*, const char*> cases[] = {
      {"test", "test"},
      {"example.test", "example.test"},
      {"a.b.example.test", "example.test"},
      {"co.test", "co.test"},
      {"a.example.co.test", "example.co.test"},
      {"x.wild.test", "x.wild.test"},
      {"a.b.x.wild.test", "b.x.wild.test"},
      {"a.city.wild.test", "city.wild.test"},
      {"a.example.unlisted", "example.unlisted"},
      {"localhost", "localhost"},
  };
  for (const auto& [name, want] : cases) EXPECT_EQ((*list)->organizational_domain(name), want) << name;
}

TEST(PublicSuffixes, AFileThatIsNoListIsAnError) {
  EXPECT_FALSE(PublicSuffixList::from_file("/nonexistent/list.dat").has_value());
  EXPECT_FALSE(PublicSuffixList::from_file(write_file("sesame_psl_empty.dat", "// nothing\n")).has_value());
}

TEST(PublicSuffixes, TheSystemHasAList) {
  EXPECT_EQ(PublicSuffixList::system()->organizational_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(PublicSuffixList::system(), PublicSuffixList::system());
  EXPECT_GT(PublicSuffixList::system()->as_of(), 1577836800);  // 2020
}

}  // namespace
}  // namespace sesame::dmarc
