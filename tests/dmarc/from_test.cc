// Attacks on who the author is, as whole messages: the sender passes SPF for evil.example, which publishes p=none, and
// would like legit.example, which publishes p=reject, to be seen in From.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "inspect/inspect.h"
#include "support/fake_resolver.h"

namespace sesame::dmarc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kZone =
    "evil.example TXT v=spf1 ip4:192.0.2.1 -all\n"
    "_dmarc.evil.example TXT v=DMARC1; p=none\n"
    "_dmarc.legit.example TXT v=DMARC1; p=reject\n"
    "_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject; aspf=s\n"
    "xn--bcher-kva.example TXT v=spf1 ip4:192.0.2.1 -all\n";

struct Judged {
  Outcome dmarc, dmarc_rfc7489;
  std::vector<std::string> asked;  // names of DMARC records
  int from_fields = 0;
};

Judged judge(const mail::Fields& fields, const std::string& sender = "any@evil.example") {
  auto resolver = std::make_shared<test::FakeResolver>(kZone);
  auto runtime = std::make_shared<inspect::Runtime>();
  runtime->config = config::defaults();
  runtime->config.rules.authserv_id = "mx.example.org";
  runtime->config.limits.header_bytes = 4 << 20;
  runtime->resolver = resolver;
  runtime->suffixes = PublicSuffixList::system();
  mail::Envelope envelope;
  envelope.client = IpAddress::parse("192.0.2.1");
  envelope.helo = "mail.evil.example";
  envelope.mail_from = sender;
  inspect::Inspection inspection(runtime, policy::Direction::inbound, envelope);
  for (const auto& field : fields) inspection.field(field);
  inspection.end_of_header();
  inspection.body("Hi\r\n");
  const auto report = inspection.finish();
  Judged result{report.dmarc, report.dmarc_rfc7489, {}, report.author.fields};
  for (const auto& question : resolver->asked())
    if (question.starts_with("TXT _dmarc.")) result.asked.push_back(question.substr(11));
  return result;
}

Judged from(std::string value) {
  return judge({{"From", std::move(value)}});
}

// Neither a pass nor silently nothing, by both standards, and nobody was asked for a policy.
void expect_permerror(const Judged& judged, const std::string& what) {
  EXPECT_EQ(judged.dmarc.result, Result::permerror) << what;
  EXPECT_EQ(judged.dmarc_rfc7489.result, Result::permerror) << what;
  EXPECT_THAT(judged.dmarc.reason, Not(IsEmpty())) << what;
  EXPECT_LT(judged.dmarc.reason.size(), 200U) << what;
  for (const char c : judged.dmarc.reason) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << what;
  EXPECT_THAT(judged.asked, IsEmpty()) << what;
}

void expect_author(const Judged& judged, const std::string& domain, Result result) {
  EXPECT_EQ(judged.dmarc.discovery.domain, domain);
  EXPECT_EQ(judged.dmarc.result, result) << domain;
  EXPECT_EQ(judged.dmarc_rfc7489.result, result) << domain;
}

TEST(From, TwoFieldsArePermerrorWhicheverComesFirst) {  // F1
  const mail::Field evil{"From", " any@evil.example"}, legit{"From", " admin@legit.example"};
  expect_permerror(judge({evil, legit}), "evil first");
  expect_permerror(judge({legit, evil}), "legit first");
  expect_permerror(judge({legit, legit}), "the same twice");
  expect_permerror(judge({evil, {"From", " <"}}), "the second cannot be read");
  EXPECT_EQ(judge({evil, legit}).dmarc.reason, "2 From fields");
}

TEST(From, OddlyWrittenFieldNamesCount) {  // F2
  for (const char* name : {" From", "From ", "From\t", "From\r\n ", "fROM"}) {
    expect_permerror(judge({{name, " admin@legit.example"}, {"From", " any@evil.example"}}), name);
    expect_permerror(judge({{"From", " any@evil.example"}, {name, " admin@legit.example"}}), name);
    expect_author(judge({{name, " admin@legit.example"}}), "legit.example", Result::fail);
  }
}

