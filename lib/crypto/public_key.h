// Public keys that verify signatures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "crypto/digest.h"
#include "util/result.h"

// OpenSSL's EVP_PKEY and EVP_PKEY_CTX.
struct evp_pkey_st;
struct evp_pkey_ctx_st;

namespace sesame::crypto {

// Longer moduli are refused when read: one verification at this size takes above a millisecond.
inline constexpr unsigned kMaxRsaBits = 16384;

// Verifies as often as wanted, in any number of threads at once.
class PublicKey {
 public:
  enum class Type { rsa, ed25519 };

  // DER, either SubjectPublicKeyInfo (RFC 5280) or a bare RSAPublicKey (RFC 8017 Appendix A.1.1), with nothing after
  // it. An even, tiny or huge exponent and an even modulus are refused.
  static Result<PublicKey> rsa(std::span<const std::uint8_t> der);
  // 32 octets (RFC 8463 Section 4).
  static Result<PublicKey> ed25519(std::span<const std::uint8_t> octets);

  Type type() const { return type_; }
  // Of the modulus; 256 for Ed25519.
  unsigned bits() const { return bits_; }
  // Octets that OpenSSL holds for it, roughly.
  std::size_t heap_bytes() const;
  // RSA: PKCS #1 v1.5 over the digest. Ed25519: the digest is the message, as RFC 8463 Section 3 has it.
  bool verify(Hash hash, std::span<const std::uint8_t> digest, std::span<const std::uint8_t> signature) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
    void operator()(evp_pkey_ctx_st* context) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;
  using Context = std::unique_ptr<evp_pkey_ctx_st, Free>;

  PublicKey(Type type, unsigned bits, Handle key) : type_(type), bits_(bits), key_(std::move(key)) {}
  static Context prepared(evp_pkey_st* key);
  bool verify_rsa(Hash hash, std::span<const std::uint8_t> digest, std::span<const std::uint8_t> signature) const;

  Type type_;
  unsigned bits_;
  Handle key_;
  Context prepared_;  // RSA: ready to verify with SHA-256; only ever copied
};

}  // namespace sesame::crypto
