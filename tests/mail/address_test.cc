#include "mail/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sesame::mail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> addresses(std::string_view value) {
  std::vector<std::string> result;
  const auto mailboxes = parse_mailboxes(value);
  if (!mailboxes) return {"error: " + mailboxes.error().message};
  for (const auto& mailbox : *mailboxes) result.push_back(mailbox.address());
  return result;
}

struct Good {
  const char* rule;
  std::string value;
  std::vector<std::string> want;
};

TEST(Mailboxes, EveryFormOfTheGrammarIsRead) {
  const Good cases[] = {
      {"addr-spec", " user@example.com", {"user@example.com"}},
      {"name-addr", " User Name <user@example.com>", {"user@example.com"}},
      {"domain in canonical form", "user@EXAMPLE.Com", {"user@example.com"}},
      {"local part as written", "UseR@example.com", {"UseR@example.com"}},
      {"quoted display name", "\"Name\" <user@example.com>", {"user@example.com"}},
      {"F10 escaped quote and comma", R"("A \"B, C\" <x@evil.example>" <user@example.com>)", {"user@example.com"}},
      {"F5 several mailboxes", "a@example.com, B <b@example.com>", {"a@example.com", "b@example.com"}},
      {"F8 source route", "<@a.example,@b.example:u@legit.example>", {"u@legit.example"}},
      {"F8 route with empty members", "<,@a.example,,@b.example : u@legit.example>", {"u@legit.example"}},
      {"group", "Team: a@example.com, B <b@example.org>;", {"a@example.com", "b@example.org"}},
      {"empty group", "undisclosed recipients: ;", {}},
      {"group between mailboxes",
       "x@example.com, T:a@example.com;, y@example.com",
       {"x@example.com", "a@example.com", "y@example.com"}},
      {"two groups", "T: a@example.com;, U: b@example.com;", {"a@example.com", "b@example.com"}},
      {"empty list members", ",a@example.com,, ,b@example.com,", {"a@example.com", "b@example.com"}},
      {"blank", "  ", {}},
      {"only a comment", "(nobody)", {}},
      {"comments everywhere", "(a)u(b)@(c)example(d).(e)com(f)", {"u@example.com"}},
      {"comments around brackets", "(a)N(b)<(c)u@example.com(d)>(e)", {"u@example.com"}},
      {"nested comment with address", "u@example.com (was (x@evil.example) <y@evil.example>)", {"u@example.com"}},
      {"escaped parenthesis", R"(u@example.com (a \) b \( c))", {"u@example.com"}},
      {"quoted local part", R"("a@evil.example"@example.com)", {"a@evil.example@example.com"}},
      {"escape in local part", R"("a\"b"@example.com)", {"a\"b@example.com"}},
      {"obsolete local part", R"("a" . b@example.com)", {"a.b@example.com"}},
      {"white space around dots", "u @ example . com", {"u@example.com"}},
      {"RFC 5322 A.1.2", "\"Joe Q. Public\" <john.q.public@example.com>", {"john.q.public@example.com"}},
      {"RFC 5322 A.5", R"(Pete(A nice \) chap) <pete(his account)@silly.test(his host)>)", {"pete@silly.test"}},
      {"RFC 5322 A.6.1",
       "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
       {"mary@example.net", "jdoe@test.example"}},
      {"RFC 5322 A.6.3", "John Doe <jdoe@machine(comment).  example>", {"jdoe@machine.example"}},
      {"dots in a phrase", "J. R. <u@example.com>", {"u@example.com"}},
      {"folding", "N\r\n <u@example.com>,\r\n\tv@example.com", {"u@example.com", "v@example.com"}},
      {"folding cut to LF", "N\n <u@example.com>", {"u@example.com"}},
      {"encoded-word in a phrase stays", "=?utf-8?Q?x=40evil.example?= <u@example.com>", {"u@example.com"}},
      {"F12 U-label",
       "u@b\xc3\xbc"
       "cher.example",
       {"u@xn--bcher-kva.example"}},
      {"F12 U-label in upper case",
       "u@B\xc3\x9c"
       "CHER.Example",
       {"u@xn--bcher-kva.example"}},
      {"F12 non-transitional sharp s", "u@fa\xc3\x9f.example", {"u@xn--fa-hia.example"}},
      {"F12 A-label", "u@XN--BCHER-KVA.example", {"u@xn--bcher-kva.example"}},
      {"ideographic full stop",
       "u@example\xe3\x80\x82"
       "com",
       {"u@example.com"}},
      {"8-bit local part", "\xc3\xbc@example.com", {"\xc3\xbc@example.com"}},
      {"8-bit display name", "J\xfcrgen <u@example.com>", {"u@example.com"}},
      {"F15 single label", "u@localhost", {"u@localhost"}},
      {"underscore in a domain", "u@a_b.example.com", {"u@a_b.example.com"}},
      {"S6 VERP", "b+u=example.net@example.com", {"b+u=example.net@example.com"}},
  };
  for (const auto& c : cases) EXPECT_EQ(addresses(c.value), c.want) << c.rule;
}

