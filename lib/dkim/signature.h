// Signature fields: RFC 6376 Section 3.5. ARC's are built from the same tags (RFC 8617 Section 4.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/public_key.h"
#include "dkim/body_hash.h"
#include "dkim/dkim.h"
#include "mail/tag_list.h"

namespace sesame::dkim {

// A longer field is not read at all.
inline constexpr std::size_t kMaxSignatureField = 16384;
// h= with more names is not split.
inline constexpr std::size_t kMaxSignedFields = 1000;

struct Signature {
  std::string algorithm;  // a=
  crypto::PublicKey::Type key_type = crypto::PublicKey::Type::rsa;
  std::string domain;    // d=, canonical
  std::string selector;  // s=, canonical
  std::string identity;  // i= as written, or "@" + d
  std::string identity_domain;
  Canonicalization header = Canonicalization::simple;
  BodyPart body;                           // its hash is that of a=
  std::vector<std::string> signed_fields;  // h=, lower case
  std::optional<std::int64_t> signed_at;   // t=
  std::optional<std::int64_t> expires_at;  // x=
  std::vector<std::uint8_t> body_hash;     // bh=
  std::vector<std::uint8_t> signature;     // b=
  std::string b_prefix;
};

// Why a signature cannot pass.
struct Problem {
  Result result = Result::permerror;
  std::string reason;  // safe to print
};
using MaybeProblem = std::optional<Problem>;

// Problems of the text itself begin alike, so that a reader knows whom to ask.
Problem syntax_problem(std::string_view what);

// The tags are read into `signature` as far as they can be understood, so that a refusal can still name its domain.
// a, b, d, s, t: what DKIM-Signature, ARC-Message-Signature and ARC-Seal share.
MaybeProblem read_signer(const mail::TagList& tags, Signature& signature);
// bh, c, h, l, q, x: what DKIM-Signature and ARC-Message-Signature share. `default_c` is the value of an absent c=.
MaybeProblem read_coverage(const mail::TagList& tags, std::string_view default_c, Signature& signature);

struct ParsedSignature {
  Signature signature;
  MaybeProblem problem;
};

// The value of a DKIM-Signature field: RFC 6376 Section 6.1.1, all that can be judged without clock, key and message.
ParsedSignature parse_signature(std::string_view field_value);

}  // namespace sesame::dkim
