// The hashes of one body, each computed once however many signatures want it.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "dkim/canonicalize.h"

namespace sesame::dkim {

// What a signature says its body hash is of.
struct BodyPart {
  crypto::Hash hash = crypto::Hash::sha256;
  Canonicalization canonicalization = Canonicalization::simple;
  std::optional<std::uint64_t> length;  // l=
  bool operator==(const BodyPart&) const = default;
};

class BodyHash {
 public:
  explicit BodyHash(const BodyPart& part);
  BodyHash(const BodyHash&) = delete;
  BodyHash& operator=(const BodyHash&) = delete;

  void update(std::string_view chunk);
  void finish();
  const BodyPart& part() const { return part_; }
  // True when more of the body changes nothing: all of l= is hashed, and it is known that octets follow.
  bool settled() const { return part_.length && seen_ > *part_.length; }
  // After finish().
  const std::vector<std::uint8_t>& digest() const { return digest_; }
  // Octets of the canonical body; when settled, of what was seen of it.
  std::uint64_t seen() const { return seen_; }

 private:
  void take(std::string_view octets);

  BodyPart part_;
  crypto::Hasher hasher_;
  std::uint64_t seen_ = 0;
  BodyCanonicalizer canonicalizer_;
  std::vector<std::uint8_t> digest_;
};

class BodyHashes {
 public:
  // Before the first update(): the hash of that part, shared with all who asked for the same.
  const BodyHash& want(const BodyPart& part);
  bool has(const BodyPart& part) const;
  void update(std::string_view chunk);
  void finish();
  // False when there is no hash, or all are settled.
  bool wants_more() const;
  std::size_t size() const { return hashes_.size(); }

 private:
  std::list<BodyHash> hashes_;  // never moves its elements
};

}  // namespace sesame::dkim