struct Bad {
  const char* rule;
  std::string value;
  const char* want;
};

TEST(Mailboxes, WhatHasTwoReadingsIsAnError) {
  const Bad cases[] = {
      {"F6 second without domain", "a@example.com, b", "\"@\" or \"<\" expected"},
      {"F6 second with empty domain", "a@example.com, b@", "domain expected at the end"},
      {"F7 encoded-word alone", "=?utf-8?B?YUBsZWdpdC5leGFtcGxl?=", "\"@\" or \"<\" expected"},
      {"F7 encoded-word as local part", "=?utf-8?Q?a=40legit.example=3e?=@evil.example",
       "encoded-word in a local part"},
      {"F7 encoded-word in quotes", "\"=?utf-8?Q?a=40legit.example?=\"@evil.example", "encoded-word in a local part"},
      {"F7 encoded-word as domain", "a@=?utf-8?Q?legit.example?=", "is not a domain name"},
      {"F9 backslash outside quotes", "a@legit.example\\,b@evil.example", "unexpected text at \"\\,b@evil.example\""},
      {"F9 bare specials", "a;b@example.com", "\"@\" or \"<\" expected at \";b"},
      {"F9 text after bracket", "<a@legit.example>b@evil.example", "unexpected text at \"b@evil"},
      {"F9 text after domain", "a@legit.example b@evil.example", "unexpected text"},
      {"F9 two addresses in brackets", "<a@legit.example><b@evil.example>", "unexpected text"},
      {"F9 address as display name", "a@legit.example <b@evil.example>", "unexpected text at \"<b@evil"},
      {"F9 two at signs", "a@legit.example@evil.example", "unexpected text at \"@evil"},
      {"F11 closing bracket alone", "user@example.net>", "unexpected text at \">\""},
      {"F11 bracket not closed", "<user@example.net", "\">\" expected at the end"},
      {"quote not closed", "\"a <user@example.net>", "quoted string not closed"},
      {"quote ends in a backslash", "\"a\\", "quoted string not closed"},
      {"comment not closed", "a@example.net (x", "comment not closed"},
      {"comment ends in a backslash", "a@example.net (x\\", "comment not closed"},
      {"closing parenthesis alone", "a@example.net)", "unexpected text"},
      {"comment splits a domain", "a@exam(x)ple.com", "unexpected text at \"ple.com\""},
      {"gap behind what is a domain already", "a@legit.example .evil.example",
       "a gap in the domain, at \"evil.example"},
      {"gap behind its dot", "<a@legit.example. evil.example>", "a gap in the domain"},
      {"comment behind what is a domain already", "a@legit.example(x).evil.example", "a gap in the domain"},
      {"comment behind its dot", "a@legit.example.(x)evil.example", "a gap in the domain"},
      {"gap in a route", "<@a.legit.example .evil.example:u@example.com>", "a gap in the domain"},
      {"two words as local part", "a b@example.com", "no valid local part"},
      {"dot first", ".a@example.com", "no valid local part"},
      {"dot last", "a.@example.com", "no valid local part"},
      {"two dots", "a..b@example.com", "no valid local part"},
      {"no local part", "@example.com", "no valid local part"},
      {"empty brackets", "<>", "no valid local part"},
      {"domain with trailing dot", "a@example.com.", "domain expected"},
      {"empty label", "a@example..com", "domain expected"},
      {"address literal", "a@[192.0.2.1]", "an address literal is not a domain"},
      {"label too long", "a@" + std::string(64, 'x') + ".example", "is not a domain name"},
      {"not a host name", "a@ex$mple.com", "is not a domain name"},
      {"invalid UTF-8 in domain", "a@ex\xff.example", "is not a domain name"},
      {"full-width at sign",
       "a@legit.example\xef\xbc\xa0"
       "evil.example",
       "is not a domain name"},
      {"display name that begins with a dot", ". x <u@example.com>", "display name begins with a dot"},
      {"group name that begins with a dot", ".x: u@example.com;", "\"@\" or \"<\" expected at \": u@"},
      {"group without a name", ": u@example.com;", "address expected at \": u@"},
      {"F12 DEL in a display name", "\"a\x7f\" <u@example.com>", "control octet 0x7f"},
      {"group not closed", "T: a@example.com", "\";\" of a group expected"},
      {"group in a group", "T: U: a@example.com;;", "\"@\" or \"<\" expected at \": a@"},
      {"route without colon", "<@a.example u@legit.example>", "\":\" after the route expected"},
      {"F12 NUL", std::string("a@legit.example\0.evil.example", 29), "control octet 0x00 at octet 16"},
      {"F12 escape", "\x1b[0m <a@example.com>", "control octet 0x1b at octet 1"},
      {"CR alone", "a@example.com\r b@example.com", "control octet 0x0d"},
      {"LF that does not fold", "a@example.com\nb", "control octet 0x0a"},
  };
  for (const auto& c : cases) {
    const auto result = parse_mailboxes(c.value);
    ASSERT_FALSE(result.has_value()) << c.rule;
    EXPECT_THAT(result.error().message, HasSubstr(c.want)) << c.rule;
  }
}

