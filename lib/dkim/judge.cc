#include "dkim/judge.h"

#include <algorithm>

#include "dkim/key.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

// RFC 6376 Section 6.1.2 step 4 leaves open what several records at one name mean: each is tried, up to this many.
constexpr std::size_t kMaxKeys = 5;

KeyVerdict refused(std::string reason) {
  return {Result::permerror, "key: " + std::move(reason), false};
}

// Why the key may not be used for this signature; "" when it may. RFC 6376 Section 6.1.2 steps 6 to 9.
std::string unfit(const Key& key, const Signature& signature, const KeyLimits& limits) {
  const bool is_rsa = signature.key_type == crypto::PublicKey::Type::rsa;
  const auto hash = signature.body.hash == crypto::Hash::sha1 ? "sha1" : "sha256";
  if (key.state != Key::State::ok) return key.reason;
  if (key.type != (is_rsa ? "rsa" : "ed25519")) return "k=" + key.type + " does not fit a=" + signature.algorithm;
  if (!key.hashes.empty() && std::ranges::find(key.hashes, hash) == key.hashes.end())
    return std::string("h= does not allow ") + hash;
  if (!key.for_email) return "s= does not allow email";
  if (key.strict_identity && signature.identity_domain != signature.domain)
    return "t=s, but the domain of i= is not that of d=";
  // RFC 8301 Section 3.2
  if (is_rsa && key.bits < limits.min_rsa_bits) return "RSA with only " + std::to_string(key.bits) + " bits";
  if (is_rsa && key.bits > limits.max_rsa_bits) return "RSA with as many as " + std::to_string(key.bits) + " bits";
  return {};
}

// RFC 6376 Section 6.1.2 steps 2 and 3: the one place where a DNS failure becomes a result.
KeyVerdict without_answer(const dns::Answer& answer) {
  const auto at = dns::status_text(answer) + " for " + printable(answer.name);
  // RFC 8767 Section 4: that there was no key is no proof that there is none.
  if (dns::is_undecided(answer)) return {Result::temperror, "key: " + at, false};
  return refused("no key, " + at);
}

}  // namespace

// RFC 6376 Section 3.5, x= and t=
MaybeProblem judge_time(const Signature& signature, const Now& now) {
  // The times of a signature have 12 digits at most; our own may be any, so it stays out of the sums.
  if (signature.expires_at && *signature.expires_at + now.skew < now.seconds)
    return Problem{Result::fail, "time: expired at " + std::to_string(*signature.expires_at)};
  if (signature.signed_at && *signature.signed_at - now.skew > now.seconds)
    return Problem{Result::fail, "time: signed in the future, at " + std::to_string(*signature.signed_at)};
  return std::nullopt;
}

MaybeProblem judge_body(const Signature& signature, const BodyHash& body) {
  if (body.digest().empty()) return Problem{Result::temperror, "body hash: could not be computed"};
  // RFC 6376 Section 6.1.3: l= may not be more than there is.
  if (signature.body.length && *signature.body.length > body.seen())
    return syntax_problem("l= is more than the " + std::to_string(body.seen()) + " octets of the body");
  if (body.digest() != signature.body_hash) return Problem{Result::fail, "body hash differs"};
  return std::nullopt;
}

KeyVerdict check_key(dns::Resolver& resolver, const Signature& signature, std::span<const std::uint8_t> digest,
                     const KeyLimits& limits, Deadline deadline) {
  const auto answer = resolver.lookup(key_name(signature.selector, signature.domain), dns::Type::txt, deadline);
  if (answer->status != dns::Status::ok) return without_answer(*answer);
  KeyVerdict verdict = refused("there is no record");
  bool any_fit = false;
  std::size_t tried = 0;
  for (std::size_t i = 0; i < answer->texts.size() && tried < kMaxKeys; ++i) {
    const auto key = remembered_key(answer->texts[i]);
    const auto reason = unfit(*key, signature, limits);
    tried += reason.empty() ? 1 : 0;
    if (reason.empty() && key->public_key->verify(signature.body.hash, digest, signature.signature))
      return {Result::pass, "", key->testing};
    // The first key that fits, else the first that can be read, else the first record tells why.
    if (reason.empty() && !any_fit)
      verdict = {Result::fail, "header hash differs (signature does not verify)", key->testing};
    else if (!any_fit && (i == 0 || key->state == Key::State::ok))
      verdict = refused(reason);
    any_fit = any_fit || reason.empty();
  }
  return verdict;
}

}  // namespace sesame::dkim
