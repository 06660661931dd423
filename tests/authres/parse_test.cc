#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "authres/authres.h"

namespace sesame::authres {
namespace {

using ::testing::HasSubstr;

// "id | method=result (comment) reason=... type.name=value | ..."
std::string shown(const Header& header) {
  std::string text = header.authserv_id;
  for (const auto& s : header.statements) {
    text += " | " + s.method + (s.version == 1 ? "" : "/" + std::to_string(s.version)) + "=" + s.result;
    if (!s.comment.empty()) text += " (" + s.comment + ")";
    if (!s.reason.empty()) text += " reason=" + s.reason;
    for (const auto& p : s.properties) text += " " + p.type + "." + p.name + "=" + p.value;
  }
  return text;
}

std::string shown(std::string_view value) {
  const auto header = parse(value);
  return header ? shown(*header) : "error: " + header.error().message;
}

TEST(Parse, WhatTheGrammarAllowsIsRead) {
  const std::pair<const char*, const char*> cases[] = {
      {" mx.example.com; none", "mx.example.com"},
      {"mx.example.com;none", "mx.example.com"},
      {"mx.example.com 1; NONE (nothing)", "mx.example.com"},
      {"mx.example.com; spf=pass smtp.mailfrom=example.com", "mx.example.com | spf=pass smtp.mailfrom=example.com"},
      {"\"mx example\"; spf=pass", "mx example | spf=pass"},
      {"mx; x-new=maybe policy.x-y=z", "mx | x-new=maybe policy.x-y=z"},
      {"mx; a=b; c=d;", "mx | a=b | c=d"},
      {"mx; none=pass", "mx | none=pass"},
      {"mx;\r\n\tdkim/1=pass\r\n\t(2048-bit\r\n\tkey) header.d=example.com",
       "mx | dkim=pass (2048-bit key) header.d=example.com"},
      {"mx; dkim=fail reason=\"bad \\\"signature\\\"\" header.i=@example.com",
       "mx | dkim=fail reason=bad \"signature\" header.i=@example.com"},
      {"mx; DKIM = Pass Header . D = Example.COM REASON=x", "mx | dkim=pass reason=x header.d=Example.COM"},
      {"mx; dkim / 1 = pass; spf/002=fail; dmarc /(c)\t7(d) = none", "mx | dkim=pass | spf/2=fail | dmarc/7=none"},
      {"mx; dkim/99999999999999999999=pass", "mx | dkim/4294967295=pass"},
      {"mx; spf=pass smtp.mailfrom=\"a b\"@example.com", "mx | spf=pass smtp.mailfrom=a b@example.com"},
      {"mx; dkim=pass header.b=ab/c+d==", "mx | dkim=pass header.b=ab/c+d=="},
      {"mx; spf=none smtp.mailfrom=; dkim=none", "mx | spf=none smtp.mailfrom= | dkim=none"},
      {"mx; spf=none smtp.mailfrom=<>", "mx | spf=none smtp.mailfrom=<>"},
      {"mx; dkim=pass (good (very) \\) one)", "mx | dkim=pass (good (very) ) one)"},
      {"b\xc3\xbc"
       "cher.example; spf=pass",
       "b\xc3\xbc"
       "cher.example | spf=pass"},
  };
  for (const auto& [value, want] : cases) EXPECT_EQ(shown(value), want) << value;
}

TEST(Parse, WhatItDoesNotAllowIsAnError) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "authserv-id expected at the end"},
      {"; none", "authserv-id expected"},
      {"spf=pass smtp.mailfrom=example.com", "\";\" expected at \"=pass"},  // A5
      {"mx.example.com", "\";\" expected at the end"},
      {"mx 2; none", "version 2 is not known"},
      {"mx; spf", "\"=\" expected"},
      {"mx; (null)=pass", "method expected"},  // C1
      {"mx; spf=", "result expected"},
      {"mx; spf/=pass", "method version expected"},
      {"mx; spf/x=pass", "method version expected"},
      {"mx; spf/-1=pass", "method version expected"},
      {"mx; spf=pass smtp", "\".\" expected"},
      {"mx; spf=pass smtp.", "property name expected"},
      {"mx; spf=pass smtp.mailfrom", "\"=\" expected"},
      {"mx; spf=pass (", "end of the comment expected"},
      {"mx; spf=pass reason=\"x", "end of the quoted string expected"},
      {"\"mx", "end of the quoted string expected"},
      {"\"mx\\", "end of the quoted string expected"},
      {"mx; none; spf=pass", "\"=\" expected"},
      {std::string("mx\0; none", 9), "\";\" expected at \"\\x00; none\""},
  };
  for (const auto& [value, want] : cases) EXPECT_THAT(shown(value), HasSubstr("error: " + std::string(want))) << value;
}

TEST(Parse, TenThousandResultsAreRefusedAndAThousandRead) {  // A4
  std::string value = "mx";
  for (int i = 0; i < 1000; ++i) value += ";a=b";
  EXPECT_EQ(parse(value)->statements.size(), 1000U);
  for (int i = 0; i < 9000; ++i) value += ";a=b";
  EXPECT_EQ(shown(value), "error: too many results");
}

