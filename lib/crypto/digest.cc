#include "crypto/digest.h"

#include <openssl/evp.h>

namespace sesame::crypto {
namespace {

// A context that has begun; null when the library has no such algorithm.
const EVP_MD_CTX* begun(const char* name) {
  auto* const md = EVP_MD_fetch(nullptr, name, nullptr);
  auto* context = EVP_MD_CTX_new();
  if (!md || !context || EVP_DigestInit_ex2(context, md, nullptr) != 1) {
    EVP_MD_CTX_free(context);
    context = nullptr;
  }
  EVP_MD_free(md);
  return context;
}

// To be copied: beginning anew takes longer, and a fetch for every message takes a lock inside OpenSSL.
const EVP_MD_CTX* begun(Hash hash) {
  static const EVP_MD_CTX* const sha1 = begun("SHA1");
  static const EVP_MD_CTX* const sha256 = begun("SHA2-256");
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
  const auto* const from = begun(hash);
  if (!context_ || !from || EVP_MD_CTX_copy_ex(context_.get(), from) != 1) context_.reset();
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
