// RFC 7208 Section 4.6.4 and what hostile records and senders try.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "check.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

using testing::HasSubstr;

std::string repeated(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

std::string addresses(int count) {
  std::string zone;
  for (int i = 0; i < count; ++i)
    zone += "m" + std::to_string(i) + ".example.net A 198.51.100." + std::to_string(i + 1) + "\n";
  return zone;
}

TEST(LookupTerms, EleventhIsPermerrorAndNeverTheFinalFail) {  // R2
  const auto zone = addresses(1);
  const auto of = [&](int terms, std::string_view last) {
    const auto record = "v=spf1" + repeated(" a:m0.example.net", terms) + ' ' + std::string(last);
    return check(record_zone(record) + zone, "192.0.2.1");
  };
  EXPECT_EQ(of(10, "-all").result, Result::fail);
  EXPECT_EQ(of(10, "-all").lookup_terms, 10);
  EXPECT_EQ(of(11, "-all").result, Result::permerror);
  EXPECT_THAT(of(11, "-all").reason, HasSubstr("example.com needs more than 10 terms"));
  EXPECT_EQ(of(10, "redirect=m0.example.net").result, Result::permerror);
}

TEST(LookupTerms, MatchBeforeTheEleventhStillCounts) {  // R2
  const auto zone = addresses(1);
  const auto nine = "v=spf1" + repeated(" a:m0.example.net", 9);
  EXPECT_EQ(check(record_zone(nine + " exists:m0.example.net a:m0.example.net -all") + zone, "192.0.2.1").result,
            Result::pass);
  EXPECT_EQ(
      check(record_zone(nine + " a:m0.example.net ip4:192.0.2.1 a:m0.example.net -all") + zone, "192.0.2.1").result,
      Result::pass);
}

TEST(LookupTerms, AreCountedOverIncludesAndRedirects) {  // R5
  struct {
    const char* record;
    int terms;
  } const cases[] = {
      {"v=spf1 ip4:198.51.100.1 ip6:::1 ?all exp=m0.example.net", 0},
      {"v=spf1 a mx ptr exists:m0.example.net -all", 4},
      {"v=spf1 include:inc.example.com include:inc.example.com -all", 6},
      {"v=spf1 include:inc.example.com redirect=inc.example.com", 6},
      {"v=spf1 exists:%{p}.example.com -all", 2},
      {"v=spf1 exists:%{p}.%{p}.example.com -all", 3},
      {"v=spf1 redirect=%{p}.example.com", 2},
  };
  for (const auto& c : cases) {
    const auto outcome = check(record_zone(c.record) +
                                   "inc.example.com TXT v=spf1 a:m0.example.net exists:%{o}\n"
                                   "example.com MX 10 m0.example.net\nexample.com AAAA 2001:db8::1\n" +
                                   addresses(1),
                               "192.0.2.1");
    EXPECT_EQ(outcome.lookup_terms, c.terms) << c.record << ": " << outcome.reason;
  }
}

TEST(LookupTerms, LoopsEndInPermerror) {  // R5
  for (const auto* record : {"v=spf1 include:example.com -all", "v=spf1 redirect=example.com",
                             "v=spf1 include:b.example.com -all", "v=spf1 redirect=b.example.com"}) {
    test::FakeResolver resolver(record_zone(record) +
                                "b.example.com TXT v=spf1 include:example.com redirect=example.com");
    const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"), {});
    EXPECT_EQ(outcome.result, Result::permerror) << record;
    EXPECT_LE(resolver.asked().size(), 11u) << record;
  }
}

TEST(VoidLookups, ThirdIsPermerrorAndTheLimitIsTunable) {  // R3
  const auto zone = record_zone("v=spf1 a:v1.example.net exists:v2.example.net mx:v3.example.net ip4:192.0.2.1 -all") +
                    "v2.example.net TXT exists without address";
  const auto outcome = check(zone, "192.0.2.1");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.void_lookups, 3);
  EXPECT_THAT(outcome.reason, HasSubstr("more than 2 look-ups that find nothing, the last MX v3.example.net"));
  EXPECT_EQ(check(zone, query_from("192.0.2.1"), {.max_void_lookups = 3}).result, Result::pass);
  EXPECT_EQ(check(zone, query_from("192.0.2.1"), {.max_void_lookups = 0}).void_lookups, 1);
}

