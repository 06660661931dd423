// RFC 6376 Section 6, with keys, body and attacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "check.h"
#include "dkim/judge.h"
#include "mail/message.h"
#include "support/stale_resolver.h"

namespace sesame::test {
namespace {

using dkim::Outcome;
using dkim::Result;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Verify, PassSaysWhatPassed) {
  const auto outcome = check_one(key(), sign_simple(Signer::rsa(1024), with_tags("i=x@sub.example.com;")));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.domain, "example.com");
  EXPECT_EQ(outcome.selector, "s");
  EXPECT_EQ(outcome.identity, "x@sub.example.com");
  EXPECT_EQ(outcome.algorithm, "rsa-sha256");
  EXPECT_EQ(outcome.b_prefix.size(), 8u);
  EXPECT_THAT(outcome.signed_fields, testing::ElementsAre("from", "subject"));
  EXPECT_EQ(outcome.reason, "");
  EXPECT_FALSE(outcome.testing);
}

TEST(Verify, NoSignatureNoOutcome) {
  auto resolver = resolver_with(key());
  EXPECT_THAT(check(resolver, kFrom + "\r\nHi\r\n"), IsEmpty());
  EXPECT_THAT(resolver.asked(), IsEmpty());
}

struct KeyCase {
  const char* rule;
  std::string record;
  Result result;
  const char* reason;
};

TEST(Verify, KeyDecides) {  // D10
  const auto p = bare_key();
  const std::vector<KeyCase> cases = {
      {"bare p=", p, Result::pass, ""},
      {"NXDOMAIN", "", Result::permerror, "key: no key, "},
      {"NODATA", "!NODATA", Result::permerror, "key: no key, "},
      {"D17: SERVFAIL", "!SERVFAIL", Result::temperror, "key: "},
      {"D17: REFUSED", "!REFUSED", Result::temperror, "key: "},
      {"D17: timeout", "!TIMEOUT", Result::temperror, "key: "},
      {"D10: revoked", "p=", Result::permerror, "key: revoked"},
      {"empty string", "\"\"", Result::permerror, "key: the TXT record is empty"},
      {"D10: unknown k=", "k=x; " + p, Result::permerror, "key: unknown key type k=x"},
      {"k= of the other kind", Signer::ed25519().record(), Result::permerror, "key: k=ed25519 does not fit"},
      {"h= without sha256", "h=sha1; " + p, Result::permerror, "key: h= does not allow sha256"},
      {"D10: s=tlsrpt", "s=tlsrpt; " + p, Result::permerror, "key: s= does not allow email"},
      {"D13: t=s and i= at d=", "t=s; " + p, Result::pass, ""},
      {"another key of the kind", Signer::rsa(1032).record(), Result::fail, "header hash differs"},
  };
  for (const auto& test : cases) {
    const auto outcome = check_one(test.record, signed_plain());
    EXPECT_STREQ(to_string(outcome.result), to_string(test.result)) << test.rule << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, StartsWith(test.reason)) << test.rule;
    EXPECT_EQ(outcome.domain, "example.com") << test.rule;
  }
}

// RFC 8767 Section 4: that there was no key is no proof that there is none. A key that is stale verifies.
TEST(Verify, AStaleAbsenceOfTheKeyIsTemperrorNeverPermerror) {
  for (const auto& test :
       {KeyCase{"key", key(), Result::pass, ""},
        KeyCase{"NXDOMAIN", "", Result::temperror, "key: only a stale NXDOMAIN for s._domainkey.example.com"},
        KeyCase{"NODATA", "!NODATA", Result::temperror, "key: only a stale NODATA for s._domainkey.example.com"}}) {
    auto fresh = resolver_with(test.record);
    StaleResolver resolver(fresh, {"TXT " + kKeyName});
    const auto outcome = only(check(resolver, signed_plain()));
    EXPECT_STREQ(to_string(outcome.result), to_string(test.result)) << test.rule;
    EXPECT_EQ(outcome.reason, test.reason) << test.rule;
  }
}

