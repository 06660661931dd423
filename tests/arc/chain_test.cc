// RFC 8617 on chains whose every oddity is sealed with a right signature.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "arc/arc.h"
#include "mail/message.h"
#include "sealed.h"
#include "support/fake_resolver.h"

namespace sesame::test {
namespace {

using arc::Result;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1700000000;

arc::Outcome check(dns::Resolver& resolver, std::string_view text) {
  const auto message = mail::read_message(text);
  arc::Verifier verifier(resolver, {.now = kNow});
  for (const auto& field : message.fields) verifier.field(field);
  verifier.end_of_header(message.fields);
  verifier.body(message.body);
  return verifier.finish(Deadline::max());
}

FakeResolver with_keys(const Signer& signer = Signer::rsa(1024)) {
  std::string zone;
  for (const auto* domain : {"example.org", "trusted.example", "attacker.example"})
    zone += "s._domainkey." + std::string(domain) + " TXT " + signer.record() + "\n";
  return FakeResolver(zone);
}

struct Case {
  std::string rule;
  std::vector<Hop> hops;
  std::string reason;  // of the failure; "" for a pass
};

void hold(const std::vector<Case>& cases) {
  auto resolver = with_keys();
  for (const auto& test : cases) {
    const auto outcome = check(resolver, sealed(test.hops));
    EXPECT_EQ(outcome.result, test.reason.empty() ? Result::pass : Result::fail) << test.rule << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr(test.reason)) << test.rule;
  }
}

// RFC 8617 Section 4.2.1: instance = [CFWS] "i" [CFWS] "=" [CFWS] position; position = 1*2DIGIT.
TEST(Chain, InstanceNumbersAreReadByTheirGrammar) {
  const auto results = [](const char* text) { return std::vector{Hop{.results = text}}; };
  const auto instance = [](const char* text) { return std::vector{Hop{.instance = text}}; };
  hold({
      {"no space", results("i=1;mx"), ""},
      {"leading zero", results("i=01; mx"), ""},
      {"white space", results("i = 1 ; mx"), ""},
      {"comments", results("(a; (b) \\) i=2;) i (c) = (d) 1 (e) ; mx"), ""},
      {"an open comment", results("i=1 (; mx"), "no instance number"},
      {"three digits", results("i=001; mx"), "no instance number"},
      {"a capital", results("I=1; mx"), "no instance number"},
      {"another tag first", results("x=y; i=1; mx"), "no instance number"},
      {"no semicolon", results("i=1"), "no instance number"},
      {"none", results("i=; mx"), "no instance number"},
      {"zero", results("i=0; mx"), "no instance number"},
      {"more behind", results("i=1 2; mx"), "no instance number"},
      {"tags with a comment", instance("i=1 (the first; of all); "), ""},
      {"tags with a leading zero", instance("i=01; "), ""},
      {"tags with it elsewhere", instance("x-y=z; i=1; "), ""},
      {"tags with it twice", instance("i=1; i=1; "), "the tag i= appears twice"},
      {"tags with three digits", instance("i=001; "), "no instance number"},
      {"tags with a comment elsewhere", instance("x-y=z; i=1 (c); "), "no instance number"},
      {"tags with zero", instance("i=0; "), "no instance number"},
      {"tags with text", instance("i=x; "), "no instance number"},
      {"tags without", instance(""), "no instance number"},
  });
}

TEST(Chain, FieldsOutOfShapeFail) {  // C1
  auto resolver = with_keys();
  const auto good = sealed({{}});
  for (const auto* field : {"ARC-Seal: x", "ARC-Seal:", "ARC-Message-Signature: i=1", "ARC-Message-Signature: ;;;",
                            "ARC-Authentication-Results: i=1; none", "ARC-Authentication-Results: x",
                            "ARC-Seal: i=1; a=(null); cv=(null)", "ARC-Seal: i=2; \x01=\x02"}) {
    EXPECT_EQ(check(resolver, std::string(field) + "\r\n" + good).result, Result::fail) << field;
    EXPECT_EQ(check(resolver, std::string(field) + "\r\n" + kSealedHeader + "\r\n").result, Result::fail) << field;
  }
}

TEST(Chain, OddPartsThatAreAllowedPass) {  // C1
  hold({
      {"trailing semicolon", {{.tail = ";"}}, ""},
      {"space before the semicolon", {{.tail = " ;"}, {}}, ""},
      {"no results", {{.results = "i=N; none"}}, ""},
      {"null results", {{.results = "i=N; mx.example.org; (null)=pass"}}, ""},
      {"a method nobody knows", {{.results = "i=N; mx.example.org; x-magic=yes x.y=z"}}, ""},
      {"nothing behind the instance", {{.results = "i=N;"}}, ""},
      {"long results", {{.results = "i=N; mx.example.org; x=" + std::string(100000, 'y')}}, ""},
      {"an instance within the results", {{.results = "i=N; mx; i=7; cv=fail"}, {}}, ""},
      {"tags nobody knows", {{.message_tags = "r=y; ", .seal_tags = "r=y; "}}, ""},
  });
}

TEST(Chain, LongKeysPass) {  // C1
  for (const unsigned bits : {3072u, 4096u}) {
    const auto& signer = Signer::rsa(bits);
    auto resolver = with_keys(signer);
    const auto outcome = check(resolver, sealed({{.signer = &signer}, {.signer = &signer}}));
    EXPECT_EQ(outcome.result, Result::pass) << bits << ": " << outcome.reason;
  }
}

TEST(Chain, Ed25519Passes) {
  const Hop hop{.signer = &Signer::ed25519(), .algorithm = "ed25519-sha256"};
  auto resolver = with_keys(Signer::ed25519());
  EXPECT_EQ(check(resolver, sealed({hop, hop})).result, Result::pass);
}

TEST(Chain, FiftySetsPassAndMoreFail) {  // C2
  auto resolver = with_keys();
  std::vector<Hop> hops(50);
  const auto outcome = check(resolver, sealed(hops));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.instances, 50);
  EXPECT_EQ(outcome.sets.size(), 50u);
  hops.emplace_back();
  EXPECT_THAT(check(resolver, sealed(hops)).reason, HasSubstr("no instance number from 1 to 50"));
}

