#include <optional>

#include "arc/arc.h"
#include "arc/chain.h"
#include "dkim/header_hash.h"
#include "dkim/judge.h"
#include "dkim/key.h"

namespace sesame::arc {
namespace {

// Keys asked for before the whole header is known, and body hashes kept to find the oldest set that still holds.
constexpr std::size_t kMaxEarlyKeys = 4;
// Seals whose keys are asked for together, the newest. The keys of a longer chain, which hardly exists but to burden
// DNS, are asked for one by one, and only as long as every seal above holds.
constexpr std::size_t kMaxKeysAtOnce = 10;
constexpr std::size_t kMaxBodyHashes = 4;

using dkim::MaybeProblem;

std::string in_field(std::string_view name, std::size_t instance, std::string_view reason) {
  return std::string(name) + " i=" + std::to_string(instance) + ": " + std::string(reason);
}

}  // namespace

const char* to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      break;
  }
  return "fail";
}

class Verifier::Impl {
 public:
  Impl(dns::Resolver& resolver, const Options& options) : resolver_(&resolver), options_(options) {}

  void field(const mail::Field& field);
  void end_of_header(std::span<const mail::Field> fields);
  Outcome finish(Deadline deadline);

  dkim::BodyHashes hashes;

 private:
  void fail(std::string reason);
  std::string problem_of_structure() const;
  std::string problem_of_message(std::size_t instance, Deadline deadline) const;
  std::string problem_of_seal(std::size_t instance, Deadline deadline) const;
  std::string problem_of_key(const dkim::Signature& signature, std::span<const std::uint8_t> digest,
                             Deadline deadline) const;
  std::vector<std::uint8_t> seal_digest(std::size_t instance) const;
  int oldest_pass(Deadline deadline) const;
  std::vector<Seal> sealed_sets() const;
  const Set& set(std::size_t instance) const { return sets_[instance - 1]; }

  dns::Resolver* resolver_;
  Options options_;
  std::vector<Set> sets_;
  std::vector<const dkim::BodyHash*> bodies_;  // by instance, null when not kept
  std::optional<dkim::FieldIndex> index_;
  std::size_t early_keys_ = 0;
  Outcome outcome_;
};

void Verifier::Impl::fail(std::string reason) {
  outcome_.result = Result::fail;
  outcome_.reason = std::move(reason);
}

void Verifier::Impl::field(const mail::Field& field) {
  if (early_keys_ >= kMaxEarlyKeys || !is_arc_field(field) || field.value.size() > dkim::kMaxSignatureField) return;
  const auto tags = mail::TagList::parse(field.value);
  dkim::Signature signature;
  if (!tags || dkim::read_signer(*tags, signature)) return;
  ++early_keys_;
  resolver_->prefetch(dkim::key_name(signature.selector, signature.domain), dns::Type::txt);
}

// RFC 8617 Section 5.2 steps 2 and 3, and what can be said of the newest set without key and body.
std::string Verifier::Impl::problem_of_structure() const {
  const auto newest = sets_.size();
  if (set(newest).cv == "fail") return in_field("ARC-Seal", newest, "the sealer found the chain broken (cv=fail)");
  for (std::size_t i = newest; i >= 1; --i) {
    if (const auto& problem = set(i).seal_problem) return in_field("ARC-Seal", i, problem->reason);
    if (set(i).seal.body.hash == crypto::Hash::sha1) return in_field("ARC-Seal", i, "rsa-sha1 is not accepted");
    if (set(i).cv != (i == 1 ? "none" : "pass")) return in_field("ARC-Seal", i, "cv=" + set(i).cv + " is out of place");
  }
  if (const auto& problem = set(newest).message_problem)
    return in_field("ARC-Message-Signature", newest, problem->reason);
  return {};
}

void Verifier::Impl::end_of_header(std::span<const mail::Field> fields) {
  index_.emplace(fields);
  auto sets = collect_sets(fields);
  if (!sets) return fail(sets.error().message);
  if (sets->empty()) return;
  sets_ = std::move(*sets);
  outcome_.instances = static_cast<int>(sets_.size());
  outcome_.sealer = set(sets_.size()).seal.domain;
  if (auto reason = problem_of_structure(); !reason.empty()) return fail(std::move(reason));
  bodies_.resize(sets_.size());
  for (std::size_t i = sets_.size(); i >= 1; --i) {
    if (sets_.size() - i < kMaxKeysAtOnce)
      resolver_->prefetch(dkim::key_name(set(i).seal.selector, set(i).seal.domain), dns::Type::txt);
    if (set(i).message_problem || hashes.size() >= kMaxBodyHashes) continue;
    bodies_[i - 1] = &hashes.want(set(i).message.body);
  }
}

