// check_host(): RFC 7208 Sections 2 to 7, one table for each rule.
#include <map>

#include "check.h"
#include "dns/name.h"
#include "support/stale_resolver.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Case {
  const char* record;
  Result want;
};

// Runs records of example.com against a zone of what they refer to.
void expect_results(std::string_view client, std::string_view zone, const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    const auto outcome = check(record_zone(c.record) + std::string(zone), client);
    EXPECT_EQ(outcome.result, c.want) << c.record << ": " << outcome.reason;
    if (outcome.result == Result::temperror || outcome.result == Result::permerror) {
      EXPECT_NE(outcome.reason, "") << c.record;
    }
  }
}

TEST(Qualifier, DecidesTheResultOfAMatch) {
  expect_results("192.0.2.1", "",
                 {{"v=spf1 all", Result::pass},
                  {"v=spf1 +all", Result::pass},
                  {"v=spf1 -all", Result::fail},
                  {"v=spf1 ~all", Result::softfail},
                  {"v=spf1 ?all", Result::neutral},
                  {"v=spf1 ~ip4:192.0.2.1 -all", Result::softfail},
                  {"v=spf1", Result::neutral},
                  {"v=spf1 ip4:192.0.2.2", Result::neutral}});
}

TEST(Include, ResultTable) {
  constexpr std::string_view kZone = R"(
    pass.example.com      TXT  v=spf1 all
    fail.example.com      TXT  v=spf1 -all
    softfail.example.com  TXT  v=spf1 ~all
    neutral.example.com   TXT  v=spf1 ?all
    temp.example.com      TXT  !SERVFAIL
    perm.example.com      TXT  v=spf1 moo
    none.example.com      TXT  not a record
    local                 TXT  v=spf1 all
  )";
  expect_results("192.0.2.1", kZone,
                 {{"v=spf1 -include:pass.example.com", Result::fail},
                  {"v=spf1 include:pass.example.com -all", Result::pass},
                  {"v=spf1 include:fail.example.com ~all", Result::softfail},
                  {"v=spf1 include:softfail.example.com -all", Result::fail},
                  {"v=spf1 include:neutral.example.com -all", Result::fail},
                  {"v=spf1 include:temp.example.com all", Result::temperror},
                  {"v=spf1 include:perm.example.com all", Result::permerror},
                  {"v=spf1 include:none.example.com all", Result::permerror},
                  {"v=spf1 include:nowhere.example.com all", Result::permerror},
                  {"v=spf1 include:a..b.example all", Result::permerror},
                  {"v=spf1 include:%{h1} all", Result::permerror}});
}

TEST(Redirect, ResultTable) {  // R5
  constexpr std::string_view kZone = R"(
    pass.example.com      TXT  v=spf1 all
    fail.example.com      TXT  v=spf1 -all
    neutral.example.com   TXT  v=spf1
    temp.example.com      TXT  !TIMEOUT
    perm.example.com      TXT  v=spf1 moo
    none.example.com      TXT  not a record
    implicit.example.com  TXT  v=spf1 a -all
    implicit.example.com  A    192.0.2.1
  )";
  expect_results("192.0.2.1", kZone,
                 {{"v=spf1 redirect=pass.example.com", Result::pass},
                  {"v=spf1 redirect=fail.example.com", Result::fail},
                  {"v=spf1 redirect=neutral.example.com", Result::neutral},
                  {"v=spf1 redirect=temp.example.com", Result::temperror},
                  {"v=spf1 redirect=perm.example.com", Result::permerror},
                  {"v=spf1 redirect=none.example.com", Result::permerror},
                  {"v=spf1 redirect=nowhere.example.com", Result::permerror},
                  {"v=spf1 redirect=a..b.example", Result::permerror},
                  {"v=spf1 redirect=implicit.example.com", Result::pass},
                  {"v=spf1 redirect=pass.example.com ~all", Result::softfail},
                  {"v=spf1 redirect=pass.example.com -ip4:192.0.2.1", Result::fail}});
}

