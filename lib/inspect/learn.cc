#include "inspect/learn.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ses/arrivals.h"
#include "ses/contradiction.h"
#include "ses/sighting.h"

namespace sesame::inspect {
namespace {

using Proof = ses::Sighting::Proof;

// An account with its identity that covers the author.
struct Owner {
  const ses::Account* account = nullptr;
  const ses::Identity* identity = nullptr;
};

// By the standard that was evaluated.
const dmarc::Outcome& dmarc_of(const policy::Report& report) {
  return report.dmarc.discovery.domain.empty() ? report.dmarc_rfc7489 : report.dmarc;
}

// Where no record says how, a domain aligns with itself.
bool dkim_aligns(const policy::Report& report) {
  return dmarc_of(report).dkim_aligned == Tri::yes || std::ranges::any_of(report.dkim, [&](const dkim::Outcome& each) {
           return each.result == dkim::Result::pass && each.domain == report.author.domain();
         });
}

bool spf_aligns(const policy::Report& report) {
  const auto& spf = report.spf_mail_from;
  return dmarc_of(report).spf_aligned == Tri::yes ||
         (spf && spf->result == spf::Result::pass && spf->domain == report.author.domain());
}

ses::Received received(const policy::Report& report, const Lesson& lesson) {
  return {lesson.envelope,
          lesson.fields,
          report.author,
          report.dkim,
          report.spf_mail_from ? &*report.spf_mail_from : nullptr,
          dkim_aligns(report),
          spf_aligns(report),
          lesson.now,
          lesson.resolver,
          lesson.deadline};
}

// Those of the region that sent the message, or of all where it is not known.
std::vector<Owner> owners(const ses::Accounts& accounts, const mail::Mailbox& author, const std::string& region) {
  std::vector<Owner> found;
  for (const auto& account : accounts.all()) {
    if (!region.empty() && account.region != region) continue;
    if (const auto* identity = account.covering(author)) found.push_back({&account, identity});
  }
  return found;
}

// Whose mail it is, where several accounts send for the author: shown by the selector, else the one that would be used.
Owner owner_of(const std::vector<Owner>& candidates, const ses::Accounts& accounts, const mail::Mailbox& author,
               const std::string& selector) {
  const auto signs = [&](const Owner& each) {
    const auto& tokens = each.identity->dkim.tokens;
    return std::ranges::find(tokens, selector) != tokens.end();
  };
  auto found = std::ranges::find_if(candidates, signs);
  if (found != candidates.end()) return *found;
  const auto* usual = accounts.relay_of({&author, &author, ""}).account;
  found = std::ranges::find(candidates, usual, &Owner::account);
  return found != candidates.end() ? *found : candidates.front();
}

// What would be foreseen for mail of the same author.
ses::Prediction foresee(const ses::Surroundings& world, const mail::Author& author) {
  mail::Envelope envelope;
  envelope.mail_from = author.mailboxes.front().address();
  const mail::Fields fields = {{"From", " " + envelope.mail_from}};
  return ses::predict(world, {envelope, fields, author, {}});
}

void compare(policy::Report& report, const Lesson& lesson, const Owner& owner) {
  const auto& runtime = lesson.runtime;
  const ses::Surroundings world{lesson.resolver,
                                *owner.account,
                                lesson.deadline,
                                runtime.suffixes,
                                lesson.now,
                                runtime.accounts->all(),
                                runtime.config.ses.tracking_configuration_sets,
                                nullptr};
  if (auto finding = ses::contradiction(world, foresee(world, report.author), *report.arrival))
    report.findings.push_back(std::move(*finding));
}

}  // namespace

void learn(policy::Report& report, const Lesson& lesson) {
  if (!report.author.usable()) return;
  const auto& accounts = *lesson.runtime.accounts;
  const auto& author = report.author.mailboxes.front();
  const bool knows_whose = accounts.knows_identities();
  if (knows_whose && owners(accounts, author, "").empty()) return;
  const auto sighting = ses::sight(received(report, lesson));
  if (!sighting) return;
  const auto& seen = sighting->arrival;
  if (!seen.broken_domain.empty())
    report.findings.push_back(ses::make_finding(ses::Code::dkim_broken_after,
                                                {{"domain", seen.broken_domain}, {"reason", seen.broken_reason}}));
  if (sighting->proof == Proof::none) return;
  report.arrival = seen;
  const auto candidates = owners(accounts, author, seen.region);
  if (candidates.empty() || !lesson.runtime.arrivals) return;
  const auto owner = owner_of(candidates, accounts, author, seen.selector);
  if (lesson.runtime.arrivals->observe(*owner.identity, *sighting, lesson.now) == ses::Arrivals::Taken::newest)
    compare(report, lesson, owner);
}

}  // namespace sesame::inspect
