// Which record applies to an author domain: RFC 9989 Section 4.10.1, RFC 7489 Section 6.6.3.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <list>

#include "dmarc/dmarc.h"
#include "dmarc/walk.h"
#include "dns/name.h"
#include "util/text.h"

namespace sesame::dmarc {
namespace {

using State = Discovery::State;

Policy softer(Policy policy) {
  return policy == Policy::reject ? Policy::quarantine : Policy::none;
}

// RFC 9989 Section 4.10.1, RFC 7489 Section 6.6.3 step 6: a record whose policy cannot be read stands for p=none when
// its owner asked for reports, and otherwise for nothing.
bool is_policy_readable(const Record& record, Vintage vintage) {
  return record.p && !record.sp_invalid && (vintage == Vintage::rfc7489 || !record.np_invalid);
}

}  // namespace

struct Evaluator::Impl {
  Impl(dns::Resolver& resolver, Vintage kind, std::shared_ptr<const PublicSuffixList> list, Deadline deadline)
      : vintage(kind), suffixes(std::move(list)), records(resolver, deadline) {}

  Discovery discover(const std::string& author_domain);
  void discover_by_walk(Discovery& discovery);
  void discover_by_suffix(Discovery& discovery);
  void use(Discovery& discovery, const std::string& name, const Record& record);
  Policy subdomain_policy(Discovery& discovery, const Record& record);
  OrganizationalDomain organizational_domain(const std::string& name);