TEST(Mailboxes, ErrorsArePrintableAndShort) {
  const auto result = parse_mailboxes("a@example.com \xc3\xbc\xe2\x80\xae" + std::string(5000, 'x'));
  ASSERT_FALSE(result.has_value());
  EXPECT_LT(result.error().message.size(), 120U);
  for (const char c : result.error().message) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

TEST(Mailboxes, CommentsNestToABound) {
  const auto nested = [](std::size_t depth) {
    return "u@example.com " + std::string(depth, '(') + std::string(depth, ')');
  };
  EXPECT_THAT(addresses(nested(100)), ElementsAre("u@example.com"));
  const auto result = parse_mailboxes(nested(101));
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, HasSubstr("nested too deep"));
}

std::string many(int count) {
  std::string value;
  for (int i = 0; i < count; ++i) value += "u" + std::to_string(i) + "@example.com,";
  return value;
}

TEST(Mailboxes, AHundredAreReadAndNoMore) {
  EXPECT_EQ(addresses(many(100)).size(), 100U);
  for (const int count : {101, 3600}) {  // F13
    const auto result = parse_mailboxes(many(count));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message, "more than 100 addresses");
  }
}

TEST(Mailboxes, AMegabyteIsReadInOnePass) {  // F13
  const std::size_t size = 1 << 20;
  for (const char* piece : {"a ", "(", "((x)", "\"", ",", "<", "@", "a.", "\r\n ", "=?", "\\", "a@", "T:", "<@a,"}) {
    std::string value;
    while (value.size() < size) value += piece;
    (void)parse_mailboxes(value);
    (void)parse_mailboxes(value + " <u@example.com>");
  }
}