TEST(DnsFailure, IsTemperrorForEveryMechanismButPtr) {
  constexpr std::string_view kZone = R"(
    mx.example.com         MX   10 dead.example.com
    dead.example.com       *    !TIMEOUT
    refused.example.com    *    !REFUSED
    1.2.0.192.in-addr.arpa PTR  !SERVFAIL
  )";
  expect_results("192.0.2.1", kZone,
                 {{"v=spf1 a:dead.example.com -all", Result::temperror},
                  {"v=spf1 a:refused.example.com -all", Result::temperror},
                  {"v=spf1 mx:dead.example.com -all", Result::temperror},
                  {"v=spf1 mx:mx.example.com -all", Result::temperror},
                  {"v=spf1 exists:dead.example.com -all", Result::temperror},
                  {"v=spf1 include:dead.example.com -all", Result::temperror},
                  {"v=spf1 redirect=dead.example.com", Result::temperror},
                  {"v=spf1 ptr -all", Result::fail},
                  {"v=spf1 a:dead.example.com -all moo", Result::permerror},
                  {"v=spf1 ip4:192.0.2.1 a:dead.example.com -all", Result::pass}});
}

// RFC 8767 Section 4: that nothing was there is no proof that nothing is. Data that is stale is used.
TEST(DnsFailure, AStaleAbsenceIsTemperrorAndNoVoidLookup) {
  constexpr std::string_view kZone = R"(
    mx.example.com MX 10 none.example.com
    old.example.com A 192.0.2.1
  )";
  const std::vector<std::string> stale = {"TXT none.example.com", "A none.example.com", "MX none.example.com",
                                          "A old.example.com", "PTR 9.2.0.192.in-addr.arpa"};
  for (const auto& [record, want] :
       {Case{"v=spf1 a:none.example.com -all", Result::temperror},
        Case{"v=spf1 mx:none.example.com -all", Result::temperror},
        Case{"v=spf1 mx:mx.example.com -all", Result::temperror},
        Case{"v=spf1 exists:none.example.com -all", Result::temperror},
        Case{"v=spf1 include:none.example.com -all", Result::temperror},
        Case{"v=spf1 redirect=none.example.com", Result::temperror}, Case{"v=spf1 ptr ptr ptr -all", Result::fail},
        Case{"v=spf1 a:old.example.com -all", Result::fail}}) {
    test::FakeResolver fresh(record_zone(record) + std::string(kZone));
    test::StaleResolver resolver(fresh, stale);
    EXPECT_EQ(check_mail_from(resolver, query_from("192.0.2.9"), {}).result, want) << record;
  }
  test::FakeResolver fresh(record_zone("v=spf1 a:old.example.com -all") + std::string(kZone));
  test::StaleResolver resolver(fresh, stale);
  EXPECT_EQ(check_mail_from(resolver, query_from("192.0.2.1"), {}).result, Result::pass);
}

TEST(DnsFailure, AStaleAbsenceOfTheRecordIsTemperrorAndSaid) {
  for (const char* zone : {"", "www.example.com A 192.0.2.1"}) {
    test::FakeResolver fresh(zone);
    test::StaleResolver resolver(fresh, {"TXT example.com"});
    const auto outcome = check_mail_from(resolver, query_from("192.0.2.9"), {});
    EXPECT_EQ(outcome.result, Result::temperror);
    EXPECT_THAT(outcome.reason, testing::StartsWith("TXT example.com: only a stale N"));
  }
}

