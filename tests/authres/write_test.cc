#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authres/authres.h"
#include "util/text.h"

namespace sesame::authres {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string property(const std::string& value) {
  const auto text = write({"mx.example.com", {{"spf", "pass", "", "", {{"smtp", "mailfrom", value}}}}});
  return text.substr(text.find("mailfrom=") + 9);
}

TEST(Write, NoResultsIsNone) {
  EXPECT_EQ(write({"mx.example.com", {}}), "mx.example.com; none");
}

TEST(Write, IdIsQuotedUnlessItIsAToken) {  // RFC 8601 Section 2.2: authserv-id = value
  EXPECT_EQ(write({"mx@example.com", {}}), "\"mx@example.com\"; none");
  EXPECT_EQ(write({"a b", {}}), "\"a b\"; none");
}

TEST(Write, EachResultHasItsLine) {
  EXPECT_EQ(
      write({"mx.example.com",
             {{"spf", "pass", "", "", {{"smtp", "mailfrom", "example.com"}}},
              {"dkim", "fail", "body hash differs", "", {{"header", "d", "example.com"}, {"header", "b", "ab+/=c"}}},
              {"dmarc", "fail", "", "p=reject", {{"header", "from", "example.com"}}}}}),
      "mx.example.com;\r\n\tspf=pass smtp.mailfrom=example.com;\r\n"
      "\tdkim=fail reason=\"body hash differs\" header.d=example.com header.b=\"ab+/=c\";\r\n"
      "\tdmarc=fail (p=reject) header.from=example.com");
}

TEST(Write, ValuesAreQuotedWhereDemanded) {  // A7; RFC 8601 Section 2.2, RFC 2045 Section 5.1
  const std::pair<std::string, std::string> cases[] = {
      {"example.com", "example.com"},
      {"a_b.example.com", "a_b.example.com"},
      {"user@example.com", "user@example.com"},
      {"first.last+x@example.com", "first.last+x@example.com"},
      {"@example.com", "@example.com"},
      {"", "\"\""},
      {"b+u=example.net@example.com", "\"b+u=example.net@example.com\""},
      {"any@legit.example'@any.attack.example", "\"any@legit.example'@any.attack.example\""},  // S3
      {"any@legit.example(a.attack.example", "\"any@legit.example(a.attack.example\""},        // S3
      {"a@b@c", "\"a@b@c\""},
      {"a..b@example.com", "\"a..b@example.com\""},
      {"user@example.com.", "\"user@example.com.\""},
      {"user@a_b.example", "\"user@a_b.example\""},
      {"user@localhost", "\"user@localhost\""},  // RFC 6376 Section 3.5: a domain-name has two labels
      {"user@-a.example", "\"user@-a.example\""},
      {"user@", "\"user@\""},
      {"@", "\"@\""},
      {"192.0.2.1", "192.0.2.1"},
      {"rsa-sha256", "rsa-sha256"},
      {"<>", "\"<>\""},
      {"a,b", "\"a,b\""},
      {"a/b", "\"a/b\""},
      {"a=b", "\"a=b\""},
      {"a?b", "\"a?b\""},
      {"[192.0.2.1]", "\"[192.0.2.1]\""},
      {"2001:db8::1", "\"2001:db8::1\""},
      {"a b", "\"a b\""},
      {"a;dkim=pass", "\"a;dkim=pass\""},
      {"a\"b\\c", "\"a?b?c\""},
      {"a\r\nX: y", "\"a??X: y\""},  // D3
      {std::string("a\0b", 3), "\"a?b\""},
      {"\xc3\xbc@example.com", "\"??@example.com\""},
  };
  for (const auto& [value, want] : cases) EXPECT_EQ(property(value), want) << value;
}

// Debian's Mail::AuthenticationResults, for one, ends a quoted string at every quote and a comment at every
// parenthesis.
TEST(Write, ReadersWithoutQuotedPairsFindNoStatementOfTheSender) {  // A7
  const auto text =
      write({"mx.example.com",
             {{"dkim", "fail", "a\"; x=pass", "b) ; y=pass (\\", {{"header", "i", "\"; dmarc=pass\"@example.com"}}}}});
  EXPECT_EQ(text,
            "mx.example.com;\r\n\tdkim=fail (b] ; y=pass [/) reason=\"a'; x=pass\"\r\n"
            "\theader.i=\"?; dmarc=pass?@example.com\"");
  EXPECT_EQ(text.find('\\'), std::string::npos);
}

// RFC 8601 Section 2.2: Keyword is RFC 5321's, letters, digits and hyphens with no hyphen at the end.
TEST(Write, KeywordsStayKeywords) {
  EXPECT_EQ(write({"i d", {{"sp f;", "", "", "", {{"smtp.", "x=y_z", "z"}}}}}),
            "\"i d\";\r\n\tsp-f=unknown smtp.x-y-z=z");
}

TEST(Write, AVersionOtherThanTheFirstIsSaid) {
  EXPECT_EQ(write({"mx", {{"dkim", "pass", "", "", {}, 1}, {"spf", "pass", "", "", {}, 2}}}),
            "mx;\r\n\tdkim=pass;\r\n\tspf/2=pass");
}

TEST(Write, TheAuthservIdIsInALabels) {  // RFC 8601 Section 5
  EXPECT_EQ(write({"b\xc3\xbc"
                   "cher.example",
                   {}}),
            "xn--bcher-kva.example; none");
  EXPECT_EQ(write({"\xff", {}}), "\"?\"; none");
}

// Each property of the methods this project reports, as readers ask for them by name.
TEST(Write, EveryPropertyOfTheStandardsIsCarried) {
  const Header header{"mx.example.com",
                      {{"auth", "pass", "", "login", {{"smtp", "auth", "user@example.com"}}},
                       {"iprev", "pass", "", "", {{"policy", "iprev", "2001:db8::1"}}},
                       {"spf", "pass", "", "", {{"smtp", "mailfrom", "example.com"}}},
                       {"spf", "fail", "", "", {{"smtp", "helo", "mail.example.com"}}},
                       {"dkim",
                        "pass",
                        "",
                        "",
                        {{"header", "d", "example.com"},
                         {"header", "i", "@example.com"},
                         {"header", "s", "sel"},
                         {"header", "a", "rsa-sha256"},
                         {"header", "b", "ab/d+f=="}}},
                       {"arc", "pass", "", "", {{"header", "oldest-pass", "1"}, {"smtp", "remote-ip", "192.0.2.1"}}},
                       {"dmarc", "pass", "", "", {{"header", "from", "example.com"}, {"policy", "dmarc", "none"}}}}};
  EXPECT_EQ(write(header),
            "mx.example.com;\r\n"
            "\tauth=pass (login) smtp.auth=user@example.com;\r\n"
            "\tiprev=pass policy.iprev=\"2001:db8::1\";\r\n"
            "\tspf=pass smtp.mailfrom=example.com;\r\n"
            "\tspf=fail smtp.helo=mail.example.com;\r\n"
            "\tdkim=pass header.d=example.com header.i=@example.com header.s=sel\r\n"
            "\theader.a=rsa-sha256 header.b=\"ab/d+f==\";\r\n"
            "\tarc=pass header.oldest-pass=1 smtp.remote-ip=192.0.2.1;\r\n"
            "\tdmarc=pass header.from=example.com policy.dmarc=none");
}

// Whoever can make a value long must not choose the domain it seems to end in.
TEST(Write, WhatIsCutSaysSoAndIsNoDomain) {
  const std::string tail = "@example.com", all = std::string(320 - tail.size(), 'a') + tail;
  EXPECT_EQ(property(all), all);
  const auto cut = property(all + ".attack.example");
  EXPECT_EQ(cut, '"' + all.substr(0, 315) + "[cut]\"");
}

void expect_well_formed(const std::string& text) {
  const std::string field = "Authentication-Results: " + text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      ASSERT_EQ(text.substr(i, 3), "\r\n\t");
      i += 2;
      continue;
    }
    ASSERT_TRUE(text[i] >= 0x20 && text[i] <= 0x7e);
  }
  std::string_view rest = field;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    const auto line = rest.substr(0, end);
    EXPECT_LT(line.size(), 998U);
    EXPECT_FALSE(trim(line).empty());
    // A longer line has nowhere to fold: it is one word.
    const auto words = trim(line.starts_with("Authentication-Results: ") ? line.substr(24) : line);
    const bool one_word = words.find(' ') == std::string_view::npos || words.find('"') != std::string_view::npos;
    EXPECT_TRUE(line.size() < 78 || one_word) << line;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
}

TEST(Write, LinesStayShort) {
  Header header{"mx.example.com", {}};
  for (int i = 1; i < 90; ++i)
    header.statements.push_back({"dkim",
                                 "pass",
                                 "",
                                 std::string(static_cast<std::size_t>(i), 'x') + " good signature",
                                 {{"header", "d", std::string(static_cast<std::size_t>(i), 'a') + ".example.com"}}});
  expect_well_formed(write(header));
}

TEST(Write, HostileValuesAreCutAndStayOnTheirLine) {
  const std::string hostile[] = {std::string(100000, 'a'), std::string(100000, '"'),
                                 std::string(100000, ' '), std::string(100000, '\n'),
                                 std::string(100000, '('), std::string("\0\x7f\xff\r\n\t", 6)};
  for (const auto& text : hostile)
    expect_well_formed(write({text, {{text, text, text, text, {{text, text, text}}}, {"a", "b", "", text, {}}}}));
}

}  // namespace
}  // namespace sesame::authres
