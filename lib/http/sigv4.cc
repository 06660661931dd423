#include "http/sigv4.h"

#include <fmt/core.h>

#include "crypto/digest.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::http {
namespace {

std::string sha256(std::string_view data) {
  crypto::Hasher hasher(crypto::Hash::sha256);
  hasher.update(data);
  const auto digest = hasher.finish();
  return {digest.begin(), digest.end()};
}

// RFC 2104 Section 2.
std::string hmac(std::string key, std::string_view data) {
  constexpr std::size_t kBlock = 64;
  if (key.size() > kBlock) key = sha256(key);
  key.resize(kBlock, '\0');
  std::string inner, outer;
  for (const char c : key) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5c);
  }
  return sha256(outer + sha256(inner.append(data)));
}

std::string hex(std::string_view data) {
  std::string text;
  for (const char c : data) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// Encoded once more, segment by segment.
std::string canonical_path(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto segment : split(path, '/')) segments.push_back(percent_encode(segment));
  return join(segments, "/");
}

}  // namespace

std::vector<std::string> sign_get(const Signature& signature, const std::string& host, const std::string& path,
                                  const std::string& query, std::int64_t now) {
  // "2026-01-01T00:00:00Z" without its punctuation.
  std::string time = timestamp(now);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  const auto date = time.substr(0, 8);
  auto headers = fmt::format("host:{}\nx-amz-date:{}\n", host, time);
  std::string names = "host;x-amz-date";
  if (!signature.session_token.empty()) {
    headers += fmt::format("x-amz-security-token:{}\n", signature.session_token);
    names += ";x-amz-security-token";
  }
  const auto request = fmt::format("GET\n{}\n{}\n{}\n{}\n{}", canonical_path(path), query, headers, names, hashed(""));
  const auto scope = fmt::format("{}/{}/ses/aws4_request", date, signature.region);
  auto key = "AWS4" + signature.secret;
  for (const std::string_view part : {std::string_view(date), std::string_view(signature.region),
                                      std::string_view("ses"), std::string_view("aws4_request")})
    key = hmac(key, part);
  const auto proof = hmac(key, fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, hashed(request)));
  return {"Host: " + host, "X-Amz-Date: " + time,
          fmt::format("Authorization: AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                      signature.key_id, scope, names, hex(proof))};
}

std::string hashed(std::string_view text) {
  return hex(sha256(text));
}

}  // namespace sesame::http
