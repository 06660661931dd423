#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authres/authres.h"

namespace sesame::authres {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kIds = {"mx.example.com", "Internal Gateway",
                                       "b\xc3\xbc"
                                       "cher.example"};

bool claimed(const std::string& value) {
  return claims({"Authentication-Results", value}, kIds);
}

TEST(Strip, OurIdIsRecognisedHoweverDressed) {
  const std::string cases[] = {
      " mx.example.com; none",
      "mx.example.com; spf=pass",
      "MX.Example.COM; spf=pass",                       // A2 case
      "(a (nested) comment) mx.example.com; spf=pass",  // A2 comment before
      "\r\n\t(x)\r\n mx.example.com; spf=pass",
      "\"mx.example.com\"; spf=pass",  // A2 quoted
      "\" mx.example.com \"; spf=pass",
      "\"mx\\.example.com\"; spf=pass",
      "\"mx.example.com",
      "mx.example.com.; spf=pass",  // A2 trailing dot
      "mx.example.com..; spf=pass",
      "mx.example.com 1; spf=pass",  // A2 version
      "mx.example.com (c) 1; spf=pass",
      "mx.example.com/1; spf=pass",
      "mx.example.com 99; spf=pass",
      "mx.example.com(comment); spf=pass",
      "mx.exam(comment)ple.com; spf=pass",
      "mx.\"example\".com; spf=pass",
      "\"internal gateway\"; spf=pass",
      "b\xc3\xbc"
      "cher.example; spf=pass",  // U-label
      "B\xc3\x9c"
      "CHER.example.; spf=pass",
      "xn--bcher-kva.example; spf=pass",
      "XN--BCHER-KVA.EXAMPLE; spf=pass",
      "mx\xe3\x80\x82"
      "example.com; spf=pass",
      "mx.example.com",  // A3 unparsable
      "mx.example.com spf=pass",
      "mx.example.com, spf=pass",
      "mx.example.com=x; spf=pass",
      "; mx.example.com; spf=pass",
      ",;mx.example.com; spf=pass",
      ") mx.example.com; spf=pass",
      "<mx.example.com>; spf=pass",
      "(mx.example.com; spf=pass",
      "(other (mx.example.com) ; spf=pass",
      "mx.example.com (; spf=pass",
      std::string("mx.example.com\0; spf=pass", 25),
      "\x01mx.example.com; spf=pass",
      "mx.example.com; " + std::string(1 << 20, 'x'),  // A3 size
      std::string(1 << 20, ' ') + "mx.example.com; none",
      "=?utf-8?Q?mx.example.com?=; spf=pass",  // for readers that decode first
      "=?utf-8?B?bXguZXhhbXBsZS5jb207IGRtYXJjPXBhc3M=?=",
      "(c) =?utf-8?Q?anything?=; spf=pass",
      "\"=?utf-8?Q?mx.example.com?=\"; spf=pass",
      "mx.=?utf-8?Q?example.com?=; spf=pass",
      "(unclosed b\xc3\xbc"
      "cher.example; spf=pass",
  };
  for (const auto& value : cases) EXPECT_TRUE(claimed(value)) << value.substr(0, 80);
}

// What some reader takes for our id although the grammar has it otherwise, or has it not at all.
TEST(Strip, WhatOneReaderTakesForOursIsOurs) {  // A2
  const std::string cases[] = {
      "Authentication-Results: mx.example.com; dmarc=pass",  // Mail::AuthenticationResults drops the name
      "authentication-results :\r\n mx.example.com; dmarc=pass",
      "(c) Authentication-Results:Authentication-Results: (d) mx.example.com; dmarc=pass",
      "(\\) mx.example.com; dmarc=pass) other.example; none",      // no quoted pairs in comments
      "(a (b) mx.example.com; dmarc=pass) other.example; none",    // no nesting
      "(\\( \\) mx.example.com; dmarc=pass) other.example; none",  // neither
      "mx . example . com; dmarc=pass",                            // dots as tokens
      "mx.\r\n\texample.com 1; dmarc=pass",                        // folds taken away
      "mx.(c) example(d) .com; dmarc=pass",
      "\"mx.\" \"example.com\"; dmarc=pass",
      "\"\"mx.example.com; dmarc=pass",
      "m\\x.example.com; dmarc=pass",
      "mx.example.com\xc3\xbc; dmarc=pass",  // what is not ASCII taken away
      "m\xffx.example.com; dmarc=pass",
      "mx.example.com\xc3\xbc.other.example; dmarc=pass",  // or taken for the end
      "mx.example.com..other.example; dmarc=pass",
      "mx.example.com!other.example; dmarc=pass",
      std::string(600, '.') + "mx.example.com" + std::string(600, '.') + "; dmarc=pass",
      "\xc2\xa0mx.example.com; dmarc=pass",  // Unicode white space
      "mx.example.com\xa0; dmarc=pass",      // the same in Latin-1
      "\xe2\x80\x89"
      "b\xc3\xbc"
      "cher.example; dmarc=pass",
      "mx\xc2\xad.example.com; dmarc=pass",  // soft hyphen
      "mx.example.com\x0b; dmarc=pass",
      "mx.\x0c"
      "example.com; dmarc=pass",
      "other.example; none\rAuthentication-Results: mx.example.com; dmarc=pass",  // a field within the field
      "other.example; none\nauthentication-results :mx.example.com; dmarc=pass",
      "other.example; none\r\n\tx=y\n\nAuthentication-Results:\r\n (c) MX.example.com; dmarc=pass",
  };
  for (const auto& value : cases) EXPECT_TRUE(claimed(value)) << value;
}

TEST(Strip, AnEndlessIdWithULabelsIsOurs) {
  EXPECT_TRUE(claimed("\xc3\xbc.a (c) b c d e f g; none"));
  EXPECT_FALSE(claimed("\xc3\xbc.a b; none"));
  std::string soft_hyphens = "mx";
  for (int i = 0; i < 300; ++i) soft_hyphens += "\xc2\xad";
  EXPECT_TRUE(claimed(soft_hyphens + ".example.com; dmarc=pass"));
}

TEST(Strip, ForgedFieldsAreEachRecognised) {  // A1
  const std::string forged[] = {"mx.example.com; dkim=pass header.d=example.org", "other.example; none",
                                "\"mx.example.com\" 1; spf=pass smtp.mailfrom=example.org",
                                "MX.EXAMPLE.COM.;dmarc=pass"};
  std::vector<bool> found;
  for (const auto& value : forged) found.push_back(claimed(value));
  EXPECT_THAT(found, ElementsAre(true, false, true, true));
}

TEST(Strip, TheFieldIsOursWhateverItsNameIsFollowedBy) {  // A2 "A-R :"
  EXPECT_TRUE(claims({"Authentication-Results ", " mx.example.com; none"}, kIds));
}

TEST(Strip, OversizeAndUnparsableFieldsAreRecognised) {  // A3
  EXPECT_TRUE(claimed("mx.example.com; " + std::string(1 << 20, 'x')));
  EXPECT_TRUE(claimed(std::string(1 << 20, ' ') + "mx.example.com; none"));
  EXPECT_TRUE(claimed("(" + std::string(1 << 20, 'x') + ") mx.example.com; none"));
  for (const char* broken :
       {"mx.example.com", "mx.example.com; (", "mx.example.com; spf=pass reason=\"", "mx.example.com; ;=;"})
    EXPECT_TRUE(claimed(broken)) << broken;
}

TEST(Strip, AFieldWithoutAnIdIsNobodys) {  // A5
  EXPECT_FALSE(claimed("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=mx.example.com; dkim=none"));
  EXPECT_FALSE(claimed("spf=pass smtp.mailfrom=example.com; dmarc=pass action=none header.from=mx.example.com;"));
  EXPECT_TRUE(claimed("mx.example.com; none"));
}

TEST(Strip, ForeignIdsStay) {
  const std::string cases[] = {
      "notmx.example.com; spf=pass",
      "mx.example.com.evil.example; spf=pass",
      "mx.example.com-evil.example; spf=pass",
      "mx.example.com1; spf=pass",
      "mx.example.community; spf=pass",
      "x-mx.example.com; spf=pass",
      "a.mx.example.com; spf=pass",
      "example.com; spf=pass",
      "\"notmx.example.com\"; spf=pass",
      "(mx.example.com) other.example; spf=pass",
      "other.example (mx.example.com); spf=pass",
      "other.example; spf=pass smtp.mailfrom=mx.example.com",
      "other.example; mx.example.com; none",
      "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=mx.example.com; dkim=none",  // A5
      "mx.example.org; none",
      "mx.example.net\xc3\xbc; spf=pass",
      "b\xc3\xa4"
      "cher.example; spf=pass",
      "Authentication-Results; spf=pass",
      "Authentication-Results: other.example; spf=pass",
      "gateway; none",
      "other.example (=?utf-8?Q?mx.example.com?=); spf=pass reason=\"=?utf-8?Q?x?=\"",
      "(unclosed other.example; smtp.mailfrom=notmx.example.com",
      "",
      ";;;",
      "\"\"; none",
  };
  for (const auto& value : cases) EXPECT_FALSE(claimed(value)) << value;
}

TEST(Strip, NoIdsClaimNothing) {
  EXPECT_FALSE(claims({"Authentication-Results", ""}, std::vector<std::string>{""}));
  EXPECT_FALSE(claims({"Authentication-Results", "=?utf-8?Q?x?="}, std::vector<std::string>{}));
}

}  // namespace
}  // namespace sesame::authres
