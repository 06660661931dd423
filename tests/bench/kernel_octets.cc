// Kernels through which a message's octets go.
#include <algorithm>
#include <optional>
#include <random>
#include <string>

#include "authres/authres.h"
#include "bench/kernels.h"
#include "crypto/digest.h"
#include "dkim/body_hash.h"
#include "mail/address.h"
#include "mail/message.h"

namespace sesame::bench {
namespace {

constexpr std::size_t kBodySize = 1 << 20;
constexpr std::size_t kChunk = 65535;

std::string letters(std::mt19937& chance, std::size_t count) {
  std::string word;
  for (std::size_t i = 0; i < count; ++i) word += static_cast<char>('a' + chance() % 26);
  return word;
}

// Words of usual lengths, some lines with two spaces or an end of white space, some empty.
std::string text_body() {
  std::mt19937 chance(1);
  std::string body;
  while (body.size() < kBodySize) {
    std::string line;
    while (line.size() < 64) line += letters(chance, 1 + chance() % 9) + (chance() % 40 == 0 ? "  " : " ");
    if (chance() % 10 != 0) line.pop_back();
    body += chance() % 12 == 0 ? "\r\n" : line + "\r\n";
  }
  return body;
}

std::string base64_body() {
  std::mt19937 chance(2);
  std::string body;
  while (body.size() < kBodySize) body += letters(chance, 76) + "\r\n";
  return body;
}

// Nothing may be copied as it stands for longer than an octet.
std::string hostile_body() {
  std::string body;
  while (body.size() < kBodySize) body += "a \tb\t \r\n\r\n\rc \t";
  return body + "\r\n";
}

const std::string& body_of(const std::string& kind) {
  static const std::string text = text_body(), base64 = base64_body(), hostile = hostile_body();
  return kind == "text" ? text : kind == "base64" ? base64 : hostile;
}

template <class Hash>
void feed(Hash& hash, std::string_view body) {
  for (; !body.empty(); body.remove_prefix(std::min(body.size(), kChunk))) hash.update(body.substr(0, kChunk));
  hash.finish();
}

void hash_body(benchmark::State& state, dkim::Canonicalization how, const std::string& kind) {
  const auto& body = body_of(kind);
  measure(state, [&] {
    dkim::BodyHash hash({crypto::Hash::sha256, how, std::nullopt});
    feed(hash, body);
    benchmark::DoNotOptimize(hash.digest());
  });
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

void hash_raw(benchmark::State& state, const std::string& kind) {
  const auto& body = body_of(kind);
  measure(state, [&] {
    crypto::Hasher hash(crypto::Hash::sha256);
    feed(hash, body);
  });
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

// Of one message with 30 fields, a quarter of them folded.
void read_header(benchmark::State& state) {
  std::mt19937 chance(3);
  std::string text = "From: Somebody <somebody@example.com>\r\n";
  for (int i = 1; i < 30; ++i)
    text += "X-" + letters(chance, 12) + ": " + letters(chance, 40) + (i % 4 == 0 ? "\r\n\t" : " ") +
            letters(chance, 30) + "\r\n";
  text += "\r\n";
  measure(state, [&] {
    const auto message = mail::read_message(text);
    benchmark::DoNotOptimize(mail::find_author(message.fields));
  });
  state.counters["fields_per_second"] =
      benchmark::Counter(30.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void write_results(benchmark::State& state) {
  const authres::Header header{
      "mx.example.com",
      {{"spf", "pass", "", "", {{"smtp", "mailfrom", "bounce@example.com"}}},
       {"dkim", "pass", "", "", {{"header", "d", "example.com"}, {"header", "s", "key1"}, {"header", "b", "Abcd1234"}}},
       {"dkim", "fail", "body hash", "", {{"header", "d", "example.org"}, {"header", "s", "k"}}},
       {"dmarc", "pass", "", "p=reject", {{"header", "from", "example.com"}}}}};
  measure(state, [&] { benchmark::DoNotOptimize(authres::write(header)); });
}

const bool registered = [] {
  for (const std::string kind : {"text", "base64", "hostile"}) {
    const auto add = [&](const char* name, auto run) {
      benchmark::RegisterBenchmark((name + ("/" + kind)).c_str(), run);
    };
    add("raw", [kind](benchmark::State& state) { hash_raw(state, kind); });
    add("simple", [kind](benchmark::State& state) { hash_body(state, dkim::Canonicalization::simple, kind); });
    add("relaxed", [kind](benchmark::State& state) { hash_body(state, dkim::Canonicalization::relaxed, kind); });
  }
  benchmark::RegisterBenchmark("header of 30 fields", read_header);
  benchmark::RegisterBenchmark("Authentication-Results", write_results);
  return true;
}();

}  // namespace
}  // namespace sesame::bench
