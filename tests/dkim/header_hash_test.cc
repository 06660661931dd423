// RFC 6376 Section 5.4.2.
#include "dkim/header_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "util/text.h"

namespace sesame::dkim {
namespace {

std::vector<std::size_t> found(const FieldIndex& index, std::string_view name) {
  std::vector<std::size_t> positions;
  for (const auto& place : index.of(name)) positions.push_back(place.position);
  return positions;
}

TEST(FieldIndex, FindsWhatIsNamedAlikeTopFirst) {
  const mail::Fields fields = {{"To", "1"}, {"FROM", "2"}, {"to ", "3"}, {"TO\t", "4"}, {"Tp", "5"}, {"T", "6"}};
  const FieldIndex index(fields);
  EXPECT_EQ(found(index, "to"), (std::vector<std::size_t>{0, 2, 3}));
  EXPECT_EQ(found(index, "from"), (std::vector<std::size_t>{1}));
  EXPECT_EQ(found(index, "t"), (std::vector<std::size_t>{5}));
  EXPECT_TRUE(found(index, "").empty());
  EXPECT_TRUE(found(index, "cc").empty());
  EXPECT_TRUE(found(FieldIndex({}), "to").empty());
}

TEST(FieldIndex, FindsWhatASearchFinds) {
  std::mt19937 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) {
    std::string name;
    for (auto size = random() % 4 + 1; size > 0; --size) name += "aAbBz-\xc3"[random() % 7];
    names.push_back(name);
  }
  mail::Fields fields;
  for (const auto& name : names) fields.push_back({name, ""});
  const FieldIndex index(fields);
  for (const auto& name : names) {
    std::vector<std::size_t> want;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (lower(names[i]) == lower(name)) want.push_back(i);
    EXPECT_EQ(found(index, lower(name)), want) << name;
  }
}

// What is hashed, written out.
TEST(HeaderDigest, TakesEachFieldOnceFromTheBottom) {
  const mail::Fields fields = {{"A", " 1"},  {"DKIM-Signature", " h=..; b=x"},
                               {"a", " 2"},  {"DKIM-Signature", " b=yy"},
                               {"A ", " 3"}, {"B", " x  y"}};
  Signature signature;
  signature.header = Canonicalization::relaxed;
  const auto digest = [&](std::vector<std::string> names, std::size_t own) {
    signature.signed_fields = std::move(names);
    return header_digest(signature, FieldIndex(fields), own);
  };
  const auto want = [](std::string_view text) {
    crypto::Hasher hasher(crypto::Hash::sha256);
    hasher.update(text);
    return hasher.finish();
  };
  EXPECT_EQ(digest({"a", "b", "a"}, 3), want("a:3\r\nb:x y\r\na:2\r\ndkim-signature:b="));
  EXPECT_EQ(digest({"a", "a", "a", "a", "", "c"}, 3), want("a:3\r\na:2\r\na:1\r\ndkim-signature:b="));
  // The signature's own field is never one of those it signs.
  EXPECT_EQ(digest({"dkim-signature", "dkim-signature"}, 3), want("dkim-signature:h=..; b=x\r\ndkim-signature:b="));
  EXPECT_EQ(digest({"dkim-signature", "dkim-signature"}, 1), want("dkim-signature:b=yy\r\ndkim-signature:h=..; b="));
  EXPECT_EQ(digest({}, 1), want("dkim-signature:h=..; b="));
}

}  // namespace
}  // namespace sesame::dkim
