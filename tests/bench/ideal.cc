// What no verifier can do without: the hash of each distinct canonical body, the hash of what each signature signs, and
// one public-key operation for each signature, its key ready to use. Prints the processor time of each for a message of
// a corpus as JSON; all else that a verifier does is its own.
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/corpus.h"
#include "dkim/canonicalize.h"
#include "dkim/key.h"
#include "dkim/signature.h"
#include "mail/message.h"
#include "mail/tag_list.h"
#include "support/zone.h"
#include "util/base64.h"

namespace {

using namespace sesame;
using Bytes = std::vector<std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

struct Key {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::unique_ptr<EVP_PKEY_CTX, FreeContext> rsa;  // ready for any number of signatures; null for Ed25519
};

struct Signed {
  std::string header;  // canonical: the fields, then the signature itself
  Digest digest{};
  Bytes signature;
  const Key* key = nullptr;  // null where there is none to be had
};

struct Work {
  std::vector<std::string> bodies;  // each distinct canonical form that a signature wants
  std::vector<Signed> signatures;
};

// Keys by their names in the corpus's zone.
class Keys {
 public:
  explicit Keys(const std::filesystem::path& zone) : zone_(bench::read_file(zone)) {}

  const Key* find(const std::string& name) {
    const auto [found, is_new] = keys_.try_emplace(name);
    if (is_new) found->second = read(name);
    return found->second.key ? &found->second : nullptr;
  }

 private:
  Key read(const std::string& name) const {
    Key key;
    const auto* records = zone_.find(name, dns::Type::txt);
    if (!records || records->texts.empty()) return key;
    std::string text;
    for (const auto& part : records->texts.front()) text += part;
    const auto tags = mail::TagList::parse(text);
    const auto data = tags ? base64_decode(tags->find("p").value_or("")) : std::nullopt;
    if (!data || data->empty()) return key;
    if (tags->find("k").value_or("rsa") == "ed25519") {
      key.key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data->data(), data->size()));
      return key;
    }
    const auto* at = data->data();
    key.key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(data->size())));
    if (!key.key) return key;
    key.rsa.reset(EVP_PKEY_CTX_new(key.key.get(), nullptr));
    EVP_PKEY_verify_init(key.rsa.get());
    EVP_PKEY_CTX_set_rsa_padding(key.rsa.get(), RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(key.rsa.get(), EVP_sha256());
    return key;
  }

  test::Zone zone_;
  std::map<std::string, Key> keys_;
};

std::string canonical_body(std::string_view body, dkim::Canonicalization how) {
  std::string out;
  dkim::BodyCanonicalizer canonicalizer(how, [&](std::string_view octets) { out += octets; });
  canonicalizer.write(body);
  canonicalizer.finish();
  return out;
}

// As long as what is signed, which is all that matters here: of a name that occurs twice the lowest is taken.
std::string canonical_header(const mail::Fields& fields, const dkim::Signature& signature, const mail::Field& own) {
  std::string out;
  for (const auto& name : signature.signed_fields) {
    const std::span all(fields.begin(), fields.end());
    const auto found =
        std::find_if(all.rbegin(), all.rend(), [&](const mail::Field& field) { return mail::is_named(field, name); });
    if (found == all.rend()) continue;
    dkim::append_canonical(found->name, found->value, signature.header, out);
    out += "\r\n";
  }
  dkim::append_canonical(own.name, dkim::without_signature(own.value), signature.header, out);
  return out;
}

Work work_of(std::string_view text, Keys& keys) {
  const auto message = mail::read_message(text);
  Work work;
  std::vector<dkim::Canonicalization> wanted;
  for (const auto& field : message.fields) {
    if (!mail::is_named(field, "DKIM-Signature")) continue;
    const auto parsed = dkim::parse_signature(field.value);
    if (parsed.problem) continue;
    const auto& signature = parsed.signature;
    const auto how = signature.body.canonicalization;
    if (std::ranges::find(wanted, how) == wanted.end()) {
      wanted.push_back(how);
      work.bodies.push_back(canonical_body(message.body, how));
    }
    work.signatures.push_back({.header = canonical_header(message.fields, signature, field),
                               .signature = signature.signature,
                               .key = keys.find(dkim::key_name(signature.selector, signature.domain))});
  }
  return work;
}

