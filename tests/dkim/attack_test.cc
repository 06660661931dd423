// Hostile signatures and keys through the verifier. Other rows of the same list are in verify_test.cc and
// split_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "check.h"
#include "dns/name.h"
#include "util/text.h"

namespace sesame::test {
namespace {

using dkim::Outcome;
using dkim::Result;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kNul(1, '\0');

// The message with another tag in its signature is refused, and DNS hears nothing of it.
void expect_refused_unasked(const std::string& old, const std::string& with) {
  Recorder resolver(kKeyName + " TXT " + key());
  const auto outcome = only(check(resolver, replaced(signed_plain(), old, with)));
  EXPECT_EQ(outcome.result, Result::permerror) << with;
  EXPECT_THAT(outcome.reason, StartsWith("syntax: ")) << with;
  EXPECT_THAT(resolver.names, IsEmpty()) << with;
}

TEST(Attack, DomainsThatAreNoneAskNothing) {  // D1
  for (const auto& domain :
       {std::string("example.com(.attacker.test"), std::string("example.com'.attacker.test"), "example.com" + kNul,
        "example.com" + kNul + ".attacker.test", std::string("exa mple.com"), std::string("com"), std::string("."),
        std::string("example.com."), std::string(".example.com"), std::string("example..com"),
        std::string("example.com/x"), std::string("[192.0.2.1]"), std::string(64, 'a') + ".example.com"}) {
    expect_refused_unasked("d=example.com", "d=" + domain);
    const auto outcome = check_one(key(), replaced(signed_plain(), "d=example.com", "d=" + domain));
    EXPECT_EQ(outcome.domain, "") << domain;
  }
}

TEST(Attack, SelectorsDoNotLeadAwayFromTheDomain) {  // D2
  for (const auto& selector :
       {"victim.example" + kNul, "a" + kNul + ".b", std::string("a..b"), std::string(".a"), std::string("a."),
        std::string("a b"), std::string("*"), std::string("a/b"), std::string("a(b"), std::string("a@b")})
    expect_refused_unasked("s=s;", "s=" + selector + ";");
  Recorder resolver;
  only(check(resolver, replaced(signed_plain(), "s=s;", "s=a.b_c.2026;")));
  for (const auto& name : resolver.names) EXPECT_EQ(name, "a.b_c.2026._domainkey.example.com");
}

TEST(Attack, LineBreaksOfTagsGoNowhere) {  // D3
  const auto has_break = [](const std::string& text) { return text.find_first_of("\r\n") != std::string::npos; };
  for (const auto* tags : {"i=x@\r\n example.com;", "i=x=0D=0AX-New:y@example.com;", "r=x\r\n y;"}) {
    const auto outcome = check_one(key(), sign_simple(Signer::rsa(1024), with_tags(tags)));
    EXPECT_EQ(outcome.result, Result::pass) << tags << outcome.reason;
    EXPECT_FALSE(has_break(outcome.identity + outcome.reason)) << tags;
  }
  EXPECT_EQ(check_one(key(), sign_simple(Signer::rsa(1024), with_tags("i=x@\r\n example.com;"))).identity,
            "x@example.com");
  for (const auto& [old, with] : {std::pair{"d=example.com", "d=example.com\r\n X: y"},
                                  {"s=s;", "s=s\r\n X: y;"},
                                  {"a=rsa-sha256", "a=rsa\r\n -sha256"},
                                  {"d=example.com", "d=example.com\r\n .x"}}) {
    const auto outcome = check_one(key(), replaced(signed_plain(), old, with));
    EXPECT_NE(outcome.result, Result::pass) << with;
    EXPECT_FALSE(has_break(outcome.domain + outcome.selector + outcome.algorithm + outcome.identity + outcome.reason))
        << with;
  }
}

TEST(Attack, DigestsOfTheWrongSize) {  // D5
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "rsa-sha256", "ed25519-sha256");
  const auto message = sign_simple(Signer::ed25519(), crafted);
  const auto bh = base64(digest(crafted.body));
  for (const std::size_t size : {0u, 1u, 31u, 33u, 500u, 12000u}) {
    Recorder resolver(kKeyName + " TXT " + Signer::ed25519().record());
    const auto outcome = only(check(resolver, replaced(message, bh, base64(std::string(size, 'x')))));
    EXPECT_EQ(outcome.result, Result::permerror) << size;
    EXPECT_THAT(outcome.reason, StartsWith("syntax: ")) << size;
    EXPECT_THAT(resolver.names, IsEmpty()) << size;
  }
}

TEST(Attack, ListsOfSignedFields) {  // D6
  for (const auto& list : {std::string(20000, ':'), "from" + std::string(20000, ':'), "from" + std::string(1500, ':'),
                           std::string("subject"), std::string(), std::string("subject:xfrom"), std::string(": :")}) {
    expect_refused_unasked("h=from:subject", "h=" + list);
    const auto outcome = check_one(key(), replaced(signed_plain(), "h=from:subject", "h=" + list));
    EXPECT_LE(outcome.signed_fields.size(), 3u) << list.size();
  }
}

TEST(Attack, ManySignaturesCostBoundedQuestions) {  // D7
  Recorder resolver;
  const auto outcomes = check(resolver, decoys(200, "decoy.test") + signed_plain());
  ASSERT_EQ(outcomes.size(), 201u);
  std::ranges::sort(resolver.names);
  const auto repeated = std::ranges::unique(resolver.names);
  resolver.names.erase(repeated.begin(), repeated.end());
  EXPECT_LE(resolver.names.size(), 20u) << "ten while the author is unknown, and ten that are tried";
  EXPECT_EQ(std::ranges::count(outcomes, Result::neutral, &Outcome::result), 191);
  EXPECT_THAT(outcomes[100].reason, HasSubstr("not tried"));
}

TEST(Attack, DecoysDisplaceNothing) {  // D8
  for (const auto* domain : {"decoy.test", "sub.example.com"}) {
    auto resolver = resolver_with(key());
    auto outcomes = check(resolver, decoys(200, domain) + signed_plain());
    ASSERT_EQ(outcomes.size(), 201u);
    EXPECT_EQ(outcomes.back().result, Result::pass) << outcomes.back().reason;
    EXPECT_LE(resolver.asked().size(), 10u);
    outcomes = check(resolver, replaced(signed_plain(), kFrom, decoys(200, domain) + kFrom));
    EXPECT_EQ(outcomes.front().result, Result::pass) << outcomes.front().reason;
  }
}

TEST(Attack, BrokenOnesDoNotUseUpTheCap) {  // D8
  auto resolver = resolver_with(key());
  std::string broken;
  for (int i = 0; i < 50; ++i) broken += "DKIM-Signature: v=1; d=example.com; nonsense\r\n";
  const auto outcomes = check(resolver, broken + signed_plain(), at(kNow), {"other.example"});
  EXPECT_EQ(outcomes.back().result, Result::pass);
}

// Nor do those whose body hash is wrong: they cost no verification, and no wait for a key.
TEST(Attack, WrongBodyHashesDoNotUseUpTheCap) {  // D8
  const auto right = base64(digest("Hi\r\n"));
  const auto wrong = replaced(decoys(1, "example.com"), right, base64(digest("Ho\r\n")));
  std::string many;
  for (int i = 0; i < 50; ++i) many += replaced(wrong, "s=n0;", "s=n" + std::to_string(i) + ";");
  auto resolver = resolver_with(key());
  const auto outcomes = check(resolver, many + signed_plain());
  ASSERT_EQ(outcomes.size(), 51u);
  EXPECT_EQ(outcomes.back().result, Result::pass) << outcomes.back().reason;
  EXPECT_EQ(std::ranges::count(outcomes, "body hash differs", &Outcome::reason), 50);
  EXPECT_THAT(resolver.asked(), ElementsAre("TXT " + kKeyName));
}

// DER of an RSAPublicKey of so many octets; nobody has its other half.
std::string rsa_der(std::size_t octets) {
  const auto tlv = [](char tag, const std::string& content) {
    const auto size = content.size();
    return std::string(1, tag) + '\x82' + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) + content;
  };
  return tlv('\x30', tlv('\x02', std::string(1, '\0') + std::string(octets, '\xff')) + tlv('\x02', "\x01\x01\x01"));
}

