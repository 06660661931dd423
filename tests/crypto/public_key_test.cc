#include "crypto/public_key.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "support/signer.h"
#include "util/base64.h"

namespace sesame::crypto {
namespace {

using test::Signer;
using Octets = std::vector<std::uint8_t>;

Octets digest_of(std::string_view data, Hash hash = Hash::sha256) {
  Hasher hasher(hash);
  hasher.update(data);
  return hasher.finish();
}

Octets decoded(const std::string& base64) {
  return base64_decode(base64).value();
}

// DER by hand, for keys no library would make.
Octets tlv(std::uint8_t tag, const Octets& content) {
  Octets result = {tag};
  const auto size = content.size();
  if (size < 128) {
    result.push_back(static_cast<std::uint8_t>(size));
  } else {
    result.insert(result.end(), {0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  }
  result.insert(result.end(), content.begin(), content.end());
  return result;
}

Octets rsa_der(Octets modulus, Octets exponent) {
  modulus.insert(modulus.begin(), 0);
  auto content = tlv(2, modulus);
  const auto second = tlv(2, exponent);
  content.insert(content.end(), second.begin(), second.end());
  return tlv(0x30, content);
}

Octets odd_number(std::size_t octets) {
  return Octets(octets, 0xff);
}

TEST(PublicKey, VerifiesWhatAnotherSigned) {
  for (const unsigned bits : {1024u, 2048u}) {
    const auto& signer = Signer::rsa(bits);
    const auto key = PublicKey::rsa(signer.public_key());
    ASSERT_TRUE(key);
    EXPECT_EQ(key->bits(), bits);
    EXPECT_EQ(key->type(), PublicKey::Type::rsa);
    const auto signature = decoded(signer.sign("text"));
    EXPECT_TRUE(key->verify(Hash::sha256, digest_of("text"), signature));
    EXPECT_FALSE(key->verify(Hash::sha256, digest_of("Text"), signature));
    EXPECT_TRUE(key->verify(Hash::sha1, digest_of("text", Hash::sha1), decoded(signer.sign("text", "SHA1"))));
  }
}

// One verification leaves nothing behind for the next.
TEST(PublicKey, VerifiesInAnyOrder) {
  const auto& signer = Signer::rsa(1024);
  const auto key = PublicKey::rsa(signer.public_key()).value();
  const auto good = decoded(signer.sign("text"));
  const auto old = decoded(signer.sign("text", "SHA1"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(key.verify(Hash::sha256, digest_of("text"), good));
    EXPECT_FALSE(key.verify(Hash::sha256, digest_of("text"), old));
    EXPECT_TRUE(key.verify(Hash::sha1, digest_of("text", Hash::sha1), old));
    EXPECT_FALSE(key.verify(Hash::sha1, digest_of("text", Hash::sha1), good));
    EXPECT_FALSE(key.verify(Hash::sha256, digest_of("other"), good));
    EXPECT_FALSE(key.verify(Hash::sha256, digest_of("text"), Octets(5, 1)));
  }
}

TEST(PublicKey, VerifiesInManyThreadsAtOnce) {
  for (const auto* signer : {&Signer::rsa(1024), &Signer::ed25519()}) {
    const auto is_rsa = signer == &Signer::rsa(1024);
    const auto key = is_rsa ? PublicKey::rsa(signer->public_key()) : PublicKey::ed25519(signer->public_key());
    ASSERT_TRUE(key);
    const auto good = decoded(signer->sign("text"));
    auto bad = good;
    bad[0] ^= 1;
    std::atomic<int> right = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        for (int j = 0; j < 20; ++j)
          if (key->verify(Hash::sha256, digest_of("text"), (i + j) % 2 == 0 ? good : bad) == ((i + j) % 2 == 0))
            ++right;
      });
    threads.clear();
    EXPECT_EQ(right, 160);
  }
}

// RFC 8463 Section 3: PureEdDSA over the digest.
TEST(PublicKey, Ed25519SignsTheDigest) {
  const auto key = PublicKey::ed25519(Signer::ed25519().public_key());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->bits(), 256u);
  const auto signature = decoded(Signer::ed25519().sign("text"));
  EXPECT_TRUE(key->verify(Hash::sha256, digest_of("text"), signature));
  EXPECT_FALSE(key->verify(Hash::sha256, digest_of("other"), signature));
}

TEST(PublicKey, EveryChangedOctetOfASignatureFails) {
  for (const auto* signer : {&Signer::rsa(1024), &Signer::ed25519()}) {
    const auto is_rsa = signer == &Signer::rsa(1024);
    const auto key = is_rsa ? PublicKey::rsa(signer->public_key()) : PublicKey::ed25519(signer->public_key());
    const auto good = decoded(signer->sign("text"));
    for (std::size_t i = 0; i < good.size(); ++i) {
      auto bad = good;
      bad[i] ^= 1;
      EXPECT_FALSE(key->verify(Hash::sha256, digest_of("text"), bad)) << i;
    }
    auto longer = good;
    longer.push_back(0);
    EXPECT_FALSE(key->verify(Hash::sha256, digest_of("text"), longer));
    EXPECT_FALSE(key->verify(Hash::sha256, digest_of("text"), {}));
    EXPECT_FALSE(key->verify(Hash::sha256, Octets(5, 1), good));
  }
}

TEST(PublicKey, BareRsaPublicKeyIsRead) {
  const auto key = PublicKey::rsa(Signer::rsa(1024).bare_public_key());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->bits(), 1024u);
  EXPECT_TRUE(key->verify(Hash::sha256, digest_of("text"), decoded(Signer::rsa(1024).sign("text"))));
}

TEST(PublicKey, NothingMayFollowTheKey) {
  for (auto der : {Signer::rsa(1024).public_key(), Signer::rsa(1024).bare_public_key()}) {
    der.push_back(0);
    EXPECT_FALSE(PublicKey::rsa(der));
  }
}

TEST(PublicKey, EveryTruncationIsRefused) {
  const auto der = Signer::rsa(1024).public_key();
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(PublicKey::rsa(std::span(der).first(size))) << size;
}

TEST(PublicKey, UnusableNumbersAreRefused) {
  const Octets f4 = {1, 0, 1};
  auto even = odd_number(128);
  even.back() = 0xfe;
  ASSERT_TRUE(PublicKey::rsa(rsa_der(odd_number(128), f4)));  // the hand-made DER is not what is refused below
  EXPECT_EQ(PublicKey::rsa(rsa_der(odd_number(128), f4))->bits(), 1024u);
  EXPECT_FALSE(PublicKey::rsa(rsa_der(even, f4))) << "even modulus";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(odd_number(128), {1, 0, 0}))) << "even exponent";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(odd_number(128), {1}))) << "exponent 1";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(odd_number(128), odd_number(16)))) << "negative or huge exponent";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(odd_number(2500), f4))) << "20000 bits";
  EXPECT_FALSE(PublicKey::rsa(Octets(65536, 0x30))) << "64 kB";
  EXPECT_FALSE(PublicKey::rsa({}));
}

TEST(PublicKey, OnlyRsaIsReadAsRsa) {
  // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 Section 4).
  Octets der = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
  const auto raw = Signer::ed25519().public_key();
  der.insert(der.end(), raw.begin(), raw.end());
  const auto key = PublicKey::rsa(der);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message, "not an RSA public key");
}

TEST(PublicKey, Ed25519HasExactly32Octets) {
  for (const std::size_t size : {0u, 31u, 33u, 44u}) EXPECT_FALSE(PublicKey::ed25519(Octets(size, 9))) << size;
}

}  // namespace
}  // namespace sesame::crypto
