#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authres/authres.h"

namespace sesame::authres {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
      "mx.example.com\xc3\xbc; spf=pass",
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