  Vintage vintage;
  std::shared_ptr<const PublicSuffixList> suffixes;
  Records records;
  std::list<Discovery> discoveries;  // one as a rule, each with another `domain`
};

// RFC 9989 Section 4.7: np for names that are not in the DNS, sp for all others below, each falling back.
Policy Evaluator::Impl::subdomain_policy(Discovery& discovery, const Record& record) {
  const auto sp = record.sp.value_or(*record.p);
  if (vintage == Vintage::rfc7489 || !record.np || *record.np == sp) return sp;
  switch (records.exists(discovery.domain)) {
    case Tri::yes:
      return sp;
    case Tri::no:
      return *record.np;
    case Tri::unknown:
      break;
  }
  // Whether the domain exists decides nothing but how hard the policy is.
  discovery.problems.push_back(printable(discovery.domain) +
                               ": not known whether it exists, so the softer of sp and np applies");
  return std::min(sp, *record.np);
}

void Evaluator::Impl::use(Discovery& discovery, const std::string& name, const Record& record) {
  discovery.record = record;
  discovery.record_domain = name;
  discovery.state = State::found;
  if (is_policy_readable(record, vintage)) {
    discovery.policy = name == discovery.domain ? *record.p : subdomain_policy(discovery, record);
  } else {
    const auto what = fmt::format("_dmarc.{}: p is missing or a policy is not valid", printable(name));
    discovery.problems.push_back(what);
    if (record.rua.empty()) {
      discovery.state = State::absent;
      discovery.reason = what;
    }
  }
  // One level less is asked for by t=y in RFC 9989 Section 4.7, and for certain by pct=0 in RFC 7489 Section 6.6.4.
  // Neither knows the other's.
  const bool testing = vintage == Vintage::rfc9989 ? record.testing : record.sampled_out;
  discovery.disposition = testing ? softer(discovery.policy) : discovery.policy;
}

// The author domain's own record comes first, then that of the Organizational Domain, then that of the public suffix
// domain above it.
void Evaluator::Impl::discover_by_walk(Discovery& discovery) {
  const auto& walk = records.walk(discovery.domain);
  discovery.org_domain = walk.org_domain;
  discovery.problems = walk.problems;
  const auto stop_at = [&](std::string_view name) { return std::ranges::find(walk.found, name, &Walk::Stop::name); };
  if (const auto own = stop_at(discovery.domain); own != walk.found.end())
    return use(discovery, own->name, *own->record);
  if (walk.org_domain.empty()) {
    discovery.state = State::temperror;
    discovery.reason = walk.reason;
    return;
  }
  if (const auto org = stop_at(walk.org_domain); org != walk.found.end())
    return use(discovery, org->name, *org->record);
  const auto psd = std::ranges::find(walk.found, Record::Psd::y, [](const auto& stop) { return stop.record->psd; });
  if (psd != walk.found.end()) use(discovery, psd->name, *psd->record);
}

// RFC 7489 Section 6.6.3: two names at most, and several records at one of them end it.
void Evaluator::Impl::discover_by_suffix(Discovery& discovery) {
  discovery.org_domain = suffixes->organizational_domain(discovery.domain);
  for (const std::string& name : {std::cref(discovery.domain), std::cref(discovery.org_domain)}) {
    const auto& published = records.at(name);
    if (dns::is_temporary(published.status)) {
      discovery.state = State::temperror;
      discovery.reason = no_answer(record_name(name), published.status);
      return;
    }
    auto fault = fault_of(name, published);
    // Both names may be the same.
    if (!fault.empty() && std::ranges::find(discovery.problems, fault) == discovery.problems.end())
      discovery.problems.push_back(std::move(fault));
    if (published.records > 1) return;
    if (published.record) return use(discovery, name, *published.record);
  }
}

OrganizationalDomain Evaluator::Impl::organizational_domain(const std::string& name) {
  if (vintage == Vintage::rfc7489) return {suffixes->organizational_domain(name), ""};
  const auto& walk = records.walk(name);
  return {walk.org_domain, walk.reason};
}

Evaluator::Evaluator(dns::Resolver& resolver, Vintage vintage, std::shared_ptr<const PublicSuffixList> suffixes,
                     Deadline deadline)
    : impl_(std::make_unique<Impl>(resolver, vintage, suffixes ? std::move(suffixes) : PublicSuffixList::system(),
                                   deadline)) {}
Evaluator::~Evaluator() = default;

Discovery Evaluator::Impl::discover(const std::string& author_domain) {
  Discovery discovery;
  const auto name = dns::canonical(author_domain);
  discovery.domain = name.value_or(author_domain);
  if (!name || !dns::is_hostname(*name)) {
    discovery.state = State::permerror;
    discovery.reason = fmt::format("\"{}\" is not a domain name", printable(author_domain));
    return discovery;
  }
  // A top-level domain or a machine's own name is nobody's author domain, and is not asked about.
  if (dns::label_count(*name) == 1) {
    discovery.org_domain = *name;
    discovery.reason = *name + " has one label";
    return discovery;
  }
  if (vintage == Vintage::rfc9989) {
    discover_by_walk(discovery);
  } else {
    discover_by_suffix(discovery);
  }
  if (discovery.state == State::absent && discovery.reason.empty() && !discovery.problems.empty())
    discovery.reason = discovery.problems.front();
  return discovery;
}

const Discovery& Evaluator::discover(const std::string& author_domain) {
  auto& discoveries = impl_->discoveries;
  const auto known = std::ranges::find(discoveries, author_domain, &Discovery::domain);
  return known != discoveries.end() ? *known : discoveries.emplace_back(impl_->discover(author_domain));
}

OrganizationalDomain Evaluator::organizational_domain(const std::string& domain) {
  const auto name = dns::canonical(domain);
  if (!name || name->empty()) return {"", fmt::format("\"{}\" is not a domain name", printable(domain))};
  return impl_->organizational_domain(*name);
}

// RFC 9989 Sections 4.4 and 4.10.2, RFC 7489 Section 3.1.
Tri Evaluator::aligned(const Discovery& author, const std::string& identifier, Mode mode) {
  const auto name = dns::canonical(identifier);
  if (!name || name->empty() || author.domain.empty()) return Tri::no;
  if (*name == author.domain) return Tri::yes;
  if (mode == Mode::strict) return Tri::no;
  // An Organizational Domain is the name itself or one above it. So names that have nothing in common, and a name that
  // is not below the author's Organizational Domain, are told apart without a walk.
  const auto above = author.org_domain.empty() ? dns::rightmost(author.domain, 1) : std::string_view(author.org_domain);
  if (!dns::is_at_or_below(*name, above)) return Tri::no;
  if (author.org_domain.empty()) return Tri::unknown;
  const auto org = impl_->organizational_domain(*name);
  return org.domain.empty() ? Tri::unknown : tri(org.domain == author.org_domain);
}

namespace {

// Asks about `name`, one of those of the walk from `start`, and goes on from there as the walk will.
void walk_ahead(dns::Resolver& resolver, const std::string& start, std::string_view name) {
  const auto labels = dns::label_count(name);
  resolver.prefetch_then(record_name(name), dns::Type::txt,
                         [start, labels](dns::Resolver& behind, const dns::Answer& answer) {
                           if (ends_walk(read(answer))) return;
                           const auto next = next_name(start, dns::rightmost(start, labels));
                           if (!next.empty()) walk_ahead(behind, start, next);
                         });
}

}  // namespace

void prefetch(dns::Resolver& resolver, std::string_view author_domain) {
  const auto start = dns::canonical(author_domain);
  if (!start || dns::label_count(*start) < 2) return;
  walk_ahead(resolver, *start, *start);
}

}  // namespace sesame::dmarc