TEST(Address, FamilyOfTheClientChoosesAddressTypeAndPrefix) {
  constexpr std::string_view kZone = R"(
    dual.example.com A    192.0.2.1
    dual.example.com AAAA 2001:db8::1
    mx.example.com   MX   10 dual.example.com
    six.example.com  AAAA 2001:db8::9
  )";
  const std::vector<Case> v4 = {
      {"v=spf1 a:dual.example.com/24//128 -all", Result::pass}, {"v=spf1 a:dual.example.com//0 -all", Result::fail},
      {"v=spf1 mx:mx.example.com/24 -all", Result::pass},       {"v=spf1 ip6:::/0 -all", Result::fail},
      {"v=spf1 exists:six.example.com -all", Result::fail},     {"v=spf1 exists:dual.example.com -all", Result::pass}};
  expect_results("192.0.2.77", kZone, v4);
  expect_results("::ffff:192.0.2.77", kZone, v4);
  expect_results("2001:db8::77", kZone,
                 {{"v=spf1 a:dual.example.com/0//128 -all", Result::fail},
                  {"v=spf1 a:dual.example.com//64 -all", Result::pass},
                  {"v=spf1 mx:mx.example.com/0//64 -all", Result::pass},
                  {"v=spf1 ip4:0.0.0.0/0 -all", Result::fail},
                  {"v=spf1 ip6:::/0 -all", Result::pass},
                  {"v=spf1 exists:dual.example.com -all", Result::pass}});
}

TEST(Mx, NeitherNullMxNorTheNameItselfIsAnExchange) {
  expect_results("192.0.2.1", "example.com A 192.0.2.1\nnull.example.com MX 0 .\nnull.example.com A 192.0.2.1",
                 {{"v=spf1 mx -all", Result::fail}, {"v=spf1 mx:null.example.com -all", Result::fail}});
}

// Servers turn their answers round; the result stays.
TEST(Mx, ExchangesAreAskedByPreferenceWhateverTheOrderOfTheAnswer) {
  constexpr std::string_view kZone = "good.example.com A 192.0.2.1\ndead.example.com A !SERVFAIL\n";
  struct {
    const char* first;
    const char* second;
    Result want;
  } const cases[] = {
      {"10 good.example.com", "20 dead.example.com", Result::pass},
      {"10 dead.example.com", "20 good.example.com", Result::temperror},
      {"10 good.example.com", "10 dead.example.com", Result::temperror},  // by name then
  };
  for (const auto& c : cases) {
    const auto of = [&](std::string_view one, std::string_view other) {
      return check(record_zone("v=spf1 mx -all") + std::string(kZone) + "example.com MX " + std::string(one) +
                       "\nexample.com MX " + std::string(other),
                   "192.0.2.1")
          .result;
    };
    EXPECT_EQ(of(c.first, c.second), c.want) << c.first << ", " << c.second;
    EXPECT_EQ(of(c.second, c.first), c.want) << c.second << ", " << c.first;
  }
}

TEST(Ptr, OnlyNamesThatLeadBackCount) {
  constexpr std::string_view kZone = R"(
    1.2.0.192.in-addr.arpa PTR mail.example.com
    1.2.0.192.in-addr.arpa PTR Mail.Example.ORG
    1.2.0.192.in-addr.arpa PTR dead.example.net
    mail.example.com       A   198.51.100.1
    mail.example.org       A   192.0.2.1
    dead.example.net       A   !SERVFAIL
  )";
  expect_results("192.0.2.1", kZone,
                 {{"v=spf1 ptr -all", Result::fail},
                  {"v=spf1 ptr:example.org -all", Result::pass},
                  {"v=spf1 ptr:mail.example.org -all", Result::pass},
                  {"v=spf1 ptr:il.example.org -all", Result::fail},
                  {"v=spf1 ptr:example.net -all", Result::fail}});
}

TEST(Target, NameThatCannotExistDoesNotMatch) {
  const std::string label(64, 'x');
  const std::string zone = "1.2.0.192.in-addr.arpa PTR mail.example.org\nmail.example.org A 192.0.2.1";
  for (const auto& target : {"a:" + label + ".example.com", std::string("mx:a..example.com"),
                             std::string("exists:.example.com"), "ptr:" + label + ".org"}) {
    const auto outcome = check(record_zone("v=spf1 " + target + " -all") + zone, "192.0.2.1");
    EXPECT_EQ(outcome.result, Result::fail) << target;
    EXPECT_EQ(outcome.void_lookups, 0) << target;
  }
  // Nor does the root, below which every name is.
  for (const auto* target : {"ptr:%{h}", "a:%{h}", "mx:%{h}", "exists:%{h}"})
    EXPECT_EQ(
        check(record_zone("v=spf1 " + std::string(target) + " -all") + zone, {ip("192.0.2.1"), ".", "user@example.com"})
            .result,
        Result::fail)
        << target;
}

