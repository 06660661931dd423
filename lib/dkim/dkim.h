// DomainKeys Identified Mail, verification: RFC 6376 with RFC 8301, 8463 and 8616.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/resolver.h"
#include "mail/field.h"

namespace sesame::dkim {

// RFC 8601 Section 2.7.1. `policy`: the signature verifies but is not to be relied upon (l= shorter than the body).
enum class Result { none, pass, fail, policy, neutral, temperror, permerror };
const char* to_string(Result result);

struct Outcome {
  Result result = Result::none;
  std::string domain;     // d=, canonical A-labels; "" when the signature is too broken to name one
  std::string selector;   // s=, canonical; "" likewise
  std::string identity;   // i= as written or "@" + d
  std::string algorithm;  // a=
  std::string b_prefix;   // first 8 characters of b= without white space (RFC 6008)
  // What failed; safe to print, and empty for a plain pass. Begins with the part: "body hash", "header hash", "key: ",
  // "syntax: ", "unsupported: ", "time: " or "limit: ".
  std::string reason;
  std::vector<std::string> signed_fields;  // h= in lower case, in order
  bool testing = false;                    // key has t=y: reported, no better and no worse than unsigned
  std::optional<std::int64_t> signed_at;   // t=, unix seconds
};

// What is accepted of RSA keys.
struct KeyLimits {
  unsigned min_rsa_bits = 1024;  // RFC 8301 Section 3.2
  unsigned max_rsa_bits = 8192;
};

struct Options {
  std::int64_t now = 0;             // unix seconds, for t= and x=
  std::int64_t clock_skew = 300;    // seconds tolerated
  std::size_t max_signatures = 10;  // tried; those whose d= is the author domain or related come first
  KeyLimits limits;
  // lax: rsa-sha1 and RSA keys under min_rsa_bits verify. Only to examine old archives.
  enum class Keys { strict, lax } keys = Keys::strict;
  // What a signature that verifies with a key in testing (t=y) comes to. RFC 6376 Section 3.6.1 wants it treated as no
  // signature, most receivers count it: `refuse` makes it Result::policy.
  enum class Testing { count, refuse } testing = Testing::count;
};

// One message. Call in order: field() for each header field from the top, end_of_header() once, body() for each chunk,
// finish() once. Keys are asked for as soon as a signature is seen; the body is hashed as it passes and not kept.
// Not thread-safe; may move between threads.
class Verifier {
 public:
  Verifier(dns::Resolver& resolver, const Options& options);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  void field(const mail::Field& field);
  // `fields`: all of them, top first, valid until finish(). `author_domains`: signatures of these, their parents and
  // children are tried first, so that decoys displace nothing.
  void end_of_header(std::span<const mail::Field> fields, std::span<const std::string> author_domains);
  void body(std::string_view chunk);
  // False when no signature can still pass, or none needs more of the body.
  bool wants_body() const;
  // In message order, top first; one for each DKIM-Signature field (neutral when over max_signatures).
  std::vector<Outcome> finish(Deadline deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::dkim