class Ideal {
 public:
  explicit Ideal(std::vector<Work> work) : work_(std::move(work)), hash_(EVP_MD_CTX_new()) {}
  ~Ideal() { EVP_MD_CTX_free(hash_); }

  void bodies() {
    Digest digest;
    for (const auto& work : work_)
      for (const auto& body : work.bodies) hash(body, digest);
  }
  void headers() {
    for (auto& work : work_)
      for (auto& each : work.signatures) hash(each.header, each.digest);
  }
  void signatures() {
    for (const auto& work : work_)
      for (const auto& each : work.signatures)
        if (each.key) passed_ += verify(each) ? 1 : 0;
  }
  std::size_t passed() const { return passed_; }

 private:
  void hash(std::string_view text, Digest& digest) {
    EVP_DigestInit_ex(hash_, EVP_sha256(), nullptr);
    EVP_DigestUpdate(hash_, text.data(), text.size());
    EVP_DigestFinal_ex(hash_, digest.data(), nullptr);
  }
  bool verify(const Signed& each) {
    const auto& [octets, digest] = std::tie(each.signature, each.digest);
    if (each.key->rsa)
      return EVP_PKEY_verify(each.key->rsa.get(), octets.data(), octets.size(), digest.data(), digest.size()) == 1;
    EVP_MD_CTX_reset(hash_);
    return EVP_DigestVerifyInit(hash_, nullptr, nullptr, nullptr, each.key->key.get()) == 1 &&
           EVP_DigestVerify(hash_, octets.data(), octets.size(), digest.data(), digest.size()) == 1;
  }

  std::vector<Work> work_;
  EVP_MD_CTX* hash_;
  std::size_t passed_ = 0;
};

double cpu_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

template <class Run>
double median_us(int rounds, std::size_t messages, Run run) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = cpu_microseconds();
    run();
    times.push_back(cpu_microseconds() - begin);
  }
  std::ranges::sort(times);
  return times[times.size() / 2] / static_cast<double>(messages);
}

nlohmann::json measure(const std::filesystem::path& corpus, int rounds) {
  Keys keys(corpus / "zone.txt");
  std::vector<Work> work;
  std::size_t octets = 0, signatures = 0;
  for (const auto& row : bench::read_index(corpus)) {
    auto& each = work.emplace_back(work_of(bench::read_message_text(corpus, row), keys));
    for (const auto& body : each.bodies) octets += body.size();
    signatures += each.signatures.size();
  }
  const auto messages = work.size();
  Ideal ideal(std::move(work));
  const auto bodies = median_us(rounds, messages, [&] { ideal.bodies(); });
  const auto headers = median_us(rounds, messages, [&] { ideal.headers(); });
  const auto operations = median_us(rounds, messages, [&] { ideal.signatures(); });
  return {{"messages", messages},        {"signatures", signatures},
          {"body_octets", octets},       {"verified", ideal.passed() / static_cast<std::size_t>(rounds)},
          {"body_hash_us", bodies},      {"header_hash_us", headers},
          {"public_key_us", operations}, {"cpu_ms", (bodies + headers + operations) / 1e3}};
}

}  // namespace

int main(int argc, char** argv) {
  std::string corpus;
  int rounds = 5;
  CLI::App app{"The least that verifying the signatures of a corpus costs"};
  app.add_option("--corpus,corpus", corpus, "Folder with index.tsv, messages and zone.txt")->required();
  app.add_option("--rounds", rounds, "The median of so many is told")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << measure(corpus, rounds).dump(2) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "sesame-bench-ideal: " << error.what() << std::endl;
    return 1;
  }
}
