#include <algorithm>
#include <optional>
#include <utility>

#include "dkim/body_hash.h"
#include "dkim/dkim.h"
#include "dkim/header_hash.h"
#include "dkim/judge.h"
#include "dkim/key.h"
#include "dkim/signature.h"
#include "dns/name.h"

namespace sesame::dkim {
namespace {

// One DKIM-Signature field on its way to an outcome.
struct Candidate {
  Signature signature;
  MaybeProblem problem;            // set as soon as it cannot pass
  const BodyHash* body = nullptr;  // set when the body may decide
  bool asked = false;              // for its key, in advance
};

// 0: of the author's own domain; 1: of a parent or child of one; 2: of somebody else.
int distance(const std::string& domain, std::span<const std::string> authors) {
  int least = 2;
  for (const auto& author : authors) {
    if (domain == author) return 0;
    if (dns::is_at_or_below(domain, author) || dns::is_at_or_below(author, domain)) least = 1;
  }
  return least;
}

Outcome describe(const Signature& signature) {
  Outcome outcome;
  outcome.domain = signature.domain;
  outcome.selector = signature.selector;
  outcome.identity = signature.identity;
  outcome.algorithm = signature.algorithm;
  outcome.b_prefix = signature.b_prefix;
  outcome.signed_fields = signature.signed_fields;
  outcome.signed_at = signature.signed_at;
  return outcome;
}

}  // namespace

const char* to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::policy:
      return "policy";
    case Result::neutral:
      return "neutral";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      break;
  }
  return "permerror";
}

class Verifier::Impl {
 public:
  Impl(dns::Resolver& resolver, const Options& options) : resolver_(&resolver), options_(options) {}

  void field(const mail::Field& field);
  void end_of_header(std::span<const mail::Field> fields, std::span<const std::string> author_domains);
  std::vector<Outcome> finish(Deadline deadline);

  BodyHashes hashes;

 private:
  MaybeProblem judge_early(const Signature& signature) const;
  void prefetch(Candidate& candidate);
  Problem over_limit() const;
  void judge_bodies();
  Outcome judge(const Candidate& candidate, std::size_t position, Deadline deadline) const;

  dns::Resolver* resolver_;
  Options options_;
  std::vector<Candidate> candidates_;
  std::vector<std::size_t> tried_;  // which of them, those of the author first
  std::size_t prefetched_ = 0;
  std::optional<FieldIndex> index_;
};

// What the clock and our own limits say, before anything is asked.
MaybeProblem Verifier::Impl::judge_early(const Signature& signature) const {
  // RFC 8301 Section 3.1
  if (signature.body.hash == crypto::Hash::sha1 && options_.keys == Options::Keys::strict)
    return Problem{Result::permerror, "unsupported: rsa-sha1 is not accepted (RFC 8301)"};
  return judge_time(signature, {options_.now, options_.clock_skew});
}

void Verifier::Impl::prefetch(Candidate& candidate) {
  if (std::exchange(candidate.asked, true)) return;
  resolver_->prefetch(key_name(candidate.signature.selector, candidate.signature.domain), dns::Type::txt);
}

void Verifier::Impl::field(const mail::Field& field) {
  if (!mail::is_named(field, "DKIM-Signature")) return;
  auto parsed = parse_signature(field.value);
  if (!parsed.problem) parsed.problem = judge_early(parsed.signature);
  candidates_.push_back({std::move(parsed.signature), std::move(parsed.problem)});
  // Which ones will be tried is known only with the author; the first few are asked for already.
  if (candidates_.back().problem || prefetched_ == options_.max_signatures) return;
  ++prefetched_;
  prefetch(candidates_.back());
}

