// Hashes of streams.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

// OpenSSL's EVP_MD_CTX, named here so that nobody else needs its headers.
struct evp_md_ctx_st;

namespace sesame::crypto {

enum class Hash { sha1, sha256 };

// Octets of a digest.
std::size_t digest_size(Hash hash);

class Hasher {
 public:
  explicit Hasher(Hash hash);
  void update(std::string_view data);
  // Once; empty when the library refused to work (no memory, or SHA-1 forbidden by the machine's policy).
  std::vector<std::uint8_t> finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;  // null after a failure
};

}  // namespace sesame::crypto