TEST(VoidLookups, CountOverIncludesAndMxNamesButNotTheNamesOfTheClient) {
  const auto outcome = check(record_zone("v=spf1 include:inc.example.com mx ip4:192.0.2.1 -all") + R"(
      inc.example.com        TXT  v=spf1 a:v1.example.net -all
      example.com            MX   10 v2.example.net
      example.com            MX   20 v3.example.net)",
                             "192.0.2.1");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.void_lookups, 3);
  const auto ptr = check(record_zone("v=spf1 ptr ip4:192.0.2.1 -all") + R"(
      1.2.0.192.in-addr.arpa PTR a.example.net
      1.2.0.192.in-addr.arpa PTR b.example.net
      1.2.0.192.in-addr.arpa PTR c.example.net)",
                         "192.0.2.1");
  EXPECT_EQ(ptr.result, Result::pass);
  EXPECT_EQ(ptr.void_lookups, 0);
}

TEST(VoidLookups, PtrOfTheClientIsOneForEachTermThatNeedsIt) {
  for (const auto* record :
       {"v=spf1 ptr a:v1.example.net a:v2.example.net -all", "v=spf1 ptr ptr:example.org a:v1.example.net -all",
        "v=spf1 exists:%{p}.example.net ptr -all"}) {
    const auto outcome = check(record_zone(record), "192.0.2.1");
    EXPECT_EQ(outcome.result, Result::permerror) << record;
    EXPECT_EQ(outcome.void_lookups, 3) << record;
  }
}

TEST(Mx, MoreThanTenNamesArePermerrorWhereverTheMatchIs) {  // R4
  for (const int count : {10, 11}) {
    std::string zone = record_zone("v=spf1 mx -all") + addresses(count);
    for (int i = 0; i < count; ++i) zone += "example.com MX 10 m" + std::to_string(i) + ".example.net\n";
    test::FakeResolver resolver(zone);
    const auto outcome = check_mail_from(resolver, query_from("198.51.100.1"), {});
    EXPECT_EQ(outcome.result, count == 10 ? Result::pass : Result::permerror);
    if (count == 11) {
      EXPECT_EQ(outcome.reason, "example.com has 11 MX names, more than 10");
      EXPECT_EQ(resolver.asked().size(), 2u);
    }
  }
}

TEST(Ptr, NamesAfterTheFirstTenAreIgnored) {  // R4
  for (const int position : {10, 11}) {
    std::string zone = record_zone("v=spf1 ptr:good.example -all") + "mail.good.example A 192.0.2.1\n";
    for (int i = 1; i < position; ++i) zone += "1.2.0.192.in-addr.arpa PTR m" + std::to_string(i) + ".example.net\n";
    zone += "1.2.0.192.in-addr.arpa PTR mail.good.example\n";
    EXPECT_EQ(check(zone, "192.0.2.1").result, position == 10 ? Result::pass : Result::fail) << position;
  }
}

TEST(Deadline, PassedBeforeTheStartIsTemperrorWithoutAnyQuestion) {
  test::FakeResolver resolver(record_zone("v=spf1 all"));
  const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"), {.deadline = system_clock().steady_now()});
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_THAT(outcome.reason, HasSubstr("TXT example.com"));
  EXPECT_TRUE(resolver.asked().empty());
}

// Answers only when the deadline has passed, as a server does that is always almost too slow.
class LateResolver final : public dns::Resolver {
 public:
  LateResolver(dns::Resolver& inner, std::string slow) : inner_(inner), slow_(std::move(slow)) {}
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    if (name == slow_) std::this_thread::sleep_until(deadline);
    return inner_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view, dns::Type) override {}

 private:
  dns::Resolver& inner_;
  std::string slow_;
};