std::string Verifier::Impl::problem_of_key(const dkim::Signature& signature, std::span<const std::uint8_t> digest,
                                           Deadline deadline) const {
  if (digest.empty()) return "could not be hashed";
  const auto verdict = dkim::check_key(*resolver_, signature, digest, dkim::KeyLimits{}, deadline);
  return verdict.result == dkim::Result::pass ? "" : verdict.reason;
}

// RFC 8617 Section 5.2 step 4
std::string Verifier::Impl::problem_of_message(std::size_t instance, Deadline deadline) const {
  const auto& signature = set(instance).message;
  const auto* const body = bodies_[instance - 1];
  if (const auto& problem = set(instance).message_problem) return problem->reason;
  if (!body) return "its body hash was not kept";
  if (signature.body.hash == crypto::Hash::sha1) return "rsa-sha1 is not accepted";
  if (const auto problem = dkim::judge_time(signature, {options_.now, options_.clock_skew})) return problem->reason;
  if (const auto problem = dkim::judge_body(signature, *body)) return problem->reason;
  if (signature.body.length && body->seen() > *signature.body.length) return "l= leaves part of the body unsigned";
  return problem_of_key(signature, dkim::header_digest(signature, *index_, set(instance).message_field), deadline);
}

// RFC 8617 Section 5.1.1: all sets up to this one, oldest first, each as results, message signature, seal; the last
// seal without its b= and without CRLF.
std::vector<std::uint8_t> Verifier::Impl::seal_digest(std::size_t instance) const {
  crypto::Hasher hasher(set(instance).seal.body.hash);
  const auto add = [&](const mail::Field& field) {
    hasher.update(dkim::canonical_field(field, dkim::Canonicalization::relaxed));
  };
  const auto fields = index_->fields();
  for (std::size_t i = 1; i <= instance; ++i) {
    for (const auto position : {set(i).results_field, set(i).message_field, set(i).seal_field}) {
      const auto& field = fields[position];
      const bool own = i == instance && position == set(i).seal_field;
      add(own ? mail::Field{field.name, dkim::without_signature(field.value)} : field);
      if (!own) hasher.update("\r\n");
    }
  }
  return hasher.finish();
}

// RFC 8617 Section 5.2 step 6
std::string Verifier::Impl::problem_of_seal(std::size_t instance, Deadline deadline) const {
  const auto& seal = set(instance).seal;
  if (const auto problem = dkim::judge_time(seal, {options_.now, options_.clock_skew})) return problem->reason;
  return problem_of_key(seal, seal_digest(instance), deadline);
}

// RFC 8617 Section 5.2 step 5: one more than the newest set below the top whose message signature no longer holds.
int Verifier::Impl::oldest_pass(Deadline deadline) const {
  for (std::size_t i = sets_.size() - 1; i >= 1; --i)
    if (!problem_of_message(i, deadline).empty()) return static_cast<int>(i + 1);
  return 0;
}

std::vector<Seal> Verifier::Impl::sealed_sets() const {
  std::vector<Seal> seals;
  for (std::size_t i = sets_.size(); i >= 1; --i) {
    const auto& results = index_->fields()[set(i).results_field].value;
    seals.push_back({static_cast<int>(i), set(i).seal.domain, std::string(results_payload(results))});
  }
  return seals;
}

Outcome Verifier::Impl::finish(Deadline deadline) {
  if (outcome_.result == Result::fail || sets_.empty()) return outcome_;
  hashes.finish();
  const auto newest = sets_.size();
  if (const auto reason = problem_of_message(newest, deadline); !reason.empty()) {
    fail(in_field("ARC-Message-Signature", newest, reason));
    return outcome_;
  }
  for (std::size_t i = newest; i >= 1; --i) {
    if (const auto reason = problem_of_seal(i, deadline); !reason.empty()) {
      fail(in_field("ARC-Seal", i, reason));
      return outcome_;
    }
  }
  outcome_.result = Result::pass;
  outcome_.oldest_pass = oldest_pass(deadline);
  outcome_.sets = sealed_sets();
  return outcome_;
}

Verifier::Verifier(dns::Resolver& resolver, const Options& options)
    : impl_(std::make_unique<Impl>(resolver, options)) {}
Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

void Verifier::field(const mail::Field& field) {
  impl_->field(field);
}
void Verifier::end_of_header(std::span<const mail::Field> fields) {
  impl_->end_of_header(fields);
}
void Verifier::body(std::string_view chunk) {
  impl_->hashes.update(chunk);
}
bool Verifier::wants_body() const {
  return impl_->hashes.wants_more();
}
Outcome Verifier::finish(Deadline deadline) {
  return impl_->finish(deadline);
}

}  // namespace sesame::arc
