// RFC 6376 Section 3.6.1, RFC 8463 Section 4.
#include "dkim/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/signer.h"

namespace sesame::dkim {
namespace {

using enum Key::State;
using test::Signer;

std::string p_of(const Signer& signer) {
  return signer.record().substr(signer.record().find("p="));
}
std::string as_text(const std::vector<std::uint8_t>& octets) {
  return {octets.begin(), octets.end()};
}

TEST(KeyRecord, States) {
  const auto p = p_of(Signer::rsa(1024));
  const auto ed = p_of(Signer::ed25519());
  struct Case {
    const char* rule;
    std::string record;
    Key::State state;
  };
  const std::vector<Case> cases = {
      {"v= first", "v=DKIM1; " + p, ok},
      {"bare p=, as SES publishes", p, ok},
      {"bare p= and a semicolon", p + ";", ok},
      {"white space within p=", "v=DKIM1; p=" + p.substr(2, 20) + " \t" + p.substr(22), ok},
      {"a bare RSAPublicKey", "p=" + test::base64(as_text(Signer::rsa(1024).bare_public_key())), ok},
      {"unknown tags, n= and g= are ignored", "v=DKIM1; g=; n=note; x-y=z; " + p, ok},
      {"k=rsa in another case", "k=RSA; " + p, ok},
      {"ed25519", "v=DKIM1; k=ed25519; " + ed, ok},
      {"empty TXT string, as idle SES selectors", "", empty},
      {"white space only", " ", empty},
      {"D10: empty p= revokes", "v=DKIM1; p=", revoked},
      {"D10: bare empty p=", "p=", revoked},
      {"p= missing", "v=DKIM1; k=rsa", bad},
      {"v= of another version", "v=DKIM2; " + p, bad},
      {"v= is case-sensitive", "v=dkim1; " + p, bad},
      {"v= not first", "k=rsa; v=DKIM1; " + p, bad},
      {"D10: unknown k=", "k=dsa; " + p, bad},
      {"p= not base64", "p=!!!!", bad},
      {"p= base64 of anything", "p=AAAA", bad},
      {"octets after the key", "p=" + test::base64(as_text(Signer::rsa(1024).public_key()) + "x"), bad},
      {"an RSA key said to be ed25519", "k=ed25519; " + p, bad},
      {"an ed25519 key said to be RSA", ed, bad},
      {"duplicate tag", "p=x; " + p, bad},
      {"something else", "hello world", bad},
      {"another protocol", "v=spf1 -all", bad},
      {"D9: 64 kB", "p=" + std::string(65536, 'A'), bad},
  };
  for (const auto& test : cases) {
    const auto key = parse_key(test.record);
    EXPECT_EQ(static_cast<int>(key.state), static_cast<int>(test.state)) << test.rule << ": " << key.reason;
    EXPECT_EQ(key.reason.empty(), key.state == ok) << test.rule;
    EXPECT_EQ(key.bits > 0, key.state == ok) << test.rule;
  }
}

TEST(KeyRecord, BitsAndType) {
  EXPECT_EQ(parse_key(Signer::rsa(1024).record()).bits, 1024u);
  EXPECT_EQ(parse_key(Signer::rsa(1024).record()).type, "rsa");
  EXPECT_EQ(parse_key(Signer::ed25519().record()).bits, 256u);
  EXPECT_EQ(parse_key(Signer::ed25519().record()).type, "ed25519");
}

TEST(KeyRecord, Restrictions) {
  const auto p = p_of(Signer::rsa(1024));
  EXPECT_THAT(parse_key(p).hashes, testing::IsEmpty());
  EXPECT_THAT(parse_key("h= SHA1 : sha256;" + p).hashes, testing::ElementsAre("sha1", "sha256"));
  EXPECT_TRUE(parse_key(p).for_email);
  EXPECT_TRUE(parse_key("s=*;" + p).for_email);
  EXPECT_TRUE(parse_key("s=other : email;" + p).for_email);
  EXPECT_FALSE(parse_key("s=tlsrpt;" + p).for_email);
  EXPECT_FALSE(parse_key("s=;" + p).for_email);
  EXPECT_TRUE(parse_key("t=y;" + p).testing);
  EXPECT_FALSE(parse_key("t=y;" + p).strict_identity);
  EXPECT_TRUE(parse_key("t=x : s;" + p).strict_identity);
  EXPECT_FALSE(parse_key("t=x : s;" + p).testing);
}

TEST(RememberedKey, IsTheKeyThatIsRead) {
  for (const auto& record :
       {p_of(Signer::rsa(1024)), p_of(Signer::rsa(1024)) + "; t=y:s; h=sha256", "k=ed25519; " + p_of(Signer::ed25519()),
        std::string("p="), std::string(), std::string("hello"), "p=" + std::string(65536, 'A')}) {
    const auto read = parse_key(record);
    for (int i = 0; i < 2; ++i) {
      const auto key = remembered_key(record);
      EXPECT_EQ(static_cast<int>(key->state), static_cast<int>(read.state)) << record;
      EXPECT_EQ(key->reason, read.reason);
      EXPECT_EQ(key->bits, read.bits);
      EXPECT_EQ(key->type, read.type);
      EXPECT_EQ(key->hashes, read.hashes);
      EXPECT_EQ(key->testing, read.testing);
      EXPECT_EQ(key->strict_identity, read.strict_identity);
      EXPECT_EQ(key->for_email, read.for_email);
      EXPECT_EQ(key->public_key != nullptr, key->state == ok);
    }
  }
}

TEST(RememberedKey, IsReadOnceForEachText) {
  const auto record = p_of(Signer::rsa(1024));
  EXPECT_EQ(remembered_key(record), remembered_key(record));
  EXPECT_NE(remembered_key(record), remembered_key(record + ";"));
}

TEST(KeyName, IsBelowDomainkey) {
  EXPECT_EQ(key_name("a.b", "example.com"), "a.b._domainkey.example.com");
}

}  // namespace
}  // namespace sesame::dkim