// RFC 6376 Section 3.6.1, t=s
TEST(Verify, StrictIdentityKeyRefusesASubdomain) {  // D13
  const auto message = sign_simple(Signer::rsa(1024), with_tags("i=@sub.example.com;"));
  EXPECT_EQ(check_one("t=s; " + bare_key(), message).result, Result::permerror);
  EXPECT_EQ(check_one(key(), message).result, Result::pass);
}

// RFC 6376 Section 6.1.2 step 4: each is tried, five that can be keys of this signature at most.
TEST(Verify, SeveralKeysAtOneName) {  // D10
  const auto line = kKeyName + " TXT ";
  const auto other = Signer::rsa(1032).record();
  const auto verify = [&](const std::vector<std::string>& records) {
    std::string zone;
    for (const auto& record : records) zone += line + record + "\n";
    FakeResolver resolver(zone);
    return only(check(resolver, signed_plain()));
  };
  EXPECT_EQ(verify({"some text", key()}).result, Result::pass);
  EXPECT_EQ(verify({"p=", key()}).result, Result::pass);
  EXPECT_EQ(verify({other, key()}).result, Result::pass);
  EXPECT_EQ(verify({"a", "b", "c", "d", key()}).result, Result::pass);
  EXPECT_EQ(verify({"a", "b", "c", "d", "e", key()}).result, Result::pass);
  EXPECT_EQ(verify({other, other, other, other, key()}).result, Result::pass);
  EXPECT_EQ(verify({other, other, other, other, other, key()}).result, Result::fail);
  EXPECT_EQ(verify({"some text", other}).result, Result::fail);
  EXPECT_THAT(verify({"some text", "p="}).reason, StartsWith("key: "));
}

TEST(Verify, KeyBehindACname) {
  FakeResolver resolver(kKeyName + " CNAME s.dkim.example.org\ns.dkim.example.org TXT " + key());
  EXPECT_EQ(only(check(resolver, signed_plain())).result, Result::pass);
}

// RFC 6376 Section 3.6.2.2
TEST(Verify, StringsOfARecordAreJoined) {
  const auto record = key();
  const auto in_pieces =
      "\"" + record.substr(0, 3) + "\" \"\" \"" + record.substr(3, 97) + "\" \"" + record.substr(100) + "\"";
  EXPECT_EQ(check_one(in_pieces, signed_plain()).result, Result::pass);
}

// RFC 8616 Section 5
TEST(Verify, ULabelsAreHashedAsWritten) {
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "d=example.com; s=s;",
                          "d=b\xc3\xbc"
                          "cher.example; s=m\xc3\xbcller; i=\xc3\xa9@b\xc3\xbc"
                          "cher.example;");
  FakeResolver resolver("xn--mller-kva._domainkey.xn--bcher-kva.example TXT " + key());
  const auto outcome = only(check(resolver, sign_simple(Signer::rsa(1024), crafted)));
  EXPECT_EQ(outcome.result, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.domain, "xn--bcher-kva.example");
  EXPECT_EQ(outcome.selector, "xn--mller-kva");
}

// RFC 6376 Section 3.6.1, t=y
TEST(Verify, TestingIsSaidNotHidden) {
  const auto outcome = check_one("t=y; " + bare_key(), signed_plain());
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_TRUE(outcome.testing);
  EXPECT_THAT(outcome.reason, HasSubstr("t=y"));
  auto refusing = at(kNow);
  refusing.testing = dkim::Options::Testing::refuse;
  EXPECT_EQ(check_one("t=y; " + bare_key(), signed_plain(), refusing).result, Result::policy);
  EXPECT_EQ(check_one(bare_key(), signed_plain(), refusing).result, Result::pass);
  EXPECT_EQ(check_one("t=y; " + bare_key(), replaced(signed_plain(), "hello", "jello"), refusing).result, Result::fail);
}

