#include "watch/records.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sesame::watch {
namespace {

TEST(Part, EachHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (const auto part :
       {Part::dkim, Part::mail_from_mx, Part::mail_from_spf, Part::dmarc, Part::zone, Part::amazon})
    words.insert(to_string(part));
  EXPECT_EQ(words.size(), 6u);
}

}  // namespace
}  // namespace sesame::watch