TEST(Chain, GapsFail) {  // C2
  hold({
      {"no first set", {{.results = "i=2; mx", .instance = "i=2; "}}, "has i=1"},
      {"a gap", {{}, {.results = "i=3; mx", .instance = "i=3; "}}, "has i=2"},
      {"a number twice", {{}, {.results = "i=1; mx", .instance = "i=1; "}}, "fields have i=1"},
      {"results of another set", {{}, {.results = "i=3; mx"}}, "has i=2"},
  });
}

// RFC 8617 Sections 4.1.3 and 5.2 steps 2 and 3.
TEST(Chain, SealsThatBreakTheRulesFail) {  // C2
  hold({
      {"h=", {{.seal_tags = "h=from; "}}, "ARC-Seal i=1: syntax: there is an h="},
      {"an older h=", {{.seal_tags = "h=from; "}, {}}, "ARC-Seal i=1: syntax: there is an h="},
      {"an empty h=", {{.seal_tags = "h=; "}}, "there is an h="},
      {"rsa-sha1", {{.algorithm = "rsa-sha1"}}, "rsa-sha1"},
      {"an older rsa-sha1", {{.algorithm = "rsa-sha1"}, {}}, "ARC-Seal i=1: rsa-sha1"},
      {"cv=pass first", {{.cv = "pass"}}, "out of place"},
      {"cv=none later", {{}, {.cv = "none"}}, "out of place"},
      {"cv=fail", {{}, {.cv = "fail"}}, "cv=fail"},
      {"cv=fail first", {{.cv = "fail"}}, "cv=fail"},
      {"gone on after cv=fail", {{}, {.cv = "fail"}, {}}, "ARC-Seal i=2: cv=fail is out of place"},
      {"cv in capitals", {{.cv = "None"}}, "cv= is not"},
      {"cv twice", {{.seal_tags = "cv=none; "}}, "appears twice"},
      {"t= of tomorrow", {{.seal_tags = "t=1700086400; "}}, "signed in the future"},
      {"an older t= of tomorrow", {{.seal_tags = "t=1700086400; "}, {}}, "signed in the future"},
  });
}

// RFC 8617 Section 4.1.3: of seven tags, the others are ignored.
TEST(Chain, TagsThatSealsDoNotHaveAreIgnored) {
  for (const auto* tags : {"c=simple/simple; ", "x=1; ", "q=x/y; ", "v=2; ", "l=x; ", "bh=AAAA; "})
    hold({{tags, {{.seal_tags = tags}, {}}, ""}});
}

// RFC 8617 Section 4.1.2
TEST(Chain, MessageSignaturesAreDkimSignaturesWithoutVersion) {
  hold({
      {"v=1", {{.message_tags = "v=1; "}}, ""},
      {"v=2", {{.message_tags = "v=2; "}}, ""},
      {"expired", {{.message_tags = "x=1600000000; "}}, "expired"},
      {"expired, but older", {{.message_tags = "x=1600000000; "}, {}}, ""},
      {"tomorrow", {{.message_tags = "t=1700086400; "}}, "signed in the future"},
      {"no method", {{.message_tags = "q=x/y; "}}, "query method"},
      {"names the seal", {{.names = "from:arc-seal"}}, "h= lists ARC-Seal"},
      {"names the seal, but older", {{.names = "from:arc-seal"}, {}}, ""},
      {"l= of the whole body", {{.message_tags = "l=7; "}}, ""},
      {"l= of more than the body", {{.message_tags = "l=8; "}}, "l= is more than"},
      {"l= of less", {{.message_tags = "l=6; "}}, "l= leaves part of the body unsigned"},
  });
}

