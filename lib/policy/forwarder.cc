#include "policy/forwarder.h"

#include <algorithm>

#include "authres/authres.h"
#include "mail/address.h"
#include "util/text.h"

namespace sesame::policy {
namespace {

bool is_about(const authres::Statement& statement, const std::string& author_domain) {
  return std::ranges::any_of(statement.properties, [&](const authres::Property& property) {
    return iequals(property.type, "header") && iequals(property.name, "from") &&
           mail::to_ascii_domain(property.value) == author_domain;
  });
}

// It says dmarc=pass for this author, and nothing else about DMARC.
bool says_pass(const std::string& results, const std::string& author_domain) {
  const auto header = authres::parse(results);
  if (!header) return false;
  std::size_t passes = 0;
  for (const auto& statement : header->statements) {
    // RFC 8601 Section 2.2: what a later version of a method means is not known.
    if (!iequals(statement.method, "dmarc") || statement.version != 1) continue;
    if (!iequals(statement.result, "pass") || !is_about(statement, author_domain)) return false;
    ++passes;
  }
  return passes > 0;
}

}  // namespace

std::string trusted_forwarder(const arc::Outcome& chain, const std::string& author_domain,
                              std::span<const std::string> trusted) {
  if (chain.result != arc::Result::pass) return {};
  for (const auto& set : chain.sets) {
    if (std::ranges::find(trusted, set.sealer) == trusted.end()) return {};
    if (says_pass(set.results, author_domain)) return set.sealer;
  }
  return {};
}

}  // namespace sesame::policy