TEST(AsciiDomain, IsCanonicalOrNothing) {
  const std::pair<std::string, std::optional<std::string>> cases[] = {
      {"Example.COM", "example.com"},
      {"example.com.", "example.com"},
      {"example.com\xe3\x80\x82", "example.com"},
      {"b\xc3\xbc"
       "cher.example.",
       "xn--bcher-kva.example"},
      {"", std::nullopt},
      {".", std::nullopt},
      {"example.com..", std::nullopt},
      {"a..b", std::nullopt},
      {".a", std::nullopt},
      {"[192.0.2.1]", std::nullopt},
      {"a b.example", std::nullopt},
      {"legit'.example", std::nullopt},
      {std::string("a\0b.example", 11), std::nullopt},
      {std::string("\xc3\xbc\0.example", 11), std::nullopt},
      {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"},
      {std::string(64, 'a') + ".example", std::nullopt},
      {std::string(100000, 'a'), std::nullopt},
      {"\xc3\xbc" + std::string(100000, 'a'), std::nullopt},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(to_ascii_domain(text), want) << text.substr(0, 80);
}

TEST(Path, DomainIsTheOneReadingOrNothing) {
  const std::pair<std::string, std::string> cases[] = {
      {"user@example.com", "user@example.com"},
      {"User@EXAMPLE.com", "User@example.com"},
      {"@a.example,@b.example:user@example.com", "user@example.com"},
      {"\"a@evil.example\"@example.com", "a@evil.example@example.com"},
      {"\"a\\\"b c\"@example.com", "a\"b c@example.com"},
      {"b+u=example.net@example.com", "b+u=example.net@example.com"},  // S6
      {"prvs=123=u@example.com", "prvs=123=u@example.com"},            // S6
      {"SRS0=ab=cd=example.net=u@example.com", "SRS0=ab=cd=example.net=u@example.com"},
      {"user..name.@example.com", "user..name.@example.com"},
      {"\xc3\xbc@b\xc3\xbc"
       "cher.example",
       "\xc3\xbc@xn--bcher-kva.example"},
      {"any@legit.example(a.attack.example", ""},     // S3
      {"any@legit.example'@any.attack.example", ""},  // S3
      {"any@legit.example@attack.example", ""},       // S3
      {"(any@legit.example", ""},                     // S2
      {"<user@example.com>", ""},
      {"user@[192.0.2.1]", ""},
      {"user@[IPv6:2001:db8::1]", ""},
      {"user", ""},
      {"user@", ""},
      {"@example.com", ""},
      {"", ""},
      {"\"user@example.com", ""},
      {"\"user\\", ""},
      {"\"user\"x@example.com", ""},
      {"@a.example:", ""},
      {"us\x01"
       "er@example.com",
       ""},
      {"us\x7f"
       "er@example.com",
       ""},
      {"\"a\tb\"@example.com", "a\tb@example.com"},
      {"@a.example user@example.com", ""},
      {"@a.example,b.example:user@example.com", ""},
      {std::string("user@example.com\0.evil.example", 29), ""},
      {"user@example.com\r\nRCPT TO:<x@example.com>", ""},
  };
  for (const auto& [path, want] : cases) {
    const auto mailbox = parse_path(path);
    EXPECT_EQ(mailbox ? mailbox->address() : "", want) << path;
  }
}

Author author_of(Fields fields) {
  return find_author(fields);
}

TEST(Author, OneDomainIsUsable) {
  const auto author = author_of({{"To", " x@example.org"}, {"fROM", " A <a@Example.com>, b@example.com"}});
  EXPECT_TRUE(author.usable());
  EXPECT_EQ(author.domain(), "example.com");
  EXPECT_EQ(author.fields, 1);
  EXPECT_EQ(author.mailboxes.size(), 2U);  // F5
}

TEST(Author, ProblemsAreNamed) {
  const std::tuple<const char*, Fields, const char*> cases[] = {
      {"none", {{"To", " a@example.com"}}, "no From field"},
      {"F1 two", {{"From", " a@example.com"}, {"From", " a@example.com"}}, "2 From fields"},
      {"F2 space before the colon", {{"From ", " a@example.com"}, {"From", " b@example.com"}}, "2 From fields"},
      {"F2 space before the name", {{" From", " a@example.com"}, {"from\t", " b@example.com"}}, "2 From fields"},
      {"F2 name folded", {{"From\r\n ", " a@example.com"}, {"from", " b@example.com"}}, "2 From fields"},
      {"F1 unreadable second", {{"From", " a@example.com"}, {"From", " <"}}, "2 From fields"},
      {"F3 Sender is no fallback", {{"Sender", " a@example.com"}, {"Resent-From", " b@example.com"}}, "no From field"},
      {"F3 nor beside an empty From", {{"From", ""}, {"Sender", " a@example.com"}}, "From has no address"},
      {"empty group", {{"From", " T:;"}}, "From has no address"},
      {"F4 two domains", {{"From", " a@a.example, b@b.example"}}, "From has 2 domains (a.example, b.example)"},
      {"F4 seven domains",
       {{"From", "a@a.test,a@b.test,a@c.test,a@d.test,a@e.test,a@f.test,a@g.test"}},
       "From has 7 domains (a.test, b.test, c.test, d.test, e.test, ...)"},
      {"F11", {{"From", " a@example.net>"}}, "From cannot be parsed: unexpected text at \">\""},
  };
  for (const auto& [rule, fields, want] : cases) {
    const auto author = find_author(fields);
    EXPECT_FALSE(author.usable()) << rule;
    EXPECT_EQ(author.problem, want) << rule;
  }
}

TEST(Author, TwoFieldsAreBothShown) {
  const auto author = author_of({{"From", " a@a.example"}, {"From", " b@b.example"}});
  EXPECT_THAT(author.domains, ElementsAre("a.example", "b.example"));
}

TEST(Author, TenThousandFieldsAreCountedAndNotKept) {  // F13
  const auto author = find_author(std::vector<Field>(10000, {"From", " a@example.com"}));
  EXPECT_EQ(author.problem, "10000 From fields");
  EXPECT_EQ(author.mailboxes.size(), 100U);
}

}  // namespace
}  // namespace sesame::mail
