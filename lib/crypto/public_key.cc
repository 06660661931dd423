#include "crypto/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string>

namespace sesame::crypto {
namespace {

constexpr std::size_t kEd25519Octets = 32;
// Twice the octets of the largest modulus leaves room for a long exponent and the DER around it.
constexpr std::size_t kMaxDer = std::size_t{kMaxRsaBits} / 8 * 2;
constexpr int kMaxExponentBits = 64;

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

// Failures here are hostile input, not news: nothing may pile up in the thread's error queue.
struct QuietErrors {
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

using Parser = EVP_PKEY* (*)(const unsigned char** at, long size);

// Null unless the key takes up all of the octets.
Owned<EVP_PKEY> parse_whole(std::span<const std::uint8_t> der, Parser parser) {
  const unsigned char* at = der.data();
  Owned<EVP_PKEY> key(parser(&at, static_cast<long>(der.size())));
  if (key && at != der.data() + der.size()) key.reset();
  return key;
}

Owned<BIGNUM> number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return nullptr;
  return Owned<BIGNUM>(value);
}

// What is wrong with the numbers; "" if nothing.
std::string problem_of(const EVP_PKEY* key) {
  const auto modulus = number(key, OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return "the RSA key lacks a number";
  if (BN_num_bits(modulus.get()) > static_cast<int>(kMaxRsaBits))
    return "the RSA modulus has more than " + std::to_string(kMaxRsaBits) + " bits";
  if (!BN_is_odd(modulus.get())) return "the RSA modulus is even";
  if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get()) || BN_num_bits(exponent.get()) > kMaxExponentBits)
    return "the RSA exponent is not usable";
  return {};
}

bool verify_ed25519(EVP_PKEY* key, std::span<const std::uint8_t> message, std::span<const std::uint8_t> signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

void PublicKey::Free::operator()(evp_pkey_ctx_st* context) const {
  EVP_PKEY_CTX_free(context);
}

Result<PublicKey> PublicKey::rsa(std::span<const std::uint8_t> der) {
  if (der.size() > kMaxDer) return failure("the RSA key is " + std::to_string(der.size()) + " octets long");
  const QuietErrors quiet;
  auto key = parse_whole(der, [](const unsigned char** at, long size) { return d2i_PUBKEY(nullptr, at, size); });
  if (!key)
    key = parse_whole(
        der, [](const unsigned char** at, long size) { return d2i_PublicKey(EVP_PKEY_RSA, nullptr, at, size); });
  if (!key) return failure("not a DER public key");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return failure("not an RSA public key");
  if (auto problem = problem_of(key.get()); !problem.empty()) return failure(std::move(problem));
  const auto bits = static_cast<unsigned>(EVP_PKEY_get_bits(key.get()));
  PublicKey result(Type::rsa, bits, Handle(key.release()));
  result.prepared_ = prepared(result.key_.get());
  return result;
}

Result<PublicKey> PublicKey::ed25519(std::span<const std::uint8_t> octets) {
  if (octets.size() != kEd25519Octets)
    return failure("an Ed25519 key has 32 octets, not " + std::to_string(octets.size()));
  const QuietErrors quiet;
  Handle key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets.data(), octets.size()));
  if (!key) return failure("not an Ed25519 public key");
  return PublicKey(Type::ed25519, 256, std::move(key));
}

// Measured with OpenSSL 3.0: key and context, and of RSA the modulus and what makes multiplications by it fast.
std::size_t PublicKey::heap_bytes() const {
  return type_ == Type::rsa ? 1536 + bits_ / 2 : 768;
}

// Null when there is no memory.
PublicKey::Context PublicKey::prepared(evp_pkey_st* key) {
  Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool ready = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1;
  if (!ready) context.reset();
  return context;
}

// A copy of what is prepared looks nothing up, which for short keys takes as long as the verification.
bool PublicKey::verify_rsa(Hash hash, std::span<const std::uint8_t> digest,
                           std::span<const std::uint8_t> signature) const {
  Context context(prepared_ ? EVP_PKEY_CTX_dup(prepared_.get()) : nullptr);
  if (!context) context = prepared(key_.get());
  if (context && hash == Hash::sha1 && EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha1()) != 1) return false;
  return context &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

bool PublicKey::verify(Hash hash, std::span<const std::uint8_t> digest, std::span<const std::uint8_t> signature) const {
  if (digest.size() != digest_size(hash)) return false;
  const QuietErrors quiet;
  return type_ == Type::rsa ? verify_rsa(hash, digest, signature) : verify_ed25519(key_.get(), digest, signature);
}

}  // namespace sesame::crypto