TEST(Attack, HugeKeys) {  // D9
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"64 kB of p=", "p=" + std::string(65536, 'A')},
      {"8 kB of p=", "p=" + std::string(8192, 'A')},
      {"8 kB of notes and no key", "n=" + std::string(9000, 'x') + "; p="},
      {"16384 bits", "p=" + base64(rsa_der(2048))},
      {"20000 bits", "p=" + base64(rsa_der(2500))},
  };
  for (const auto& [rule, record] : cases) {
    const auto outcome = check_one(record, signed_plain());
    EXPECT_EQ(outcome.result, Result::permerror) << rule;
    EXPECT_THAT(outcome.reason, StartsWith("key: ")) << rule;
    EXPECT_LT(outcome.reason.size(), 200u) << rule;
  }
  EXPECT_EQ(check_one("p=" + base64(rsa_der(2048)), signed_plain()).reason, "key: RSA with as many as 16384 bits");
  EXPECT_EQ(check_one("n=" + std::string(9000, 'x') + "; " + bare_key(), signed_plain()).result, Result::pass);
}

// RFC 6376 Section 6.1.1, i=
TEST(Attack, IdentityOutsideTheDomain) {  // D13
  for (const auto* identity : {"i=a@example.org;", "i=a@notexample.com;", "i=a@com;", "i=a@example.com=40example.org;",
                               "i=example.com;", "i=a@example.com.attacker.test;"}) {
    Recorder resolver(kKeyName + " TXT " + key());
    const auto outcome = only(check(resolver, sign_simple(Signer::rsa(1024), with_tags(identity))));
    EXPECT_EQ(outcome.result, Result::permerror) << identity;
    EXPECT_THAT(outcome.reason, HasSubstr("i=")) << identity;
    EXPECT_THAT(resolver.names, IsEmpty()) << identity;
  }
}