// RFC 8301 Section 3.2
TEST(Verify, RsaSizes) {  // D11
  const auto verify = [](unsigned bits, const dkim::Options& options) {
    return check_one(Signer::rsa(bits).record(), sign_simple(Signer::rsa(bits), plain()), options);
  };
  EXPECT_EQ(verify(1024, at(kNow)).result, Result::pass);
  EXPECT_EQ(verify(2048, at(kNow)).result, Result::pass);
  EXPECT_EQ(verify(4096, at(kNow)).result, Result::pass);
  const auto weak = verify(768, at(kNow));
  EXPECT_EQ(weak.result, Result::permerror);
  EXPECT_EQ(weak.reason, "key: RSA with only 768 bits");
  auto lax = at(kNow);
  lax.keys = dkim::Options::Keys::lax;
  EXPECT_EQ(verify(768, lax).result, Result::pass);
  auto small = at(kNow);
  small.limits.max_rsa_bits = 2048;
  EXPECT_EQ(verify(4096, small).result, Result::permerror);
}

// RFC 8301 Section 3.1
TEST(Verify, RsaSha1OnlyForArchives) {  // D11
  auto crafted = plain();
  crafted.hash = "SHA1";
  crafted.tags = replaced(crafted.tags, "rsa-sha256", "rsa-sha1");
  const auto message = sign_simple(Signer::rsa(1024), crafted);
  auto resolver = resolver_with(key());
  const auto outcome = only(check(resolver, message));
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_THAT(outcome.reason, HasSubstr("rsa-sha1"));
  EXPECT_THAT(resolver.asked(), IsEmpty());
  auto lax = at(kNow);
  lax.keys = dkim::Options::Keys::lax;
  EXPECT_EQ(check_one(key(), message, lax).result, Result::pass);
}

TEST(Verify, Ed25519) {
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "rsa-sha256", "ed25519-sha256");
  const auto message = sign_simple(Signer::ed25519(), crafted);
  EXPECT_EQ(check_one(Signer::ed25519().record(), message).result, Result::pass);
  EXPECT_EQ(check_one(Signer::ed25519().record(), replaced(message, "hello", "jello")).result, Result::fail);
  EXPECT_EQ(check_one(key(), message).result, Result::permerror);
}

TEST(Verify, SaysWhichHalfDiffers) {
  const auto body = check_one(key(), replaced(signed_plain(), "Hi\r\n", "Ho\r\n"));
  EXPECT_EQ(body.result, Result::fail);
  EXPECT_EQ(body.reason, "body hash differs");
  const auto header = check_one(key(), replaced(signed_plain(), "hello", "jello"));
  EXPECT_EQ(header.result, Result::fail);
  EXPECT_EQ(header.reason, "header hash differs (signature does not verify)");
}

// A difference in the body is certain whatever DNS says: it is a fail, and nobody waits for the key.
TEST(Verify, ChangedBodyNeedsNoKey) {
  auto resolver = resolver_with("!TIMEOUT");
  EXPECT_EQ(only(check(resolver, replaced(signed_plain(), "Hi\r\n", "Ho\r\n"))).result, Result::fail);
  EXPECT_THAT(resolver.asked(), IsEmpty());
}

TEST(Verify, EveryTagIsSigned) {
  const auto message = signed_plain();
  const auto end = message.find(" b=");
  for (std::size_t i = message.find("v=1"); i < end; ++i) {
    auto changed = message;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_NE(check_one(key(), changed).result, Result::pass) << i;
  }
}

// RFC 6376 Section 3.5, t= and x=
TEST(Verify, Clock) {  // D12
  struct Case {
    const char* rule;
    std::string tags;
    Result result;
    const char* reason;
  };
  const auto second = [](std::int64_t offset) { return std::to_string(kNow + offset) + ";"; };
  const std::vector<Case> cases = {
      {"not yet expired", "x=" + second(10), Result::pass, ""},
      {"expired within the skew", "x=" + second(-300), Result::pass, ""},
      {"D12: expired", "x=" + second(-301), Result::fail, "time: expired at "},
      {"signed now", "t=" + second(0), Result::pass, ""},
      {"in the future within the skew", "t=" + second(300), Result::pass, ""},
      {"D12: expired before it was signed", "t=" + second(-10) + " x=" + second(-20), Result::permerror,
       "syntax: x= is"},
      {"D12: in the future", "t=" + second(301), Result::fail, "time: signed in the future"},
  };
  for (const auto& test : cases) {
    const auto outcome = check_one(key(), sign_simple(Signer::rsa(1024), with_tags(test.tags)));
    EXPECT_STREQ(to_string(outcome.result), to_string(test.result)) << test.rule;
    EXPECT_THAT(outcome.reason, StartsWith(test.reason)) << test.rule;
  }
}

