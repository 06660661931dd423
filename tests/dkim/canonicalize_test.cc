// RFC 6376 Section 3.4.
#include "dkim/canonicalize.h"

#include <gtest/gtest.h>

#include "dkim/body_hash.h"
#include "dkim/canonical_body.h"
#include "dkim/canonical_body.h"
#include "util/base64.h"

namespace sesame::dkim {
namespace {

using enum Canonicalization;

struct BodyCase {
  const char* rule;
  std::string body;
  std::string simple;
  std::string relaxed;
};

const std::vector<BodyCase>& body_cases() {
  static const std::vector<BodyCase> cases = {
      {"RFC 6376 Section 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
      {"empty", "", "\r\n", ""},
      {"one CRLF", "\r\n", "\r\n", ""},
      {"blank lines only", "\r\n\r\n\r\n", "\r\n", ""},
      {"lines of white space only", " \r\n\t \r\n", " \r\n\t \r\n", ""},
      {"white space only, no CRLF", "  ", "  \r\n", ""},
      {"no last CRLF", "a", "a\r\n", "a\r\n"},
      {"white space at the end, no CRLF", "a ", "a \r\n", "a\r\n"},
      {"blank lines inside stay", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
      {"white space lines inside become blank", "a\r\n \t\r\nb\r\n", "a\r\n \t\r\nb\r\n", "a\r\n\r\nb\r\n"},
      {"white space lines at the end", "a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"},
      {"leading blank lines stay", "\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
      {"leading white space becomes one space", " \t a\r\n", " \t a\r\n", " a\r\n"},
      {"a CR alone is text", "a\rb\r\n", "a\rb\r\n", "a\rb\r\n"},
      {"a CR before CRLF is text", "a \r\r\n", "a \r\r\n", "a \r\r\n"},
      {"a last CR is text", "a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n"},
      {"a LF alone is text", "a \n b\r\n", "a \n b\r\n", "a \n b\r\n"},
      {"NUL and 8-bit are text", std::string("\0 \xff\r\n", 5), std::string("\0 \xff\r\n", 5),
       std::string("\0 \xff\r\n", 5)},
  };
  return cases;
}

TEST(Body, Table) {
  for (const auto& test : body_cases()) {
    EXPECT_EQ(canonical_body(simple, {test.body}), test.simple) << test.rule;
    EXPECT_EQ(canonical_body(relaxed, {test.body}), test.relaxed) << test.rule;
  }
}

TEST(Body, EverySplitInThreeIsTheSame) {
  std::vector<std::string> bodies = {" \ta \t b\r\r\n\r\n \r\n\t\r\nc\rd\n\n\re \r\n  \r\n\r\n\r\n \r"};
  for (const auto& test : body_cases()) bodies.push_back(test.body);
  for (const std::string_view body : bodies) {
    for (const auto how : {simple, relaxed}) {
      const auto whole = canonical_body(how, {body});
      for (std::size_t i = 0; i <= body.size(); ++i)
        for (std::size_t j = i; j <= body.size(); ++j)
          ASSERT_EQ(canonical_body(how, {body.substr(0, i), body.substr(i, j - i), body.substr(j)}), whole)
              << i << " " << j;
      std::vector<std::string_view> octets;
      for (std::size_t i = 0; i < body.size(); ++i) octets.push_back(body.substr(i, 1));
      ASSERT_EQ(canonical_body(how, octets), whole);
    }
  }
}

// What is held back is counted: no chunk that comes out is larger than what went in or than the buffer.
TEST(Body, LongRunsAreNotKept) {
  for (const auto how : {simple, relaxed}) {
    std::size_t largest = 0;
    std::size_t total = 0;
    BodyCanonicalizer canonicalizer(how, [&](std::string_view octets) {
      largest = std::max(largest, octets.size());
      total += octets.size();
    });
    std::string blank_lines;
    for (int i = 0; i < 5000; ++i) blank_lines += "\r\n";
    for (int i = 0; i < 200; ++i) canonicalizer.write(blank_lines);
    EXPECT_EQ(total, 0u);
    canonicalizer.write("x");
    canonicalizer.finish();
    EXPECT_EQ(total, 2u * 5000 * 200 + 3);
    EXPECT_LE(largest, 8192u);
  }
}

TEST(BodyHashOf, EmptyBodies) {
  for (const auto& [how, want] : {std::pair{simple, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="},
                                  std::pair{relaxed, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}) {
    BodyHash hash({crypto::Hash::sha256, how, std::nullopt});
    hash.finish();
    EXPECT_EQ(base64_encode(hash.digest()), want);
  }
}

TEST(BodyHashOf, LengthCutsTheCanonicalForm) {
  BodyHash hash({crypto::Hash::sha256, relaxed, 4});
  hash.update("a  b");
  EXPECT_FALSE(hash.settled());
  hash.update("c  \r\n");
  EXPECT_FALSE(hash.settled()) << "the last CRLF is held back: it may be the end";
  hash.update("more");
  EXPECT_TRUE(hash.settled());
  hash.finish();
  crypto::Hasher want(crypto::Hash::sha256);
  want.update("a bc");
  EXPECT_EQ(hash.digest(), want.finish());
}

TEST(BodyHashOf, EqualPartsAreHashedOnce) {
  BodyHashes hashes;
  const BodyPart part{crypto::Hash::sha256, relaxed, std::nullopt};
  const auto* const first = &hashes.want(part);
  EXPECT_EQ(first, &hashes.want(part));
  EXPECT_NE(first, &hashes.want({crypto::Hash::sha256, simple, std::nullopt}));
  EXPECT_NE(first, &hashes.want({crypto::Hash::sha256, relaxed, 10}));
  EXPECT_NE(first, &hashes.want({crypto::Hash::sha1, relaxed, std::nullopt}));
  EXPECT_EQ(hashes.size(), 4u);
  EXPECT_EQ(first, &hashes.want(part));
}

std::string canonical(std::string_view name, std::string_view value, Canonicalization how) {
  std::string text = "before";
  append_canonical(name, value, how, text);
  EXPECT_TRUE(text.starts_with("before"));
  return text.substr(6);
}

TEST(Header, Table) {
  struct Case {
    const char* rule;
    std::string name;
    std::string value;
    std::string relaxed;
  };
  const std::vector<Case> cases = {
      {"RFC 6376 Section 3.4.5", "A", " X", "a:X"},
      {"RFC 6376 Section 3.4.5, folded", "B ", " Y\t\r\n\tZ  ", "b:Y Z"},
      {"folded right after the colon", "Subject", "\r\n Hi", "subject:Hi"},
      {"no space after the colon", "SUBJECT", "Hi", "subject:Hi"},
      {"empty", "X", "", "x:"},
      {"white space only", "X", " \r\n\t", "x:"},
      {"the case of the value stays", "X", " AbC", "x:AbC"},
      {"a CR or LF alone is text", "X", " a\rb\nc", "x:a\rb\nc"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(canonical(test.name, test.value, relaxed), test.relaxed) << test.rule;
    EXPECT_EQ(canonical(test.name, test.value, simple), test.name + ":" + test.value) << test.rule;
  }
}

TEST(Header, SignatureIsTakenOut) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {" v=1; b=abc; h=from", " v=1; b=; h=from"},
      {" v=1; b = a\r\n b ;", " v=1; b =;"},
      {" v=1; bh=xx; b=yy==", " v=1; bh=xx; b="},
      {"b=yy", "b="},
      {" v=1; ab=1", " v=1; ab=1"},
      {" v=1;\r\n\tb=x;", " v=1;\r\n\tb=;"},
      {"", ""},
      {";;", ";;"},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(without_signature(text), want) << text;
}

}  // namespace
}  // namespace sesame::dkim