// RFC 8617 Section 5.2 step 5: it makes no difference to the chain.
TEST(Chain, OldestPassIsOneAboveTheNewestThatBroke) {
  auto resolver = with_keys();
  const auto oldest = [&](const std::vector<Hop>& hops) {
    const auto outcome = check(resolver, sealed(hops));
    EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
    return outcome.oldest_pass;
  };
  const Hop footer{.added_text = "footer\r\n"};
  EXPECT_EQ(oldest({{}, {}, {}, {}}), 0);
  EXPECT_EQ(oldest({{}, footer, {}, {}}), 2);
  EXPECT_EQ(oldest({{}, footer, {}, footer}), 4);
  EXPECT_EQ(oldest({{}, {.message_tags = "x=1600000000; "}, {}}), 3);
  // However many lengths l= names, the whole body is hashed once.
  std::vector<Hop> lengths(6);
  for (auto& hop : lengths) hop.message_tags = "l=7; ";
  EXPECT_EQ(oldest(lengths), 0);
  lengths[1].message_tags = "l=6; ";
  EXPECT_EQ(oldest(lengths), 3);
}

// A new seal vouches for what lies below it, whoever sealed that: the newest sealer must be looked at first.
TEST(Chain, WhoSealsAnewStandsAboveWhomHeQuotes) {  // C2
  auto resolver = with_keys();
  const auto outcome =
      check(resolver, sealed({{.results = "i=N; mx.trusted.example; dmarc=pass", .domain = "Trusted.Example"},
                              {.domain = "attacker.example", .added_text = "buy this\r\n"}}));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.sealer, "attacker.example");
  EXPECT_EQ(outcome.oldest_pass, 2);
  ASSERT_EQ(outcome.sets.size(), 2u);
  EXPECT_EQ(outcome.sets[0].sealer, "attacker.example");
  EXPECT_EQ(outcome.sets[1].sealer, "trusted.example");
  EXPECT_EQ(outcome.sets[1].instance, 1);
  EXPECT_EQ(outcome.sets[1].results, "mx.trusted.example; dmarc=pass");
}

// RFC 6376 Section 5.4: such a message may be from anybody, so nobody's word may count for it.
TEST(Chain, AChainThatLeavesFromUnsignedVouchesForNothing) {
  auto resolver = with_keys();
  const auto outcome = check(resolver, sealed({{}, {.names = "subject"}}));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_TRUE(outcome.sets.empty());
  EXPECT_EQ(check(resolver, sealed({{.names = "subject"}, {}})).sets.size(), 2u);
}

// RFC 8617 Section 5.2.1: the chain fails for good, whatever DNS lacks, and for whichever set.
TEST(Chain, AKeyOfAnyUsedSetThatCannotBeHadFails) {
  for (const auto* record : {"!TIMEOUT", "!SERVFAIL", "!NXDOMAIN", "v=DKIM1; p=", "v=spf1 -all"}) {
    auto resolver = with_keys();
    resolver.zone().add("s._domainkey.broken.example TXT " + std::string(record) + "\n");
    const Hop broken{.domain = "broken.example"};
    for (const auto& hops :
         {std::vector<Hop>{broken}, std::vector<Hop>{broken, {}, {}}, std::vector<Hop>{{}, {}, broken}})
      EXPECT_EQ(check(resolver, sealed(hops)).result, Result::fail) << record;
  }
}

// RFC 8617 Section 5.1.1 goes by instance, not by position.
TEST(Chain, TheOrderOfFieldsDoesNotMatter) {
  auto resolver = with_keys();
  const auto message = mail::read_message(sealed({{}, {}, {}}));
  std::vector<mail::Field> fields(message.fields.begin(), message.fields.end());
  std::ranges::sort(fields, {}, &mail::Field::value);
  do {
    std::string text;
    for (const auto& field : fields) text.append(field.name).append(":").append(field.value).append("\r\n");
    ASSERT_EQ(check(resolver, text + "\r\n" + kSealedBody).result, Result::pass) << text;
    std::ranges::rotate(fields, fields.begin() + 1);
  } while (!std::ranges::is_sorted(fields, {}, &mail::Field::value));
}

}  // namespace
}  // namespace sesame::test
