#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "dmarc/dmarc.h"
#include "mail/address.h"

namespace sesame::dmarc {
namespace {

const std::filesystem::path kSuite = std::filesystem::path(SESAME_SOURCE_DIR) / "../shared/suites/psl";

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
}

TEST(PublicSuffixes, TheListsOwnTestHolds) {
  std::ifstream file(kSuite / "test_psl.txt");
  if (!file) GTEST_SKIP() << "../shared/suites/psl is not here";
  const auto list = PublicSuffixList::from_file(kSuite / "public_suffix_list.dat");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  const std::regex form(R"(^checkPublicSuffix\((?:'(.*)'|null), (?:'(.*)'|null)\);)");
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, form)) continue;
    ++cases;
    // A null wanted means that no domain can be registered there: then the name stands for itself.
    const auto name = mail::to_ascii_domain(match[1].str());
    if (!name) {
      EXPECT_FALSE(match[2].matched) << line;
      continue;
    }
    const auto want = match[2].matched ? *mail::to_ascii_domain(match[2].str()) : *name;
    EXPECT_EQ((*list)->organizational_domain(*name), want) << line;
  }
  EXPECT_EQ(cases, 78);
}

}  // namespace
}  // namespace sesame::dmarc