TEST(Deadline, PassedOnTheWayIsTemperrorNamingTheSlowName) {  // R6
  for (const auto* record :
       {"v=spf1 a:slow.example.net a:m0.example.net -all", "v=spf1 mx:slow.example.net redirect=m0.example.net",
        "v=spf1 exists:slow.example.net ptr -all"}) {
    test::FakeResolver inner(record_zone(record) + "slow.example.net A 198.51.100.1\n" + addresses(1));
    LateResolver resolver(inner, "slow.example.net");
    if (std::string_view(record).find("exists") != std::string_view::npos) inner.zone().remove("slow.example.net");
    const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"),
                                         {.deadline = system_clock().steady_now() + std::chrono::milliseconds(250)});
    EXPECT_EQ(outcome.result, Result::temperror) << record << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("slow.example.net")) << record;
  }
}

// Each answer takes this much of a time that only the test lets pass.
class SlowResolver final : public dns::Resolver, public Clock {
 public:
  SlowResolver(std::string_view zone, Duration delay) : inner_(zone), delay_(delay) {}
  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    now_ = std::min(now_ + delay_, deadline);
    return inner_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view, dns::Type) override {}
  std::chrono::steady_clock::time_point steady_now() const override { return now_; }
  std::int64_t unix_now() const override { return 1700000000; }

 private:
  test::FakeResolver inner_;
  Duration delay_;
  std::chrono::steady_clock::time_point now_{};
};

TEST(Deadline, AnswersAlwaysAlmostTooLateEndInTheBudget) {  // R6
  constexpr auto kBudget = std::chrono::seconds(20);
  for (const auto* record : {"v=spf1 mx mx mx mx mx mx mx mx mx mx -all", "v=spf1 ptr exists:%{p}.example.net -all",
                             "v=spf1 include:example.com -all", "v=spf1 a:m0.example.net mx redirect=example.com"}) {
    std::string zone = record_zone(record) + addresses(10);
    for (int i = 0; i < 10; ++i) {
      zone += "example.com MX 10 m" + std::to_string(i) + ".example.net\n";
      zone += "1.2.0.192.in-addr.arpa PTR m" + std::to_string(i) + ".example.net\n";
    }
    SlowResolver resolver(zone, std::chrono::milliseconds(4900));
    const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"),
                                         {.deadline = resolver.steady_now() + kBudget, .clock = &resolver});
    EXPECT_EQ(outcome.result, Result::temperror) << record << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("the time for the check is used up")) << record;
    EXPECT_LE(resolver.steady_now().time_since_epoch(), kBudget) << record;
  }
}

TEST(Deadline, UnansweredNameIsNamed) {
  const auto outcome = check(record_zone("v=spf1 include:inc.example.com -all") +
                                 "inc.example.com TXT v=spf1 a:slow.example.net\nslow.example.net A !TIMEOUT",
                             "192.0.2.1");
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_THAT(outcome.reason, HasSubstr("A slow.example.net: "));
}

struct Selection {
  const char* zone;
  Result want;
};

TEST(RecordSelection, ExactlyOneRecordOfTheExactVersion) {  // R1
  const Selection cases[] = {
      {"example.com TXT v=spf1 -all\nexample.com TXT v=spf1 all", Result::permerror},
      {"example.com TXT v=spf1 -all\nexample.com TXT V=SPF1", Result::permerror},
      {"example.com TXT v=spf10 all", Result::none},
      {"example.com TXT \" v=spf1 all\"", Result::none},
      {"example.com TXT v=spf2.0/pra all", Result::none},
      {"example.com TXT V=sPf1 ALL", Result::pass},
      {"example.com TXT \"v=spf1 ip4:192.0\" \".2.1 -all\"", Result::pass},
      {"example.com TXT \"v=spf1\" \"all\"", Result::none},
      {"example.com TXT \"\"\nexample.com TXT v=spf1 all", Result::pass},
      {"example.com A 192.0.2.1", Result::none},
      {"example.com TXT !SERVFAIL", Result::temperror},
      {"example.com TXT !REFUSED", Result::temperror},
      {"example.com TXT !NXDOMAIN", Result::none},
  };
  for (const auto& c : cases) {
    const auto outcome = check(c.zone, "192.0.2.1");
    EXPECT_EQ(outcome.result, c.want) << c.zone;
    if (c.want != Result::pass) {
      EXPECT_THAT(outcome.reason, HasSubstr("example.com")) << c.zone;
    }
  }
}

