// Every way to fail says which part failed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "check.h"

namespace sesame::test {
namespace {

using dkim::Result;
using testing::StartsWith;

struct Path {
  const char* rule;
  std::string record;
  std::string message;
  Result result;
  const char* reason;
};

std::string with(const std::string& old, const std::string& text) {
  return replaced(signed_plain(), old, text);
}
std::string signed_with(const std::string& tags) {
  return sign_simple(Signer::rsa(1024), with_tags(tags));
}
std::string by(const Signer& signer, const char* algorithm) {
  auto crafted = plain();
  crafted.tags = replaced(crafted.tags, "rsa-sha256", algorithm);
  return sign_simple(signer, crafted);
}
std::string second(std::int64_t offset) {
  return std::to_string(kNow + offset) + ";";
}

void expect(const std::vector<Path>& paths, const dkim::Options& options = at(kNow)) {
  for (const auto& path : paths) {
    const auto outcome = check_one(path.record, path.message, options);
    EXPECT_STREQ(to_string(outcome.result), to_string(path.result)) << path.rule << ": " << outcome.reason;
    EXPECT_THAT(outcome.reason, StartsWith(path.reason)) << path.rule;
  }
}

TEST(Reason, OfSyntax) {
  const auto good = key();
  expect({
      {"no tag list", good, with("v=1;", "v;"), Result::permerror, "syntax: no \"=\" in"},
      {"nothing between", good, with("v=1;", "v=1;;"), Result::permerror, "syntax: there is nothing between"},
      {"no tag name", good, with("v=1;", "1=v;"), Result::permerror, "syntax: \"1\" is not a tag name"},
      {"twice", good, with("v=1;", "v=1; v=1;"), Result::permerror, "syntax: the tag v= appears twice"},
      {"control character", good, with("v=1;", "v=1; r=\x01;"), Result::permerror, "syntax: the value of r="},
      {"empty", good, "DKIM-Signature:\r\n" + kFrom + "\r\n", Result::permerror, "syntax: the tag list is empty"},
      {"too long", good, with("v=1;", "v=1; z=" + std::string(17000, 'x') + ";"), Result::permerror,
       "syntax: the field has more"},
      {"too many tags", good,
       with("v=1;",
            [] {
              std::string tags = "v=1;";
              for (int i = 0; i < 300; ++i) tags += "r" + std::to_string(i) + "=;";
              return tags;
            }()),
       Result::permerror, "syntax: there are more than"},
      {"no v=", good, with("v=1; ", ""), Result::permerror, "syntax: there is no v="},
      {"v=", good, with("v=1", "v=2"), Result::permerror, "syntax: v= is not 1"},
      {"no a=", good, with("a=rsa-sha256; ", ""), Result::permerror, "syntax: there is no a="},
      {"empty a=", good, with("a=rsa-sha256", "a="), Result::permerror, "syntax: a= is empty"},
      {"no d=", good, with("d=example.com; ", ""), Result::permerror, "syntax: there is no d="},
      {"d=", good, with("d=example.com", "d=a b"), Result::permerror, "syntax: d= is not"},
      {"short d=", good, with("d=example.com", "d=com"), Result::permerror, "syntax: d= has a single label"},
      {"no s=", good, with("s=s; ", ""), Result::permerror, "syntax: there is no s="},
      {"s=", good, with("s=s;", "s=;"), Result::permerror, "syntax: s= is not"},
      {"long name", good,
       with("s=s;", "s=" + std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
                        std::string(60, 'd') + ";"),
       Result::permerror, "syntax: s= and d= make too long a name"},
      {"no h=", good, with("h=from:subject; ", ""), Result::permerror, "syntax: there is no h="},
      {"h=", good, with("h=from:subject", "h=from:a b"), Result::permerror, "syntax: h= has"},
      {"long h=", good, with("h=from:subject", "h=from" + std::string(2000, ':')), Result::permerror,
       "syntax: h= has more"},
      {"h= without From", good, with("h=from:subject", "h=subject"), Result::permerror,
       "syntax: h= does not list From"},
      {"no bh=", good, with(" bh=", " r="), Result::permerror, "syntax: there is no bh="},
      {"bh=", good, with(" bh=", " bh=!"), Result::permerror, "syntax: bh= is not"},
      {"no b=", good, with("; b=", "; r="), Result::permerror, "syntax: there is no b="},
      {"b=", good, with("; b=", "; b=!"), Result::permerror, "syntax: b= is not"},
      {"long b=", good, with("; b=", "; b=" + std::string(8000, 'A')), Result::permerror, "syntax: b= is too long"},
      {"c=", good, signed_with("c=;"), Result::permerror, "syntax: c= is empty"},
      {"i=", good, signed_with("i=a;"), Result::permerror, "syntax: i= is not an address"},
      {"domain of i=", good, signed_with("i=a@b(c;"), Result::permerror, "syntax: the domain of i="},
      {"i= elsewhere", good, signed_with("i=@example.org;"), Result::permerror, "syntax: i= is not in"},
      {"l=", good, signed_with("l=x;"), Result::permerror, "syntax: l= is not"},
      {"long l=", good, signed_with("l=99;"), Result::permerror, "syntax: l= is more than the 4 octets of the body"},
      {"t=", good, signed_with("t=x;"), Result::permerror, "syntax: t= is not"},
      {"x=", good, signed_with("x=x;"), Result::permerror, "syntax: x= is not"},
      {"x= before t=", good, signed_with("t=5; x=4;"), Result::permerror, "syntax: x= is not after t="},
  });
}

TEST(Reason, OfWhatIsUnsupported) {
  const auto good = key();
  auto sha1 = plain();
  sha1.hash = "SHA1";
  sha1.tags = replaced(sha1.tags, "rsa-sha256", "rsa-sha1");
  expect({
      {"algorithm", good, with("a=rsa-sha256", "a=x"), Result::neutral, "unsupported: the algorithm \"x\""},
      {"rsa-sha1", good, sign_simple(Signer::rsa(1024), sha1), Result::permerror, "unsupported: rsa-sha1"},
      {"canonicalization", good, signed_with("c=x;"), Result::neutral, "unsupported: the canonicalization \"x\""},
      {"query method", good, signed_with("q=x;"), Result::neutral, "unsupported: the query method \"x\""},
  });
}

TEST(Reason, OfTheHashes) {
  const auto good = key();
  expect({
      {"body", good, with("Hi\r\n", "Ho\r\n"), Result::fail, "body hash differs"},
      {"body and key", "!NXDOMAIN", with("Hi\r\n", "Ho\r\n"), Result::fail, "body hash differs"},
      {"bh=", good, replaced(signed_plain(), base64(digest("Hi\r\n")), base64(digest("Ho\r\n"))), Result::fail,
       "body hash differs"},
      {"l=", good, signed_with("l=4;") + "more\r\n", Result::policy, "body hash: only the first 4 octets"},
      {"header", good, with("hello", "jello"), Result::fail, "header hash differs"},
      {"tag", good, with("v=1;", "v=1; r=y;"), Result::fail, "header hash differs"},
      {"b=", good, with("; b=", "; b=AAAA"), Result::fail, "header hash differs"},
      {"Ed25519", Signer::ed25519().record(), replaced(by(Signer::ed25519(), "ed25519-sha256"), "hello", "jello"),
       Result::fail, "header hash differs"},
      {"another key", Signer::rsa(1032).record(), signed_plain(), Result::fail, "header hash differs"},
  });
}

TEST(Reason, OfTheKey) {
  const auto p = bare_key();
  const auto message = signed_plain();
  expect({
      {"NXDOMAIN", "!NXDOMAIN", message, Result::permerror, "key: no key, NXDOMAIN for s._domainkey.example.com"},
      {"NODATA", "!NODATA", message, Result::permerror, "key: no key, NODATA for s._domainkey.example.com"},
      {"SERVFAIL", "!SERVFAIL", message, Result::temperror, "key: SERVFAIL for s._domainkey.example.com"},
      {"timeout", "!TIMEOUT", message, Result::temperror, "key: "},
      {"empty", "\"\"", message, Result::permerror, "key: the TXT record is empty"},
      {"no tag list", "hello", message, Result::permerror, "key: no \"=\" in"},
      {"another version", "v=DKIM2; " + p, message, Result::permerror, "key: v= is not DKIM1"},
      {"unknown kind", "k=x; " + p, message, Result::permerror, "key: unknown key type k=x"},
      {"another kind", Signer::ed25519().record(), message, Result::permerror, "key: k=ed25519 does not fit"},
      {"another kind yet", key(), by(Signer::ed25519(), "ed25519-sha256"), Result::permerror,
       "key: k=rsa does not fit"},
      {"no p=", "k=rsa", message, Result::permerror, "key: there is no p="},
      {"revoked", "p=", message, Result::permerror, "key: revoked"},
      {"p= no base64", "p=!", message, Result::permerror, "key: p= is not base64"},
      {"p= no key", "p=AAAA", message, Result::permerror, "key: p=: not a DER"},
      {"h=", "h=sha1; " + p, message, Result::permerror, "key: h= does not allow sha256"},
      {"s=", "s=x; " + p, message, Result::permerror, "key: s= does not allow email"},
      {"t=s", "t=s; " + p, signed_with("i=@sub.example.com;"), Result::permerror, "key: t=s"},
      {"too short", Signer::rsa(768).record(), message, Result::permerror, "key: RSA with only 768 bits"},
      {"too long", "n=" + std::string(20000, 'x') + "; " + p, message, Result::permerror,
       "key: the record is too long"},
  });
  auto small = at(kNow);
  small.limits.max_rsa_bits = 1000;
  expect({{"too many bits", key(), message, Result::permerror, "key: RSA with as many as 1024 bits"}}, small);
}

TEST(Reason, OfTime) {
  expect({
      {"x=", key(), signed_with("x=" + second(-400)), Result::fail, "time: expired at 1699999600"},
      {"t=", key(), signed_with("t=" + second(400)), Result::fail, "time: signed in the future, at 1700000400"},
  });
}

TEST(Reason, OfTheLimit) {
  auto none = at(kNow);
  none.max_signatures = 0;
  expect({{"none is tried", key(), signed_plain(), Result::neutral, "limit: not tried, more than 0 signatures"}}, none);
}

}  // namespace
}  // namespace sesame::test