void Verifier::Impl::end_of_header(std::span<const mail::Field> fields, std::span<const std::string> author_domains) {
  if (candidates_.empty()) return;
  index_.emplace(fields);
  std::vector<std::pair<int, std::size_t>> order;
  for (std::size_t i = 0; i < candidates_.size(); ++i)
    if (!candidates_[i].problem) order.emplace_back(distance(candidates_[i].signature.domain, author_domains), i);
  std::ranges::sort(order);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    auto& candidate = candidates_[order[rank].second];
    // One hash serves many signatures; there are only so many different ones.
    if (hashes.size() >= options_.max_signatures && !hashes.has(candidate.signature.body)) {
      candidate.problem = over_limit();
      continue;
    }
    tried_.push_back(order[rank].second);
    if (rank < options_.max_signatures) prefetch(candidate);
    candidate.body = &hashes.want(candidate.signature.body);
  }
}

Problem Verifier::Impl::over_limit() const {
  return {Result::neutral, "limit: not tried, more than " + std::to_string(options_.max_signatures) + " signatures"};
}

// What the body refutes is certain whatever DNS says, and costs neither a wait nor a verification, so that it uses up
// nothing of the limit either.
void Verifier::Impl::judge_bodies() {
  std::size_t left = options_.max_signatures;
  for (const auto i : tried_) {
    auto& candidate = candidates_[i];
    candidate.problem = judge_body(candidate.signature, *candidate.body);
    if (candidate.problem) continue;
    if (left == 0) {
      candidate.problem = over_limit();
      continue;
    }
    --left;
    prefetch(candidate);
  }
}

Outcome Verifier::Impl::judge(const Candidate& candidate, std::size_t position, Deadline deadline) const {
  const auto& signature = candidate.signature;
  auto outcome = describe(signature);
  if (candidate.problem) {
    outcome.result = candidate.problem->result;
    outcome.reason = candidate.problem->reason;
    return outcome;
  }
  const auto digest = header_digest(signature, *index_, position);
  if (digest.empty()) {
    outcome.result = Result::temperror;
    outcome.reason = "header hash: could not be computed";
    return outcome;
  }
  auto limits = options_.limits;
  if (options_.keys == Options::Keys::lax) limits.min_rsa_bits = 0;
  auto verdict = check_key(*resolver_, signature, digest, limits, deadline);
  outcome.result = verdict.result;
  outcome.reason = std::move(verdict.reason);
  outcome.testing = verdict.testing;
  if (outcome.result != Result::pass) return outcome;
  if (outcome.testing) {
    outcome.reason = "key: in testing (t=y)";
    if (options_.testing == Options::Testing::refuse) outcome.result = Result::policy;
  }
  // RFC 6376 Section 8.2: anything may follow what l= covers.
  if (signature.body.length && candidate.body->seen() > *signature.body.length) {
    outcome.result = Result::policy;
    outcome.reason =
        "body hash: only the first " + std::to_string(*signature.body.length) + " octets of the body are signed (l=)";
  }
  return outcome;
}

std::vector<Outcome> Verifier::Impl::finish(Deadline deadline) {
  std::vector<Outcome> outcomes;
  if (!index_) return outcomes;
  hashes.finish();
  judge_bodies();
  const auto places = index_->of("dkim-signature");
  outcomes.resize(std::min(places.size(), candidates_.size()));
  const auto settle = [&](std::size_t i) {
    if (i < outcomes.size()) outcomes[i] = judge(candidates_[i], places[i].position, deadline);
  };
  // In that order also here: keys that decoys make slow must not use up the time for those of the author.
  std::ranges::for_each(tried_, settle);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (!candidates_[i].body) settle(i);
  return outcomes;
}

Verifier::Verifier(dns::Resolver& resolver, const Options& options)
    : impl_(std::make_unique<Impl>(resolver, options)) {}
Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

void Verifier::field(const mail::Field& field) {
  impl_->field(field);
}
void Verifier::end_of_header(std::span<const mail::Field> fields, std::span<const std::string> author_domains) {
  impl_->end_of_header(fields, author_domains);
}
void Verifier::body(std::string_view chunk) {
  impl_->hashes.update(chunk);
}
bool Verifier::wants_body() const {
  return impl_->hashes.wants_more();
}
std::vector<Outcome> Verifier::finish(Deadline deadline) {
  return impl_->finish(deadline);
}

}  // namespace sesame::dkim
