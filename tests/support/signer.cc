#include "support/signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sesame::test {
namespace {

void demand(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

std::vector<std::uint8_t> der(int (*write)(const EVP_PKEY*, unsigned char**), const EVP_PKEY* key) {
  unsigned char* octets = nullptr;
  const int size = write(key, &octets);
  demand(size > 0, "encoding a key");
  std::vector<std::uint8_t> result(octets, octets + size);
  OPENSSL_free(octets);
  return result;
}

std::string text(const std::vector<std::uint8_t>& octets) {
  return {octets.begin(), octets.end()};
}

}  // namespace

std::string base64(std::string_view octets) {
  std::string result(octets.size() / 3 * 4 + 5, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                      reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  result.resize(static_cast<std::size_t>(size));
  return result;
}

std::string digest(std::string_view data, const char* hash) {
  std::string result(EVP_MAX_MD_SIZE, '\0');
  std::size_t size = 0;
  demand(EVP_Q_digest(nullptr, hash, nullptr, data.data(), data.size(), reinterpret_cast<unsigned char*>(result.data()),
                      &size) == 1,
         "digest");
  result.resize(size);
  return result;
}

void Signer::Free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

const Signer& Signer::rsa(unsigned bits) {
  static std::map<unsigned, Signer> keys;
  const auto found = keys.find(bits);
  if (found != keys.end()) return found->second;
  auto* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits));
  demand(key, "making an RSA key");
  return keys.emplace(bits, Signer(true, key)).first->second;
}

const Signer& Signer::ed25519() {
  static const Signer signer(false, EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return signer;
}

std::vector<std::uint8_t> Signer::public_key() const {
  if (is_rsa_) return der(i2d_PUBKEY, key_.get());
  std::vector<std::uint8_t> octets(32);
  std::size_t size = octets.size();
  demand(EVP_PKEY_get_raw_public_key(key_.get(), octets.data(), &size) == 1, "reading an Ed25519 key");
  return octets;
}

std::vector<std::uint8_t> Signer::bare_public_key() const {
  return der(i2d_PublicKey, key_.get());
}

std::string Signer::record() const {
  return std::string("v=DKIM1; k=") + (is_rsa_ ? "rsa" : "ed25519") + "; p=" + base64(text(public_key()));
}

std::string Signer::private_key() const {
  if (!is_rsa_) {
    std::string seed(32, '\0');
    std::size_t size = seed.size();
    demand(EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(seed.data()), &size) == 1, "seed");
    return base64(seed);
  }
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  demand(PEM_write_bio_PrivateKey_traditional(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
         "PEM");
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string Signer::sign(std::string_view data, const char* hash) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::string input = is_rsa_ ? std::string(data) : digest(data, hash);
  demand(EVP_DigestSignInit_ex(context.get(), nullptr, is_rsa_ ? hash : nullptr, nullptr, nullptr, key_.get(),
                               nullptr) == 1,
         "signing");
  const auto* const octets = reinterpret_cast<const unsigned char*>(input.data());
  std::size_t size = 0;
  demand(EVP_DigestSign(context.get(), nullptr, &size, octets, input.size()) == 1, "signing");
  std::string signature(size, '\0');
  demand(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets,
                        input.size()) == 1,
         "signing");
  signature.resize(size);
  return base64(signature);
}

std::string sign_simple(const Signer& signer, const Crafted& crafted) {
  std::string input;
  for (const auto& line : crafted.signed_lines) input += line;
  const std::string header = crafted.header.empty() ? input : crafted.header;
  const auto field = "DKIM-Signature: " + crafted.tags + " bh=" + base64(digest(crafted.body, crafted.hash)) + "; b=";
  input += field;
  return field + signer.sign(input, crafted.hash) + "\r\n" + header + "\r\n" + crafted.body + crafted.body_after;
}

std::optional<std::vector<std::string>> sign_with_dkimpy(const std::string& jobs) {
  char path[] = "/tmp/sesame-sign-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) throw std::runtime_error("no temporary file");
  close(file);
  std::ofstream(path) << jobs;
  const std::string command = "/usr/bin/python3 " SESAME_TEST_SUPPORT_DIR "/dkim_sign.py < " + std::string(path);
  std::string output;
  auto* const pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t size = 0; pipe && (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, size);
  const int status = pipe ? pclose(pipe) : -1;
  std::remove(path);
  constexpr int kNotInstalled = 77;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotInstalled) return std::nullopt;
  if (status != 0) throw std::runtime_error("dkim_sign.py failed");
  return nlohmann::json::parse(output).get<std::vector<std::string>>();
}

}  // namespace sesame::test
