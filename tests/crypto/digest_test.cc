#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame::crypto {
namespace {

std::string hex(const std::vector<std::uint8_t>& octets) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto octet : octets) text += {kDigits[octet >> 4], kDigits[octet & 15]};
  return text;
}

std::string hash_of(Hash hash, std::string_view data) {
  Hasher hasher(hash);
  hasher.update(data);
  return hex(hasher.finish());
}

// FIPS 180-4 example values.
TEST(Hasher, KnownDigests) {
  EXPECT_EQ(hash_of(Hash::sha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of(Hash::sha256, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of(Hash::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Hasher, ChunksDoNotMatter) {
  const std::string data(1000, 'x');
  for (std::size_t cut = 0; cut <= data.size(); cut += 37) {
    Hasher hasher(Hash::sha256);
    hasher.update(std::string_view(data).substr(0, cut));
    hasher.update(std::string_view(data).substr(cut));
    EXPECT_EQ(hex(hasher.finish()), hash_of(Hash::sha256, data)) << cut;
  }
}

TEST(Hasher, SeveralAtOnceDoNotMix) {
  Hasher a(Hash::sha256), b(Hash::sha256), c(Hash::sha1);
  a.update("a");
  b.update("ab");
  c.update("ab");
  a.update("bc");
  c.update("c");
  b.update("c");
  const auto digest = hash_of(Hash::sha256, "abc");
  EXPECT_EQ(hex(a.finish()), digest);
  EXPECT_EQ(hex(b.finish()), digest);
  EXPECT_EQ(hex(c.finish()), hash_of(Hash::sha1, "abc"));
}

TEST(Hasher, ASecondFinishIsEmptyNotACrash) {
  Hasher hasher(Hash::sha256);
  EXPECT_EQ(hasher.finish().size(), digest_size(Hash::sha256));
  hasher.update("more");
  EXPECT_TRUE(hasher.finish().empty());
}

}  // namespace
}  // namespace sesame::crypto