TEST(From, NothingStandsInForIt) {  // F3
  for (const char* name : {"Sender", "Resent-From", "Resent-Sender", "Reply-To", "X-From"}) {
    expect_permerror(judge({{name, " any@evil.example"}}), name);
    expect_permerror(judge({{"From", " "}, {name, " any@evil.example"}}), name);
    expect_permerror(judge({{"From", " a:;"}, {name, " any@evil.example"}}), name);
  }
}

// RFC 9989 Section 5.3.1 lets a receiver evaluate each domain. It would then have to say which of them it vouches for,
// and readers show one of them at most: so there is no result, and no look-up for any number of domains.
TEST(From, SeveralDomainsArePermerrorBeforeAnyQuestion) {  // F4
  expect_permerror(from(" any@evil.example, admin@legit.example"), "evil first");
  expect_permerror(from(" admin@legit.example, any@evil.example"), "legit first");
  expect_permerror(from(" any@evil.example, <admin@mail.evil.example>"), "below each other");
  expect_permerror(from(" T: any@evil.example, admin@legit.example;"), "group");
  std::string many;
  for (int i = 0; i < 90; ++i) many += " a@d" + std::to_string(i) + ".example,";
  expect_permerror(from(many), "many");
}

TEST(From, SeveralAddressesOfOneDomainAreJudgedOnce) {  // F5
  const auto judged = from(" a@evil.example, B <b@EVIL.example>, T: c@evil.example;");
  expect_author(judged, "evil.example", Result::pass);
  EXPECT_EQ(std::ranges::count(judged.asked, "evil.example"), 1);
}

TEST(From, AnAddressWithoutDomainIsPermerror) {  // F6
  for (const char* value : {" any@evil.example, admin", " any@evil.example, admin@", " admin, any@evil.example",
                            " any@evil.example, <admin>", " admin", " <admin>", " <>"})
    expect_permerror(from(value), value);
}

TEST(From, EncodedWordsAreNotDecodedForAnAddress) {  // F7
  for (const char* value :
       {" =?utf-8?B?YWRtaW5AbGVnaXQuZXhhbXBsZQ==?=", " =?utf-8?Q?admin=40legit.example=2c?=@evil.example",
        " <=?utf-8?Q?admin=40legit.example=3e?=@evil.example>", " \"=?utf-8?Q?admin=40legit.example?=\"@evil.example",
        " any@=?utf-8?Q?legit.example?=", " =?utf-8?Q?admin=40legit.example?= any@evil.example",
        " =?utf-8?Q?x\"?= <admin@legit.example>\" <any@evil.example>",
        " =?utf-8?Q?x(?= <admin@legit.example>) <any@evil.example>"})
    expect_permerror(from(value), value);
  expect_author(from(" =?utf-8?B?YWRtaW5AbGVnaXQuZXhhbXBsZQ==?= <any@evil.example>"), "evil.example", Result::pass);
}

TEST(From, TheDomainOfARouteIsTheLast) {  // F8
  expect_author(from(" <@evil.example,@any.evil.example:admin@legit.example>"), "legit.example", Result::fail);
  expect_author(from(" <@evil.example:admin@legit.example>"), "legit.example", Result::fail);
  expect_author(from(" <@legit.example:any@evil.example>"), "evil.example", Result::pass);
}

TEST(From, WhatHasTwoReadingsIsPermerror) {  // F9
  for (const char* value :
       {" admin@legit.example\\,any@evil.example", " <admin@legit.example\\,any@evil.example>",
        " admin\\@legit.example", " <admin@legit.example>any@evil.example", " any@evil.example<admin@legit.example>",
        " admin@legit.example <any@evil.example>", " <admin@legit.example>, any@evil.example>",
        " admin@legit.example@evil.example", " admin;any@evil.example", " admin@legit.example any@evil.example",
        " <<any@evil.example>>", " admin@legit.example[any@evil.example", " admin@[192.0.2.1], any@evil.example",
        " admin@legit.example .evil.example", " admin@legit.example(.evil.example",
        " admin@legit.example(x).evil.example"})
    expect_permerror(from(value), value);
}