TEST(Record, IsAskedForAsTxtAtTheExactNameOnly) {  // S1
  test::FakeResolver resolver("example.com TXT v=spf1 all");
  const auto outcome = check_mail_from(resolver, {ip("192.0.2.1"), "h.example.org", "a@sub.example.com"}, {});
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.reason, "sub.example.com does not exist");
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT sub.example.com"));
}

TEST(Record, SyntaxErrorCountsBeforeAnythingIsEvaluated) {
  test::FakeResolver resolver("example.com TXT v=spf1 a mx include:inc.example.com ip4:192.0.2.1 -all exp=");
  const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"), {});
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.reason, "SPF record of example.com: \"exp=\": the domain name is missing");
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT example.com"));
}

TEST(Outcome, NamesTheDirectiveThatMatched) {
  const std::string zone = "inc.example.com TXT v=spf1 ip4:192.0.2.0/24\nred.example.com TXT v=spf1 ~all";
  EXPECT_EQ(check(record_zone("v=spf1 IP4:192.0.2.0/24"), "192.0.2.1").mechanism, "IP4:192.0.2.0/24");
  EXPECT_EQ(check(record_zone("v=spf1 include:inc.example.com") + zone, "192.0.2.1").mechanism,
            "include:inc.example.com");
  EXPECT_EQ(check(record_zone("v=spf1 redirect=red.example.com") + zone, "192.0.2.1").mechanism, "~all");
  EXPECT_EQ(check(record_zone("v=spf1"), "192.0.2.1").mechanism, "");
}

struct Named {
  const char* mail_from;
  const char* helo;
  Identity identity;
  const char* domain;
  Result want;
};

// Sections 2.3, 2.4 and 4.3; every name that can be judged has "-all".
TEST(Identity, IsMailFromOrForTheNullPathHelo) {  // S5
  const Named cases[] = {
      {"user@example.com", "[192.0.2.1]", Identity::mail_from, "example.com", Result::fail},
      {"user@EXAMPLE.com.", "x", Identity::mail_from, "example.com", Result::fail},
      {"@example.com", "x", Identity::mail_from, "example.com", Result::fail},
      {"@hop.example,@hop2.example:user@example.com", "x", Identity::mail_from, "example.com", Result::fail},
      {"user@[192.0.2.1]", "mail.example.org", Identity::mail_from, "", Result::none},
      {"user@192.0.2.1", "mail.example.org", Identity::mail_from, "", Result::none},
      {"@[IPv6:::1]", "mail.example.org", Identity::mail_from, "", Result::none},
      {"user", "mail.example.org", Identity::mail_from, "", Result::none},
      {"example.com", "mail.example.org", Identity::mail_from, "", Result::none},
      {"user@localhost", "mail.example.org", Identity::mail_from, "", Result::none},
      {"user@a..example.com", "mail.example.org", Identity::mail_from, "", Result::none},
      {"user@", "mail.example.org", Identity::mail_from, "", Result::none},
      {"", "mail.example.org", Identity::helo, "mail.example.org", Result::fail},
      {"", "MAIL.example.org.", Identity::helo, "mail.example.org", Result::fail},
      {"", "[192.0.2.1]", Identity::helo, "", Result::none},
      {"", "192.0.2.1", Identity::helo, "", Result::none},
      {"", "localhost", Identity::helo, "", Result::none},
      {"", "", Identity::helo, "", Result::none},
      {"", "mail example.org", Identity::helo, "", Result::none},
  };
  for (const auto& c : cases) {
    const auto outcome =
        check("example.com TXT v=spf1 -all\nmail.example.org TXT v=spf1 -all", {ip("192.0.2.1"), c.helo, c.mail_from});
    EXPECT_EQ(outcome.result, c.want) << c.mail_from << " " << c.helo;
    EXPECT_EQ(outcome.identity, c.identity) << c.mail_from << " " << c.helo;
    EXPECT_EQ(outcome.domain, c.domain) << c.mail_from << " " << c.helo;
    EXPECT_EQ(outcome.reason.empty(), c.want == Result::fail) << outcome.reason;
  }
}