TEST(Attack, TagsUnknownDoubledAndSpaced) {  // D16
  const auto result = [](const std::string& tags) {
    auto crafted = plain();
    crafted.tags = tags;
    return check_one(key(), sign_simple(Signer::rsa(1024), crafted)).result;
  };
  EXPECT_EQ(result(kTags + " r=y; x-new=; _=1;"), Result::permerror) << "a name begins with a letter";
  EXPECT_EQ(result(kTags + " r=y; x-new=; X_2=a=b;"), Result::pass);
  for (const auto* again : {"s=s;", "d=example.com;", "r=1; r=1;", "v=1;", "h=from;"})
    EXPECT_EQ(result(kTags + " " + again), Result::permerror) << again;
  EXPECT_EQ(result("v = 1 ;\r\n\ta\t=\trsa-sha256 ;d =example.com; s= s;h=\r\n from :\r\n\tsubject ;"), Result::pass);
  EXPECT_EQ(result(kTags + ";"), Result::permerror) << "nothing between two semicolons";
  EXPECT_EQ(result("V=1; " + kTags), Result::pass) << "tag names have case: this one is unknown";
}

TEST(Attack, NoAnswerForTheKeyIsTemporary) {  // D17
  for (const auto* fault : {"!TIMEOUT", "!SERVFAIL", "!REFUSED", "!FORMERR", "!NOTIMP", "!SLOW 60000"}) {
    const auto outcome = check_one(fault, signed_plain());
    EXPECT_EQ(outcome.result, Result::temperror) << fault;
    EXPECT_THAT(outcome.reason, StartsWith("key: ")) << fault;
    EXPECT_THAT(outcome.reason, HasSubstr(kKeyName)) << fault;
  }
}

// The relay's signature is the relay's: nothing is said of the author's domain.
TEST(Attack, TheRelayAlone) {  // D18
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "d=example.com", "d=amazonses.com");
  FakeResolver resolver("s._domainkey.amazonses.com TXT " + key());
  const auto outcome = only(check(resolver, sign_simple(Signer::rsa(1024), crafted)));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.domain, "amazonses.com");
  EXPECT_EQ(outcome.identity, "@amazonses.com");
  EXPECT_FALSE(dns::is_at_or_below(outcome.domain, "example.com"));
}

}  // namespace
}  // namespace sesame::test
