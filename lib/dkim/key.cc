#include "dkim/key.h"

#include <algorithm>

#include "mail/tag_list.h"
#include "util/base64.h"
#include "util/content_cache.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

// Room for the longest RSA key there is, its notes and more.
constexpr std::size_t kMaxRecord = 16384;
// What is remembered of keys, in octets: more than a thousand of 2048 bits.
constexpr std::size_t kMaxRemembered = std::size_t{4} << 20;

Key with_state(Key key, Key::State state, std::string reason) {
  key.state = state;
  key.reason = std::move(reason);
  return key;
}

Key bad(Key key, std::string reason) {
  return with_state(std::move(key), Key::State::bad, std::move(reason));
}

std::vector<std::string> words(std::string_view value) {
  std::vector<std::string> result;
  for (const auto part : split(value, ':')) result.push_back(lower(trim(part)));
  return result;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

Key read_data(Key key, std::string_view p) {
  // RFC 6376 Section 3.6.1: an empty p= revokes the key.
  if (p.empty()) return with_state(std::move(key), Key::State::revoked, "revoked (p= is empty)");
  const auto data = base64_decode(p);
  if (!data || data->empty()) return bad(std::move(key), "p= is not base64");
  auto parsed = key.type == "rsa" ? crypto::PublicKey::rsa(*data) : crypto::PublicKey::ed25519(*data);
  if (!parsed) return bad(std::move(key), "p=: " + parsed.error().message);
  key.bits = parsed->bits();
  key.public_key = std::make_shared<const crypto::PublicKey>(std::move(*parsed));
  key.state = Key::State::ok;
  return key;
}

std::size_t heap_bytes(const Key& key) {
  std::size_t bytes = key.reason.capacity() + key.hashes.capacity() * sizeof(std::string);
  for (const auto& hash : key.hashes) bytes += hash.capacity();
  return key.public_key ? bytes + sizeof(crypto::PublicKey) + key.public_key->heap_bytes() : bytes;
}

}  // namespace

Key parse_key(std::string_view record) {
  Key key;
  if (trim(record).empty()) return with_state(std::move(key), Key::State::empty, "the TXT record is empty");
  if (record.size() > kMaxRecord) return bad(std::move(key), "the record is too long");
  const auto tags = mail::TagList::parse(record);
  if (!tags) return bad(std::move(key), tags.error().message);
  // RFC 6376 Section 3.6.1: v= is optional, but first, and DKIM1.
  if (const auto version = tags->find("v"); version && (*version != "DKIM1" || tags->tags().front().name != "v"))
    return bad(std::move(key), "v= is not DKIM1 or not first");
  if (const auto hashes = tags->find("h")) key.hashes = words(*hashes);
  if (const auto services = tags->find("s")) {
    const auto list = words(*services);
    key.for_email = has(list, "*") || has(list, "email");
  }
  if (const auto flags = tags->find("t")) {
    key.testing = has(words(*flags), "y");
    key.strict_identity = has(words(*flags), "s");
  }
  key.type = printable(lower(tags->find("k").value_or("rsa")), 40);
  if (key.type != "rsa" && key.type != "ed25519") {
    auto reason = "unknown key type k=" + key.type;
    return bad(std::move(key), std::move(reason));
  }
  const auto p = tags->find("p");
  if (!p) return bad(std::move(key), "there is no p=");
  return read_data(std::move(key), *p);
}

std::shared_ptr<const Key> remembered_key(std::string_view record) {
  static ContentCache<Key> keys(kMaxRemembered, heap_bytes);
  return keys.get(record, parse_key);
}

std::string key_name(std::string_view selector, std::string_view domain) {
  return std::string(selector) + "._domainkey." + std::string(domain);
}

}  // namespace sesame::dkim