TEST(Identity, HeloIsJudgedAsPostmaster) {
  test::FakeResolver resolver(
      "mail.example.org TXT v=spf1 exists:%{s}.example.com -all\n"
      "postmaster@mail.example.org.example.com A 192.0.2.1");
  const auto outcome = check_helo(resolver, {ip("192.0.2.1"), "mail.example.org", "user@example.com"}, {});
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.identity, Identity::helo);
  EXPECT_STREQ(to_string(outcome.identity), "helo");
}

TEST(Macros, HaveTheirValuesInRecords) {  // R7
  const std::map<std::string, std::string> cases = {
      {"%{s}", "user@example.com"}, {"%{l}", "user"},    {"%{o}", "example.com"},      {"%{d}", "inc.example.com"},
      {"%{i}", "192.0.2.1"},        {"%{v}", "in-addr"}, {"%{h}", "Mail.example.net"}, {"%{p}", "a.inc.example.com"}};
  for (const auto& [macro, value] : cases) {
    test::FakeResolver resolver(record_zone("v=spf1 include:inc.example.com -all") +
                                "inc.example.com TXT v=spf1 exists:" + macro + ".test " + R"(
        1.2.0.192.in-addr.arpa PTR b.example.org
        1.2.0.192.in-addr.arpa PTR a.inc.example.com
        b.example.org          A   192.0.2.1
        a.inc.example.com      A   192.0.2.1
      )");
    check_mail_from(resolver, {ip("192.0.2.1"), "Mail.example.net", "user@example.com"}, {});
    EXPECT_EQ(resolver.asked().back(), "A " + *dns::canonical(value + ".test")) << macro;
  }
}

// RFC 7208 Section 4.3.
TEST(Macros, SenderWithoutLocalPartIsPostmaster) {
  const auto outcome = check(record_zone("v=spf1 -all exp=exp.example.com") + "exp.example.com TXT %{s} %{l}",
                             {ip("192.0.2.1"), "mail.example.net", "@example.com"});
  EXPECT_EQ(outcome.explanation, "postmaster@example.com postmaster");
}

TEST(Macros, ClientNamePrefersTheDomainThenOneBelowThenAny) {
  struct {
    const char* names;
    const char* want;
  } const cases[] = {
      {"", "unknown"},
      {"b.example.org", "b.example.org"},
      {"b.example.org a.example.com", "a.example.com"},
      {"b.example.org a.example.com example.com", "example.com"},
      {"liar.example.net", "unknown"},
  };
  for (const auto& c : cases) {
    std::string zone = record_zone("v=spf1 exists:%{p}.test") + "example.com A 192.0.2.1\nb.example.org A 192.0.2.1\n" +
                       "a.example.com A 192.0.2.1\nliar.example.net A 192.0.2.2\n";
    for (const auto name : split(c.names, ' '))
      if (!name.empty()) zone += "1.2.0.192.in-addr.arpa PTR " + std::string(name) + "\n";
    test::FakeResolver resolver(zone);
    check_mail_from(resolver, query_from("192.0.2.1"), {});
    EXPECT_EQ(resolver.asked().back(), std::string("A ") + c.want + ".test");
  }
}

TEST(Macros, Ipv6IsNibblesInRecordsAndAnAddressInExplanations) {
  const auto outcome = check(
      record_zone("v=spf1 -all exp=exp.example.com") + "exp.example.com TXT %{c} %{i1r} %{i2} %{v}", "2001:db8::cb01");
  EXPECT_EQ(outcome.explanation, "2001:db8::cb01 2 0.1 ip6");
}

