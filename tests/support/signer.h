// Signatures for tests by signers that share no code with the verifier: OpenSSL over given octets, and dkimpy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace sesame::test {

// A key pair, made when first asked for.
class Signer {
 public:
  static const Signer& rsa(unsigned bits);
  static const Signer& ed25519();

  // DER SubjectPublicKeyInfo, or Ed25519's 32 octets.
  std::vector<std::uint8_t> public_key() const;
  // DER RSAPublicKey, without the SubjectPublicKeyInfo around it.
  std::vector<std::uint8_t> bare_public_key() const;
  // "v=DKIM1; k=rsa; p=..."
  std::string record() const;
  // PEM, or base64 of Ed25519's seed: as dkimpy wants them.
  std::string private_key() const;
  // Base64. `hash` is "SHA256" or "SHA1"; Ed25519 signs the digest, as RFC 8463 has it.
  std::string sign(std::string_view data, const char* hash = "SHA256") const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  Signer(bool is_rsa, evp_pkey_st* key) : is_rsa_(is_rsa), key_(key) {}

  bool is_rsa_;
  std::unique_ptr<evp_pkey_st, Free> key_;
};

// Raw digest.
std::string digest(std::string_view data, const char* hash = "SHA256");
std::string base64(std::string_view octets);

// A message under c=simple/simple, where what is signed is what is written: no canonicalisation is needed to make it.
struct Crafted {
  std::string tags;                       // up to and with the ";" before bh=
  std::vector<std::string> signed_lines;  // in the order of h=, each with its CRLF
  std::string header;                     // what the message has; all signed lines when empty
  std::string body;                       // as hashed; ends in exactly one CRLF, or is what l= leaves
  std::string body_after;                 // what follows it in the message
  const char* hash = "SHA256";
};
std::string sign_simple(const Signer& signer, const Crafted& crafted);

// Runs tests/support/dkim_sign.py: a JSON list of jobs in, a signed message for each out. Nothing when dkimpy is not
// installed; throws when it fails.
std::optional<std::vector<std::string>> sign_with_dkimpy(const std::string& jobs);

}  // namespace sesame::test