TEST(RecordSelection, FindsItsRecordAmongFifty) {  // R9
  std::string zone;
  for (int i = 0; i < 50; ++i) zone += "example.com TXT verification-" + std::to_string(i) + "=x\n";
  EXPECT_EQ(check(zone + record_zone("v=spf1 ip4:192.0.2.1 -all"), "192.0.2.1").result, Result::pass);
}

TEST(Hostile, RecordBytesNeverPassAndNeverReachTheReasonRaw) {  // R8
  for (const auto* record : {"v=spf1 ip4:1.2.3.4\\010 all", "v=spf1 a:x\xe2\x80\x8b.example all", "v=spf1 \x01 all",
                             "v=spf1 a:example.com\r\nX-Injected:1 all"}) {
    std::string hex;
    for (const char c : std::string_view(record)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    test::FakeResolver resolver(test::Zone::from_json(R"({"example.com": {"TXT": [{"hex": ")" + hex + R"("}]}})"));
    const auto outcome = check_mail_from(resolver, query_from("192.0.2.1"), {});
    EXPECT_EQ(outcome.result, Result::permerror) << record;
    EXPECT_EQ(outcome.reason, printable(outcome.reason, 4096)) << record;
  }
}

TEST(Hostile, NamesMadeOfHeloNeverReachTheReasonRaw) {
  const std::string helo = "a\r\nX-Injected: \x1b[31m.example.net";
  for (const auto* record :
       {"v=spf1 include:%{h} all", "v=spf1 redirect=%{h}", "v=spf1 a:%{h} a:b.%{h} a:c.%{h} all",
        "v=spf1 include:bad.%{h} all", "v=spf1 include:all.%{h} -all", "v=spf1 exists:dead.%{h} all",
        "v=spf1 include:inc.%{h} all", "v=spf1 redirect=red.%{h}"}) {
    const auto txt = [](std::string_view text) { return nlohmann::json{{"TXT", {text}}}; };
    const nlohmann::json zone = {{"example.com", txt(record)},
                                 {"bad." + helo, txt("v=spf1 moo")},
                                 {"all." + helo, txt("v=spf1 all")},
                                 {"inc." + helo, txt("v=spf1 include:none.example.com")},
                                 {"red." + helo, txt("v=spf1 redirect=none.example.com")},
                                 {"dead." + helo, {{"FAULT", "SERVFAIL"}}}};
    test::FakeResolver resolver(test::Zone::from_json(zone.dump()));
    const auto outcome = check_mail_from(resolver, {ip("192.0.2.1"), helo, "user@example.com"}, {});
    EXPECT_NE(outcome.reason, "") << record;
    EXPECT_EQ(outcome.reason, printable(outcome.reason, 4096)) << record;
  }
}

TEST(Hostile, WideNetworksPassWithARemark) {  // R10
  struct {
    const char* record;
    const char* remark;
  } const cases[] = {
      {"v=spf1 +all", "example.com: every address passes"},
      {"v=spf1 ip4:128.0.0.0/1 -all", "example.com: all of 128.0.0.0/1 passes"},
      {"v=spf1 a/0 -all", "example.com: all of 0.0.0.0/0 passes"},
      {"v=spf1 include:inc.example.com -all", "example.com: inc.example.com: every address passes"},
      {"v=spf1 ip4:192.0.0.0/8 -all", ""},
      {"v=spf1 -include:inc.example.com", ""},
      {"v=spf1 -all", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(
        check(record_zone(c.record) + "inc.example.com TXT v=spf1 all\nexample.com A 198.51.100.1", "192.0.2.1").reason,
        c.remark)
        << c.record;
  }
}

struct Sender {
  const char* mail_from;
  const char* domain;
  Result want;
};

// legit.example passes everything, attack.example too: what counts is whose name the pass is for.
void expect_judged(const std::vector<Sender>& cases) {
  for (const auto& c : cases) {
    const auto outcome = check("legit.example TXT v=spf1 +all\nattack.example TXT v=spf1 +all",
                               {ip("192.0.2.1"), "attack.example", c.mail_from});
    EXPECT_EQ(outcome.result, c.want) << c.mail_from;
    EXPECT_EQ(outcome.domain, c.domain) << c.mail_from;
    EXPECT_EQ(outcome.identity, Identity::mail_from) << c.mail_from;
  }
}

TEST(Hostile, SubdomainThatDoesNotExistIsNotItsParent) {  // S1
  expect_judged({{"any@mailbox.legit.example", "mailbox.legit.example", Result::none},
                 {"any@legit.example.attack.example", "legit.example.attack.example", Result::none}});
}

TEST(Hostile, MalformedSenderIsNoneAndHeloDoesNotStandInForIt) {  // S2
  expect_judged({{"(any@legit.example", "", Result::none},
                 {"any@legit.example)", "", Result::none},
                 {"any<any@legit.example", "", Result::none},
                 {"any@\"legit.example@attack.example", "", Result::none},
                 {"any@legit.example,attack.example", "", Result::none},
                 {"any@legit.example attack.example", "", Result::none},
                 {"any@.legit.example", "", Result::none},
                 {"any@legit.example..", "", Result::none},
                 {"any", "", Result::none},
                 {" ", "", Result::none},
                 {"any@", "", Result::none}});
}

TEST(Hostile, SenderCannotBorrowADomain) {  // S3
  expect_judged({{"any@legit.example(a.attack.example", "", Result::none},
                 {"any@legit.example'@any.attack.example", "", Result::none},
                 {"any@legit.example@attack.example", "", Result::none},
                 {"any\\@legit.example@attack.example", "", Result::none},
                 {"\"a\"any@legit.example\"@attack.example", "", Result::none},
                 {"\"any@legit.example\\\"@attack.example", "", Result::none},
                 {"\"any@legit.example\"@attack.example", "attack.example", Result::pass},
                 {"\"any\\\"@legit.example\"@attack.example", "attack.example", Result::pass},
                 {"@legit.example,@attack.example:any@attack.example", "attack.example", Result::pass},
                 {"@attack.example:any@legit.example", "legit.example", Result::pass},
                 {"any..dots.@legit.example", "legit.example", Result::pass}});
}

TEST(Hostile, PassOfHeloIsNotThatOfTheSender) {  // S4
  const Query query{ip("192.0.2.1"), "attack.example", "any@legit.example"};
  test::FakeResolver resolver("legit.example TXT v=spf1 -all\nattack.example TXT v=spf1 +all");
  const auto mail_from = check_mail_from(resolver, query, {});
  EXPECT_EQ(mail_from.result, Result::fail);
  EXPECT_EQ(mail_from.identity, Identity::mail_from);
  const auto helo = check_helo(resolver, query, {});
  EXPECT_EQ(helo.result, Result::pass);
  EXPECT_EQ(helo.identity, Identity::helo);
  EXPECT_EQ(helo.domain, "attack.example");
}

TEST(Hostile, VariableReturnPathKeepsItsDomain) {  // S6
  expect_judged({{"prvs=12=user+x=y.example@legit.example", "legit.example", Result::pass},
                 {"bounce+a=b=legit.example@attack.example", "attack.example", Result::pass},
                 {"0100018f-legit.example-000000@attack.example", "attack.example", Result::pass}});
}

TEST(Hostile, NulInTheSenderIsNoDomain) {
  using namespace std::string_literals;
  const auto outcome = check("legit.example TXT v=spf1 +all",
                             {ip("192.0.2.1"), "attack.example", "any@legit.example\0.attack.example"s});
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.domain, "");
}

TEST(Hostile, MacrosOfHugeValuesStayBounded) {  // R7
  const Query query{ip("192.0.2.1"), std::string(5000, '.'), std::string(5000, 'a') + "@example.com"};
  for (const auto* record :
       {"v=spf1 exists:%{l}%{l}%{l}.example.com -all", "v=spf1 a:%{h} -all", "v=spf1 exists:%{H127r.-}.test -all",
        "v=spf1 include:%{s99999999999r-+}.example.com -all"}) {
    test::FakeResolver resolver(record_zone(record));
    const auto outcome = check_mail_from(resolver, query, {});
    EXPECT_NE(outcome.result, Result::pass) << record;
    for (const auto& asked : resolver.asked()) EXPECT_LE(asked.size(), 253u + 5) << record;
  }
}

}  // namespace
}  // namespace sesame::spf
