#include "util/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame {
namespace {

// The key of the authors' test vectors, which are of SipHash-2-4; these were computed by another implementation that
// gives those.
TEST(KeyedHash, IsSipHashOfOneAndThreeRounds) {
  constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  struct Case {
    std::size_t size;
    std::uint64_t hash;
  };
  for (const auto& c : {Case{0, 0xabac0158050fc4dc}, Case{1, 0xc9f49bf37d57ca93}, Case{7, 0xd3927d989bb11140},
                        Case{8, 0x369095118d299a8e}, Case{9, 0x25a48eb36c063de4}, Case{15, 0xd320d86d2a519956},
                        Case{16, 0xcc4fdd1a7d908b66}, Case{63, 0x9d199062b7bbb3a8}}) {
    std::string text;
    while (text.size() < c.size) text.push_back(static_cast<char>(text.size()));
    EXPECT_EQ(keyed_hash(text, kKey), c.hash) << c.size;
  }
}

TEST(KeyedHash, ATextKeepsItsHash) {
  EXPECT_EQ(keyed_hash("a.example"), keyed_hash(std::string("a.example")));
  EXPECT_NE(keyed_hash("a.example"), keyed_hash("b.example"));
  EXPECT_EQ(HashedText("a.example").hash, KeyedHash{}("a.example"));
}

}  // namespace
}  // namespace sesame