TEST(Verify, ClockAtEitherEndOfTime) {
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  dkim::Signature timed;
  timed.signed_at = 1'000;
  EXPECT_FALSE(judge_time(timed, {kLast, 300}));
  EXPECT_TRUE(judge_time(timed, {kFirst, 300}));
  timed = {};
  timed.expires_at = 999'999'999'999;
  EXPECT_TRUE(judge_time(timed, {kLast, 300}));
  EXPECT_FALSE(judge_time(timed, {kFirst, 300}));
}

// RFC 6376 Sections 3.5 (l=) and 8.2
TEST(Verify, LengthOfTheBody) {  // D4
  struct Case {
    const char* rule;
    std::string tags;
    std::string after;
    Result result;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"all of the body", "l=4;", "", Result::pass, ""},
      {"blank lines after it are no body", "l=4;", "\r\n\r\n", Result::pass, ""},
      {"D4: text appended", "l=4;", "Click here\r\n", Result::policy, "body hash: only the first 4 octets"},
      {"more than there is", "l=5;", "", Result::permerror, "syntax: l= is more"},
      {"more than there can be", "l=99999999999999999999999999;", "", Result::permerror, "syntax: l= is more"},
  };
  for (const auto& test : cases) {
    auto crafted = with_tags(test.tags);
    crafted.body_after = test.after;
    const auto outcome = check_one(key(), sign_simple(Signer::rsa(1024), crafted));
    EXPECT_STREQ(to_string(outcome.result), to_string(test.result)) << test.rule;
    EXPECT_THAT(outcome.reason, StartsWith(test.reason)) << test.rule;
  }
  auto nothing = with_tags("l=0;");
  nothing.body = "";
  nothing.body_after = "Anything\r\n";
  EXPECT_EQ(check_one(key(), sign_simple(Signer::rsa(1024), nothing)).result, Result::policy);
}

// RFC 6376 Section 5.4.2
TEST(Verify, FieldsAreTakenFromTheBottom) {  // D14
  const std::string lower = "Subject: lower\r\n";
  auto crafted = plain();
  crafted.signed_lines = {kFrom, lower};
  crafted.header = kSubject + kFrom + lower;
  EXPECT_EQ(check_one(key(), sign_simple(Signer::rsa(1024), crafted)).result, Result::pass);
  crafted.header = lower + kFrom + kSubject;
  EXPECT_EQ(check_one(key(), sign_simple(Signer::rsa(1024), crafted)).result, Result::fail);
  crafted.tags = replaced(crafted.tags, "h=from:subject", "h=from:subject:SUBJECT");
  crafted.signed_lines = {kFrom, kSubject, lower};
  EXPECT_EQ(check_one(key(), sign_simple(Signer::rsa(1024), crafted)).result, Result::pass);
}

TEST(Verify, OversigningSeesAnAddedField) {  // D14
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "h=from:subject", "h=from:from:subject:subject:date");
  const auto message = sign_simple(Signer::rsa(1024), crafted);
  EXPECT_EQ(check_one(key(), message).result, Result::pass);
  for (const auto* added : {"From: b@example.com\r\n", "FROM: b@example.com\r\n", "From : b@example.com\r\n",
                            "subject: x\r\n", "Date: x\r\n"})
    EXPECT_EQ(check_one(key(), added + message).result, Result::fail) << added;
  EXPECT_EQ(check_one(key(), "X-New: x\r\n" + message).result, Result::pass);
}