TEST(Parse, AMegabyteIsReadInOnePass) {  // A3
  for (const char* piece : {"(", "()", "\"", ";", "a=b;", "\\", "mx", " ", "\r\n\t", ";a=b c.d=e", "\r", "\r(",
                            "\xc3\xbc ", "\xc3\xbc(c)", "Authentication-Results:", "\nAuthentication-Results:(",
                            "\rAuthentication-Results:\xc3\xbc a b c d(c)", "(\\", "(\\)"}) {
    for (std::string value : {std::string(), std::string("mx; a=b ")}) {
      while (value.size() < (1U << 20)) value += piece;
      (void)parse(value);
      const std::string ids[] = {"mx.example.com"};
      (void)claims({"Authentication-Results", value}, ids);
    }
  }
}

TEST(Parse, WrittenIsReadBack) {
  const Header headers[] = {
      {"mx.example.com", {}},
      {"mx example", {{"spf", "pass", "", "", {{"smtp", "mailfrom", "b=x y@example.com"}}}}},
      {"mx.example.com",
       {{"dkim",
         "fail",
         "body (hash); differs",
         "a [b] c/d",
         {{"header", "d", "example.com"}, {"header", "b", "a/b="}},
         3},
        {"dmarc", "none", "", std::string(60, 'x') + " " + std::string(60, 'y'), {{"header", "from", ""}}}}},
  };
  for (const auto& header : headers) EXPECT_EQ(shown(write(header)), shown(header));
}

// What stands behind "i=N;" in an ARC-Authentication-Results field: RFC 8617 Section 4.1.1.
TEST(Parse, ThePayloadOfArcAuthenticationResultsIsRead) {
  EXPECT_EQ(
      shown(" mx.example.org; dkim=pass header.d=example.com; dmarc=pass (p=none dis=none) header.from=example.com"),
      "mx.example.org | dkim=pass header.d=example.com | dmarc=pass (p=none dis=none) header.from=example.com");
  EXPECT_EQ(
      shown("mx.example.org;\r\n\tarc=none; spf=pass (mx.example.org: domain of u@example.com designates 192.0.2.1 as "
            "permitted sender) smtp.mailfrom=u@example.com;\r\n dmarc=fail (p=REJECT sp=NONE) header.from=example.net"),
      "mx.example.org | arc=none | spf=pass (mx.example.org: domain of u@example.com designates 192.0.2.1 as permitted "
      "sender) smtp.mailfrom=u@example.com | dmarc=fail (p=REJECT sp=NONE) header.from=example.net");
  EXPECT_EQ(shown("mx.example.org; none"), "mx.example.org");
}

TEST(Parse, AFieldWithoutAnIdIsNotRead) {  // A5
  EXPECT_THAT(shown("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dkim=none"), HasSubstr("error: "));
  EXPECT_EQ(shown("host; none"), "host");
}

// The values of fields that look like results and are none of ours to read.
TEST(Parse, WhatOtherFieldsHoldIsNoResult) {  // A6
  for (const char* value :
       {"pass (mx.example.com: domain of example.org designates 192.0.2.1) client-ip=192.0.2.1; helo=mail.example.org",
        "Pass client-ip=192.0.2.1; envelope-from=\"u@example.org\"; helo=mail.example.org;",
        "i=1; mx.example.com; dmarc=pass header.from=example.org",  // ARC-Authentication-Results with its instance
        "dmarc=pass header.from=example.org", "pass"})
    EXPECT_FALSE(parse(value).has_value()) << value;
}

TEST(Parse, ExamplesOfTheRfcAreRead) {  // RFC 8601 Appendix B
  const auto path = std::filesystem::path(SESAME_SOURCE_DIR) / "../shared/suites/rfc-examples/authres.json";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << "../shared/suites/rfc-examples is not here";
  const auto suite = nlohmann::json::parse(file);
  ASSERT_EQ(suite.at("cases").size(), 9U);
  for (const auto& c : suite.at("cases")) {
    const auto header = parse(c.at("value").get<std::string>());
    ASSERT_TRUE(header.has_value()) << c.at("id") << header.error().message;
    EXPECT_EQ(header->authserv_id, c.at("authserv_id")) << c.at("id");
    ASSERT_EQ(header->statements.size(), c.at("results").size()) << c.at("id");
    for (std::size_t i = 0; i < header->statements.size(); ++i) {
      const auto& got = header->statements[i];
      const auto& want = c.at("results").at(i);
      EXPECT_EQ(got.method, want.at(0)) << c.at("id");
      EXPECT_EQ(got.result, want.at(1)) << c.at("id");
      nlohmann::json properties = nlohmann::json::object();
      for (const auto& p : got.properties) properties[p.type + "." + p.name] = p.value;
      EXPECT_EQ(properties, want.at(2)) << c.at("id");
      EXPECT_EQ(got.reason, want.size() > 3 ? want.at(3).get<std::string>() : "") << c.at("id");
    }
  }
}

}  // namespace
}  // namespace sesame::authres