TEST(Explanation, OnlyWithFailOfTheRecordThatFailed) {
  constexpr std::string_view kZone = R"(
    exp.example.com  TXT  no
    inc.example.com  TXT  v=spf1 -all exp=exp.example.com
    red.example.com  TXT  v=spf1 -all exp=%{d1r}exp.%{d2}
    bare.example.com TXT  v=spf1 -all
    redexp.example.com TXT %{d}
  )";
  const std::map<std::string, std::string> cases = {
      {"v=spf1 -all exp=exp.example.com", "no"},
      {"v=spf1 exp=exp.example.com -all", "no"},
      {"v=spf1 ~all exp=exp.example.com", ""},
      {"v=spf1 include:inc.example.com ~all", ""},
      {"v=spf1 include:inc.example.com -all", ""},
      {"v=spf1 redirect=red.example.com exp=exp.example.com", "red.example.com"},
      {"v=spf1 redirect=bare.example.com exp=exp.example.com", ""},
  };
  for (const auto& [record, want] : cases)
    EXPECT_EQ(check(record_zone(record) + std::string(kZone), "192.0.2.1").explanation, want) << record;
}

TEST(Explanation, UnusableTextIsAsIfThereWereNone) {
  for (const auto* text : {"TXT \xc3\xa4", "TXT %{x}", "TXT 100%", "TXT tab\there", "TXT !SERVFAIL", "TXT !TIMEOUT",
                           "A 192.0.2.1", "TXT one\nexp.example.com TXT two", "TXT %{h}"}) {
    const auto outcome = check(record_zone("v=spf1 -all exp=exp.example.com") + "exp.example.com " + text,
                               {ip("192.0.2.1"), "bell\a", "user@example.com"});
    EXPECT_EQ(outcome.result, Result::fail) << text;
    EXPECT_EQ(outcome.explanation, "") << text;
    EXPECT_EQ(outcome.void_lookups, 0) << text;
  }
}

TEST(Explanation, TellsReceiverAndTime) {
  const auto zone = record_zone("v=spf1 -all exp=exp.example.com") + "exp.example.com TXT %{r} %{t}";
  EXPECT_EQ(check(zone, query_from("192.0.2.1"), {.receiver = "mx.example.org", .now = 1700000000}).explanation,
            "mx.example.org 1700000000");
  const auto before = system_clock().unix_now();
  EXPECT_GE(std::stoll(check(zone, "192.0.2.1").explanation.substr(sizeof "unknown")), before);
}

// RFC 8616 Section 4.
TEST(Internationalized, DomainsAreJudgedAsALabels) {
  const auto outcome = check(
      "xn--bcher-kva.example TXT v=spf1 exists:%{o}.%{h}.test -all\n"
      "xn--bcher-kva.example.mail.xn--bcher-kva.example.test A 192.0.2.1",
      {ip("192.0.2.1"),
       "mail.b\xc3\xbc"
       "cher.example",
       "user@B\xc3\xbc"
       "cher.example"});
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.domain, "xn--bcher-kva.example");
}

TEST(Internationalized, TermsWithANonAsciiLocalPartMatchNothing) {
  const std::map<std::string, Result> cases = {
      {"v=spf1 exists:%{l}.example.com -all", Result::fail},   {"v=spf1 a:%{s}.example.com -all", Result::fail},
      {"v=spf1 include:%{l}.example.com -all", Result::fail},  {"v=spf1 ptr:%{l}.example.com -all", Result::fail},
      {"v=spf1 redirect=%{l}.example.com", Result::permerror}, {"v=spf1 exists:%{o}.test -all", Result::pass},
      {"v=spf1 -all exp=%{l}.example.com", Result::fail}};
  for (const auto& [record, want] : cases) {
    test::FakeResolver resolver(record_zone(record) + "example.com.test A 192.0.2.1");
    const auto outcome = check_mail_from(resolver, {ip("192.0.2.1"), "h.example.org", "\xc3\xbc@example.com"}, {});
    EXPECT_EQ(outcome.result, want) << record << ": " << outcome.reason;
    for (const auto& asked : resolver.asked()) EXPECT_THAT(asked, Not(HasSubstr("\xc3"))) << record;
  }
}

}  // namespace
}  // namespace sesame::spf
