// RFC 6376 Sections 3.5 and 6.1.1: the text of a DKIM-Signature alone.
#include "dkim/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace sesame::dkim {
namespace {

using Tags = std::map<std::string, std::string>;

const Tags kGood = {{"v", "1"},
                    {"a", "rsa-sha256"},
                    {"d", "example.com"},
                    {"s", "sel"},
                    {"h", "From : Subject"},
                    {"bh", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
                    {"b", "AAEC\r\n AwQFBgcICQ=="}};
const std::string kAbsent = "<absent>";

std::string field_with(const Tags& changes) {
  auto tags = kGood;
  for (const auto& [name, value] : changes) tags[name] = value;
  std::string text;
  for (const auto& [name, value] : tags)
    if (value != kAbsent) text += " " + name + "=" + value + ";";
  return text;
}

TEST(Signature, ReadsEveryTag) {
  const auto parsed = parse_signature(
      field_with({{"c", "relaxed/simple"}, {"l", "12"}, {"t", "1"}, {"x", "2"}, {"i", "a@b.example.com"}}));
  ASSERT_FALSE(parsed.problem) << parsed.problem->reason;
  const auto& signature = parsed.signature;
  EXPECT_EQ(signature.algorithm, "rsa-sha256");
  EXPECT_EQ(signature.domain, "example.com");
  EXPECT_EQ(signature.selector, "sel");
  EXPECT_EQ(signature.identity, "a@b.example.com");
  EXPECT_EQ(signature.identity_domain, "b.example.com");
  EXPECT_EQ(signature.header, Canonicalization::relaxed);
  EXPECT_EQ(signature.body, (BodyPart{crypto::Hash::sha256, Canonicalization::simple, 12}));
  EXPECT_THAT(signature.signed_fields, testing::ElementsAre("from", "subject"));
  EXPECT_EQ(signature.signed_at, 1);
  EXPECT_EQ(signature.expires_at, 2);
  EXPECT_EQ(signature.signature.size(), 10u);
  EXPECT_EQ(signature.b_prefix, "AAECAwQF");
}

TEST(Signature, Accepts) {
  const std::vector<std::pair<const char*, Tags>> cases = {
      {"defaults", {}},
      {"ed25519-sha256", {{"a", "ed25519-sha256"}}},
      {"one word of c= is the header's", {{"c", "relaxed"}}},
      {"an unknown tag", {{"r", "y"}}},
      {"dots in s=", {{"s", "a.b.c"}}},
      {"underscore in s=", {{"s", "a_b"}}},
      {"upper case in d=", {{"d", "EXAMPLE.Com"}}},
      {"i= below d=", {{"i", "@sub.example.com"}}},
      {"i= in quoted-printable", {{"i", "a=40b@example.com"}}},
      {"i= with an = that begins no code", {{"i", "b=4@example.com"}}},
      {"i= of a bounce address", {{"i", "bounce+user=example.net@example.com"}}},
      {"i= in other case", {{"i", "a@Example.COM"}}},
      {"q= with another method beside", {{"q", "other/x : dns/txt"}}},
      {"q= in any case", {{"q", "DNS/Txt"}}},
      {"From in any case", {{"h", "SUBJECT:fRoM"}}},
      {"a name in h= twice", {{"h", "from:from:subject"}}},
      {"z= is not looked at", {{"z", "From:x|=Z"}}},
      {"77 zeros are too many, 76 are not", {{"l", std::string(76, '0')}}},
  };
  for (const auto& [rule, tags] : cases) {
    const auto parsed = parse_signature(field_with(tags));
    EXPECT_FALSE(parsed.problem) << rule << ": " << parsed.problem->reason;
  }
}

struct Refusal {
  const char* rule;
  Tags tags;
  Result result = Result::permerror;
  const char* reason = "syntax: ";
};

TEST(Signature, Refuses) {
  const std::vector<Refusal> cases = {
      {"v= required", {{"v", kAbsent}}},
      {"v= is 1", {{"v", "2"}}},
      {"v= is exactly 1", {{"v", "1.0"}}},
      {"a= required", {{"a", kAbsent}}},
      {"a= empty", {{"a", ""}}},
      {"unknown algorithm is ignored", {{"a", "rsa-sha512"}}, Result::neutral, "unsupported: the algorithm"},
      {"algorithms are case-sensitive", {{"a", "RSA-SHA256"}}, Result::neutral, "unsupported: "},
      {"b= required", {{"b", kAbsent}}},
      {"b= empty", {{"b", ""}}},
      {"b= not base64", {{"b", "!AAA"}}},
      {"b= too long", {{"b", std::string(4000, 'A')}}},
      {"bh= required", {{"bh", kAbsent}}},
      {"bh= not base64", {{"bh", "!!"}}},
      {"D5: 500 octets of bh=", {{"bh", std::string(668, 'A')}}},
      {"bh= shorter than a digest", {{"bh", "AAAA"}}},
      {"d= required", {{"d", kAbsent}}},
      {"d= empty", {{"d", ""}}},
      {"d= a single label", {{"d", "com"}}},
      {"D1: parenthesis in d=", {{"d", "example.com(.attacker.test"}}},
      {"D1: quote in d=", {{"d", "example.com'.attacker.test"}}},
      {"D1: space in d=", {{"d", "exam ple.com"}}},
      {"D1: NUL in d=", {{"d", std::string("example.com\0.test", 17)}}},
      {"D3: line break in d=", {{"d", "example.com\r\n X: y"}}},
      {"empty label in d=", {{"d", "example..com"}}},
      {"a dot at the end of d=", {{"d", "example.com."}}},
      {"s= required", {{"s", kAbsent}}},
      {"s= empty", {{"s", ""}}},
      {"a dot at the end of s=", {{"s", "sel."}}},
      {"D2: NUL in s=", {{"s", std::string("a.example.com\0b", 15)}}},
      {"D2: at sign in s=", {{"s", "a@b"}}},
      {"label over 63 in s=", {{"s", std::string(64, 'a')}}},
      {"name over 253 of s= and d=",
       {{"s", std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c')},
        {"d", std::string(60, 'd') + ".example.com"}}},
      {"h= required", {{"h", kAbsent}}},
      {"h= empty", {{"h", ""}}},
      {"D6: h= without From", {{"h", "subject:date"}}},
      {"h= with a name that is none", {{"h", "from:sub ject"}}},
      {"D6: 10 000 colons", {{"h", "from" + std::string(10000, ':')}}},
      {"c= empty", {{"c", ""}}},
      {"unknown canonicalization", {{"c", "nowsp"}}, Result::neutral, "unsupported: the canonicalization"},
      {"unknown body canonicalization", {{"c", "simple/x"}}, Result::neutral, "unsupported: "},
      {"three canonicalizations", {{"c", "simple/simple/simple"}}, Result::neutral, "unsupported: "},
      {"D13: i= in another domain", {{"i", "a@example.org"}}},
      {"D13: i= that only ends alike", {{"i", "a@notexample.com"}}},
      {"D13: i= above d=", {{"i", "a@com"}}},
      {"i= without @", {{"i", "example.com"}}},
      {"a dot at the end of i=", {{"i", "a@example.com."}}},
      {"i= hides another @", {{"i", "a@example.com=40example.org"}}},
      {"l= not digits", {{"l", "-1"}}},
      {"l= empty", {{"l", ""}}},
      {"l= of 77 digits", {{"l", std::string(77, '1')}}},
      {"q= unknown", {{"q", "http/x"}}, Result::neutral, "unsupported: the query method"},
      {"t= not digits", {{"t", "soon"}}},
      {"t= empty", {{"t", ""}}},
      {"t= of 13 digits", {{"t", std::string(13, '1')}}},
      {"x= not digits", {{"x", "1e9"}}},
      {"D12: x= before t=", {{"t", "20"}, {"x", "10"}}},
      {"x= equal to t=", {{"t", "20"}, {"x", "20"}}},
  };
  for (const auto& test : cases) {
    const auto parsed = parse_signature(field_with(test.tags));
    ASSERT_TRUE(parsed.problem) << test.rule;
    EXPECT_STREQ(to_string(parsed.problem->result), to_string(test.result)) << test.rule;
    EXPECT_THAT(parsed.problem->reason, testing::StartsWith(test.reason)) << test.rule;
    EXPECT_THAT(parsed.problem->reason, testing::Not(testing::ContainsRegex("[^ -~]"))) << test.rule;
  }
}

TEST(Signature, DuplicateTagSpoilsAll) {
  const auto parsed = parse_signature(field_with({}) + " s=other;");
  ASSERT_TRUE(parsed.problem);
  EXPECT_EQ(parsed.signature.domain, "");
}

TEST(Signature, ARefusedOneStillNamesItsDomain) {
  for (const auto& tags :
       {Tags{{"v", "2"}}, Tags{{"a", "x"}}, Tags{{"h", "to"}}, Tags{{"bh", "x"}}, Tags{{"b", "!"}}}) {
    const auto parsed = parse_signature(field_with(tags));
    EXPECT_TRUE(parsed.problem);
    EXPECT_EQ(parsed.signature.domain, "example.com");
    EXPECT_EQ(parsed.signature.selector, "sel");
  }
}

TEST(Signature, ALongFieldIsNotRead) {
  const auto parsed = parse_signature(field_with({{"z", std::string(kMaxSignatureField, 'x')}}));
  ASSERT_TRUE(parsed.problem);
  EXPECT_EQ(parsed.problem->result, Result::permerror);
  EXPECT_EQ(parsed.signature.domain, "");
}

TEST(Signature, ALengthOverEveryNumberIsKeptAsTheLargest) {
  const auto parsed = parse_signature(field_with({{"l", std::string(76, '9')}}));
  ASSERT_FALSE(parsed.problem);
  EXPECT_EQ(parsed.signature.body.length, std::numeric_limits<std::uint64_t>::max());
}

// RFC 8616 Section 5
TEST(Signature, ULabelsAreLookedUpAsALabels) {
  const auto parsed = parse_signature(field_with({{"d",
                                                   "b\xc3\xbc"
                                                   "cher.example"},
                                                  {"s", "m\xc3\xbcller"}}));
  ASSERT_FALSE(parsed.problem) << parsed.problem->reason;
  EXPECT_EQ(parsed.signature.domain, "xn--bcher-kva.example");
  EXPECT_EQ(parsed.signature.selector, "xn--mller-kva");
}

}  // namespace
}  // namespace sesame::dkim
