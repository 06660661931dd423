#include <algorithm>
#include <optional>

#include "arc/arc.h"
#include "arc/chain.h"
#include "dkim/header_hash.h"
#include "dkim/judge.h"
#include "dkim/key.h"

namespace sesame::arc {
namespace {

// Keys asked for before the whole header is known.
constexpr std::size_t kMaxEarlyKeys = 4;
// Seals whose keys are asked for together, the newest. The keys of a longer chain, which hardly exists but to burden
// DNS, are asked for one by one, and only as long as every seal above holds.
constexpr std::size_t kMaxKeysAtOnce = 10;

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
  void prefetch(const dkim::Signature& signature);
  std::string problem_of_structure() const;
  std::string problem_of_message(std::size_t instance, Deadline deadline) const;
  std::string problem_of_seal(std::size_t instance, Deadline deadline) const;
  std::string problem_of_key(const dkim::Signature& signature, std::span<const std::uint8_t> digest,
                             Deadline deadline) const;
  void canonicalize_sets();
  std::vector<std::uint8_t> seal_digest(std::size_t instance) const;
  int oldest_pass(Deadline deadline) const;
  std::vector<Seal> sealed_sets() const;
  const Set& set(std::size_t instance) const { return sets_[instance - 1]; }

  dns::Resolver* resolver_;
  Options options_;
  std::vector<Set> sets_;
  std::vector<const dkim::BodyHash*> bodies_;  // by instance; null when the message signature cannot hold
  std::optional<dkim::FieldIndex> index_;
  std::string covered_;                  // the canonical sets
  std::vector<std::size_t> covered_by_;  // by instance: what of them comes before its seal
  std::size_t early_keys_ = 0;
  bool any_field_ = false;
  Outcome outcome_;
};

void Verifier::Impl::fail(std::string reason) {
  outcome_.result = Result::fail;
  outcome_.reason = std::move(reason);
}

void Verifier::Impl::field(const mail::Field& field) {
  if (!is_arc_field(field)) return;
  any_field_ = true;
  if (early_keys_ >= kMaxEarlyKeys || field.value.size() > dkim::kMaxSignatureField) return;
  const auto tags = mail::TagList::parse(field.value);
  dkim::Signature signature;
  if (!tags || dkim::read_signer(*tags, signature)) return;
  ++early_keys_;
  prefetch(signature);
}

void Verifier::Impl::prefetch(const dkim::Signature& signature) {
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
  if (!any_field_) return;
  auto sets = collect_sets(fields);
  if (!sets) return fail(sets.error().message);
  if (sets->empty()) return;
  index_.emplace(fields);
  sets_ = std::move(*sets);
  outcome_.instances = static_cast<int>(sets_.size());
  outcome_.sealer = set(sets_.size()).seal.domain;
  if (auto reason = problem_of_structure(); !reason.empty()) return fail(std::move(reason));
  const auto newest = sets_.size();
  prefetch(set(newest).message);
  bodies_.resize(newest);
  for (std::size_t i = newest; i >= 1; --i) {
    if (newest - i < kMaxKeysAtOnce) prefetch(set(i).seal);
    const auto& message = set(i).message;
    if (set(i).message_problem || message.body.hash == crypto::Hash::sha1) continue;
    // Whole bodies only: what l= leaves unsigned is not accepted, so there are two hashes at most.
    bodies_[i - 1] = &hashes.want({message.body.hash, message.body.canonicalization, std::nullopt});
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
  if (!body) return "rsa-sha1 is not accepted";
  if (const auto problem = dkim::judge_time(signature, {options_.now, options_.clock_skew})) return problem->reason;
  if (signature.body.length && body->seen() > *signature.body.length) return "l= leaves part of the body unsigned";
  if (const auto problem = dkim::judge_body(signature, *body)) return problem->reason;
  return problem_of_key(signature, dkim::header_digest(signature, *index_, set(instance).message_field), deadline);
}

// RFC 8617 Section 5.1.1: all sets, oldest first, each as results, message signature, seal.
void Verifier::Impl::canonicalize_sets() {
  const auto add = [&](std::size_t position) {
    const auto& field = index_->fields()[position];
    dkim::append_canonical(field.name, field.value, dkim::Canonicalization::relaxed, covered_);
    covered_ += "\r\n";
  };
  for (const auto& each : sets_) {
    add(each.results_field);
    add(each.message_field);
    covered_by_.push_back(covered_.size());
    add(each.seal_field);
  }
}

// Up to that set, whose seal comes last, without its b= and without CRLF.
std::vector<std::uint8_t> Verifier::Impl::seal_digest(std::size_t instance) const {
  const auto& field = index_->fields()[set(instance).seal_field];
  std::string own;
  dkim::append_canonical(field.name, dkim::without_signature(field.value), dkim::Canonicalization::relaxed, own);
  crypto::Hasher hasher(set(instance).seal.body.hash);
  hasher.update(std::string_view(covered_).substr(0, covered_by_[instance - 1]));
  hasher.update(own);
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
  // RFC 6376 Section 5.4: From must be signed. Without it, nobody vouches for whom the message is from.
  const auto& names = set(sets_.size()).message.signed_fields;
  if (std::ranges::find(names, "from") == names.end()) return seals;
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
  canonicalize_sets();
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
