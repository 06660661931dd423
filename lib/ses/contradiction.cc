#include "ses/contradiction.h"

#include <algorithm>
#include <string>
#include <vector>

#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

const std::vector<std::string>& selectors(const Identity& identity, const Account& account) {
  const auto* parent = identity.dkim.tokens.empty() ? replica_parent(identity, account) : nullptr;
  return parent ? parent->dkim.tokens : identity.dkim.tokens;
}

bool signs_with(const Identity& identity, const Account& account, const std::string& selector) {
  const auto& known = selectors(identity, account);
  return !selector.empty() && std::ranges::find(known, selector) != known.end();
}

// Another account may send for the same domain in the same region. Its mail tells nothing of ours, and mail that does
// not show by its selector whose it is may be its.
bool is_of_another_account(const Surroundings& world, const Identity& identity, const Arrival& arrival) {
  if (signs_with(identity, world.account, arrival.selector)) return false;
  return std::ranges::any_of(world.accounts, [&](const Account& other) {
    return other.name != world.account.name && other.region == world.account.region &&
           other.find(identity.name, other.region);
  });
}

bool speaks_of(const Surroundings& world, const Identity& identity, const Arrival& arrival) {
  if (!arrival.region.empty() && arrival.region != world.account.region) return false;
  if (world.now - arrival.time > kArrivalMaxAge) return false;
  if (identity.as_of && *identity.as_of >= arrival.time) return false;
  return !is_of_another_account(world, identity, arrival);
}

// By what is said of the account, whatever DNS has.
bool is_said_not_to_sign(const Dkim& dkim) {
  return !dkim.signing_enabled || dkim.status.value_or(Status::success) != Status::success;
}

// What SES did otherwise about the signature; "" = nothing.
std::string about_signature(const Surroundings& world, const Identity& identity, const DkimLeg& leg,
                            const Arrival& arrival) {
  if (leg.source != "ses") return {};
  if (arrival.signed_domain.empty()) {
    const bool is_missing = arrival.broken_domain.empty() && !arrival.mail_from_domain.empty();
    return is_missing && leg.usable == Tri::yes ? "without a signature d=" + leg.domain : "";
  }
  const auto seen = "signed with d=" + arrival.signed_domain + " s=" + arrival.selector;
  if (leg.usable == Tri::no && is_said_not_to_sign(identity.dkim))
    return seen + ", though SES is said not to sign for it";
  if (leg.usable == Tri::yes && arrival.signed_domain != leg.domain) return seen + ", and not with d=" + leg.domain;
  const auto& known = selectors(identity, world.account);
  if (!known.empty() && arrival.signed_domain == leg.domain && !signs_with(identity, world.account, arrival.selector))
    return seen + ", which is none of its selectors known here";
  return {};
}

// The same about the envelope sender. A reason beside a usable leg says that SES may write another one.
std::string about_sender(const SpfLeg& leg, const Arrival& arrival) {
  const bool is_certain = leg.usable == Tri::no || (leg.usable == Tri::yes && leg.reason.empty());
  if (!is_certain || leg.domain.empty() || arrival.mail_from_domain.empty()) return {};
  if (arrival.mail_from_domain == leg.domain) return {};
  return "from an envelope sender of " + arrival.mail_from_domain + ", and not of " + leg.domain;
}

}  // namespace

std::optional<Finding> contradiction(const Surroundings& world, const Prediction& prediction, const Arrival& arrival) {
  const auto* identity = world.account.find(prediction.identity, world.account.region);
  if (!identity || !speaks_of(world, *identity, arrival)) return std::nullopt;
  std::vector<std::string> differences;
  for (auto text : {about_signature(world, *identity, prediction.dkim, arrival), about_sender(prediction.spf, arrival)})
    if (!text.empty()) differences.push_back(std::move(text));
  if (differences.empty()) return std::nullopt;
  return make_finding(Code::prediction_contradicted, {{"domain", std::string(identity->domain())},
                                                      {"time", timestamp(arrival.time)},
                                                      {"how", join(differences, ", and ")}});
}

}  // namespace sesame::ses