// RFC 6376 Section 5.4: another signature may be signed, one's own never is.
TEST(Verify, ASignatureMaySignAnother) {
  const std::string older = "DKIM-Signature: v=1; a=other\r\n";
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "h=from:subject", "h=from:subject:dkim-signature:dkim-signature");
  crafted.signed_lines = {kFrom, kSubject, older};
  auto resolver = resolver_with(key());
  const auto outcomes = check(resolver, sign_simple(Signer::rsa(1024), crafted));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].result, Result::pass) << outcomes[0].reason;
  EXPECT_EQ(outcomes[1].domain, "");
}

TEST(Verify, OutcomesAreInMessageOrder) {
  auto resolver = resolver_with(key());
  const auto outcomes = check(resolver, decoys(1, "decoy.test") + signed_plain(), at(kNow));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].domain, "decoy.test");
  EXPECT_EQ(outcomes[0].result, Result::permerror);
  EXPECT_EQ(outcomes[1].domain, "example.com");
}

// However often its turn comes: as it is seen, among those tried, and once the body holds.
TEST(Verify, AKeyIsAskedForInAdvanceOnce) {
  Recorder resolver(kKeyName + " TXT " + key());
  EXPECT_EQ(only(check(resolver, signed_plain())).result, Result::pass);
  EXPECT_THAT(resolver.names, testing::ElementsAre(kKeyName, kKeyName)) << "in advance, and at last";
}

TEST(Verify, KeysAreAskedForAtTheField) {
  Recorder resolver;
  const auto message = mail::read_message(decoys(30, "decoy.test") + signed_plain());
  dkim::Verifier verifier(resolver, at(kNow));
  verifier.field(message.fields.front());
  EXPECT_THAT(resolver.names, testing::ElementsAre("n0._domainkey.decoy.test"));
  for (std::size_t i = 1; i < message.fields.size(); ++i) verifier.field(message.fields[i]);
  EXPECT_EQ(resolver.names.size(), 10u);
  const std::vector<std::string> authors = {"example.com"};
  verifier.end_of_header(message.fields, authors);
  EXPECT_THAT(resolver.names, testing::Contains(kKeyName));
  EXPECT_LE(resolver.names.size(), 20u);
}

// `wants_body` after the header and after each chunk.
std::vector<bool> wants(const std::string& text, const std::vector<std::string>& chunks) {
  Recorder resolver;
  const auto message = mail::read_message(text);
  dkim::Verifier verifier(resolver, at(kNow));
  for (const auto& field : message.fields) verifier.field(field);
  verifier.end_of_header(message.fields, {});
  std::vector<bool> result = {verifier.wants_body()};
  for (const auto& chunk : chunks) {
    verifier.body(chunk);
    result.push_back(verifier.wants_body());
  }
  return result;
}

TEST(WantsBody, UntilNoSignatureNeedsMore) {
  using testing::ElementsAre;
  EXPECT_THAT(wants(kFrom + "\r\n", {}), ElementsAre(false)) << "no signature";
  EXPECT_THAT(wants("DKIM-Signature: nonsense\r\n" + kFrom + "\r\n", {}), ElementsAre(false)) << "none can pass";
  EXPECT_THAT(wants(sign_simple(Signer::rsa(1024), with_tags("x=1600000000;")), {}), ElementsAre(false)) << "expired";
  EXPECT_THAT(wants(replaced(signed_plain(), "rsa-sha256", "rsa-sha1"), {}), ElementsAre(false)) << "not accepted";
  EXPECT_THAT(wants(signed_plain(), {"x\r\n"}), ElementsAre(true, true));
  EXPECT_THAT(wants(sign_simple(Signer::rsa(1024), with_tags("l=4;")), {"Hi\r\n", "more"}),
              ElementsAre(true, true, false));
}

TEST(Verify, ReasonsAreSafeToPrint) {
  for (const auto& change : {std::string("a=rsa-\xff\x1b[0m"), std::string("a=x\xc3\xa9")}) {
    const auto outcome = check_one(key(), replaced(signed_plain(), "a=rsa-sha256", change));
    EXPECT_NE(outcome.result, Result::pass);
    EXPECT_THAT(outcome.reason, testing::Not(testing::ContainsRegex("[^ -~]")));
  }
}

}  // namespace
}  // namespace sesame::test
