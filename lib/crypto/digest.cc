#include "crypto/digest.h"

#include <openssl/evp.h>

namespace sesame::crypto {
namespace {

// Fetched once: an implicit fetch for every message takes a lock inside OpenSSL.
const EVP_MD* algorithm(Hash hash) {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  return hash == Hash::sha1 ? sha1 : sha256;
}

}  // namespace

std::size_t digest_size(Hash hash) {
  return hash == Hash::sha1 ? 20 : 32;
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Hasher::Hasher(Hash hash) : context_(EVP_MD_CTX_new()) {
  const auto* const md = algorithm(hash);
  if (!context_ || !md || EVP_DigestInit_ex2(context_.get(), md, nullptr) != 1) context_.reset();
}

void Hasher::update(std::string_view data) {
  if (context_ && EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) context_.reset();
}

std::vector<std::uint8_t> Hasher::finish() {
  if (!context_) return {};
  std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const bool done = EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1;
  context_.reset();
  digest.resize(done ? size : 0);
  return digest;
}

}  // namespace sesame::crypto