TEST(From, QuotesAndCommasInANameDoNotCutIt) {  // F10
  expect_author(from(R"( "A \"B, C\" <admin@legit.example>, D" <any@evil.example>)"), "evil.example", Result::pass);
  expect_author(from(R"( "any@evil.example" <admin@legit.example>)"), "legit.example", Result::fail);
  expect_author(from(R"( "\\" <admin@legit.example>)"), "legit.example", Result::fail);
}

TEST(From, UnbalancedBracketsDoNotSkipDmarc) {  // F11
  for (const char* value : {" admin@legit.example>", " <admin@legit.example", " >admin@legit.example<",
                            " A <admin@legit.example>>", " (<admin@legit.example>", " \"<admin@legit.example>"})
    expect_permerror(from(value), value);
}

TEST(From, ControlOctetsArePermerror) {  // F12
  using namespace std::string_literals;
  for (const auto& value : {" admin@legit.example\0.evil.example"s, " any@evil.example\0"s, "\0 any@evil.example"s,
                            " admin@legit.example\x01.evil.example"s, " a\rb@evil.example"s, " any@evil.example\x7f"s,
                            " any@evil.example\nX: y"s, " \x1b[2K <any@evil.example>"s})
    expect_permerror(from(value), value);
}

// RFC 9989 Section 5.3.1, RFC 8616 Section 6
TEST(From, LabelsInUnicodeAndAsciiAreOneDomain) {  // F12
  const std::string upper =
                        " u@B\xc3\x9c"
                        "CHER.Example",
                    wide =
                        " u@b\xc3\xbc"
                        "cher\xe3\x80\x82"
                        "example";
  for (const auto& value : {upper, wide, std::string(" u@XN--BCHER-KVA.EXAMPLE")}) {
    for (const char* sender : {"u@xn--bcher-kva.example", "u@Xn--Bcher-KVA.example",
                               "u@b\xc3\xbc"
                               "cher.example"})
      expect_author(judge({{"From", value}}, sender), "xn--bcher-kva.example", Result::pass);
    expect_author(judge({{"From", value}}), "xn--bcher-kva.example", Result::fail);
  }
  for (const char* value : {" u@l\xe9git.example", " u@\xff.evil.example",
                            " u@legit.example\xef\xbc\xa0"
                            "evil.example",
                            " u@legit\xe2\x80\xae.evil.example"})
    expect_permerror(from(value), value);
}

TEST(From, SizeIsBounded) {  // F13
  std::string addresses;
  for (int i = 0; i < 3600; ++i) addresses += " u" + std::to_string(i) + "@evil.example,";
  expect_permerror(from(addresses), "3600 addresses");
  EXPECT_THAT(from(addresses).dmarc.reason, HasSubstr("more than 100 addresses"));
  const auto many = judge(mail::Fields(std::vector<mail::Field>(10000, {"From", " any@evil.example"})));
  expect_permerror(many, "10000 fields");
  EXPECT_EQ(many.from_fields, 10000);
  for (const char* piece : {"(", "a ", "<", "\"", "@a,", "\\", ","})
    expect_permerror(from(std::string(1 << 20, *piece)), piece);
}

TEST(From, OneLabelOrAMachinesOwnNameIsNone) {  // F15
  for (const char* value : {" root@localhost", " root@localhost.localdomain", " root"})
    EXPECT_NE(from(value).dmarc.result, Result::fail) << value;
  EXPECT_EQ(from(" root@localhost").dmarc.result, Result::none);
  EXPECT_EQ(from(" root@localhost.localdomain").dmarc.result, Result::none);
  EXPECT_THAT(from(" root@localhost").asked, IsEmpty());
}

}  // namespace
}  // namespace sesame::dmarc
