#include "ses/observed.h"

#include <fmt/format.h>

#include <algorithm>

#include "dns/name.h"
#include "ses/dkim_state.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
// What broke longer ago says nothing of today's mail.
constexpr std::int64_t kFresh = 7 * kDay;

void report_present(const std::vector<ServerFault>& faults, const Identity& identity, std::vector<Finding>& findings) {
  if (faults.empty()) return;
  const auto& worst = *std::ranges::max_element(faults, {}, &ServerFault::count);
  const auto others = faults.size() - 1;
  findings.push_back(make_finding(
      Code::dkim_records_flap,
      {{"domain", std::string(identity.domain())},
       {"server", worst.server},
       {"answer", worst.answer},
       {"type", dns::to_string(worst.type)},
       {"name", worst.name},
       {"how", fmt::format("{} times since {}{}{}", worst.count, timestamp(worst.first),
                           worst.transport.empty() ? "" : " over " + worst.transport,
                           others == 0 ? "" : fmt::format(", and {} other fault{}", others, others == 1 ? "" : "s"))},
       {"seen", what_ses_saw(identity.verification)}}));
}

// The records are well now; SES has not seen it yet.
void report_past(const std::vector<ServerFault>& faults, const Identity& identity, std::vector<Finding>& findings) {
  const auto status = identity.dkim.status;
  if (faults.empty() || (status != Status::temporary_failure && status != Status::pending)) return;
  const auto& last = *std::ranges::max_element(faults, {}, &ServerFault::last);
  const auto checked = identity.verification.last_checked;
  findings.push_back(
      make_finding(Code::dkim_past_fault, {{"domain", std::string(identity.domain())},
                                           {"answer", last.answer},
                                           {"server", last.server},
                                           {"last", timestamp(last.last)},
                                           {"checked", checked ? "; SES last looked at " + timestamp(*checked) : ""}}));
}

void report_delegation(const DelegationMismatch& mismatch, const Identity& identity, std::vector<Finding>& findings) {
  const bool partial = !mismatch.only_on.empty();
  findings.push_back(
      make_finding(Code::dns_delegation_mismatch, partial ? Severity::error : Severity::warning,
                   {{"domain", std::string(identity.domain())},
                    {"parent", join(mismatch.parent, ", ")},
                    {"child", join(mismatch.child, ", ")},
                    {"effect", partial ? mismatch.name + " exists only on " + join(mismatch.only_on, ", ")
                                       : "they have the same records"}}));
}

std::string percent(double share) {
  return share < 0.01 ? "Under 1 %" : fmt::format("{:.0f} %", std::min(share, 1.0) * 100);
}

void report_temperrors(const KeyTemperrors& errors, const Identity& identity, std::vector<Finding>& findings) {
  findings.push_back(make_finding(Code::dkim_temperror_partial,
                                  {{"percent", percent(errors.share)},
                                   {"domain", std::string(identity.domain())},
                                   {"server", errors.server.empty() ? "a name server" : errors.server},
                                   {"transport", errors.transport.empty() ? "UDP or TCP" : errors.transport}}));
}

void report_broken(const Arrival& arrival, const Identity& identity, std::int64_t now, std::vector<Finding>& findings) {
  // Where another signature of the domain verified, the broken one was not SES's.
  if (arrival.broken_domain != identity.domain() || arrival.signed_domain == identity.domain()) return;
  if (now - arrival.time > kFresh) return;
  findings.push_back(
      make_finding(Code::dkim_broken_after,
                   {{"domain", arrival.broken_domain},
                    {"reason", arrival.broken_reason + " (mail that SES signed at " + timestamp(arrival.time) + ")"}}));
}

// Each region and account has tokens of its own.
bool is_signed_for(const Surroundings& world, const Identity& identity, const Arrival& arrival) {
  if (arrival.signed_domain != identity.domain() || arrival.selector.empty()) return false;
  if (!arrival.region.empty() && arrival.region != identity.region) return false;
  return std::ranges::none_of(world.accounts, [&](const Account& account) {
    return account.name != world.account.name && std::ranges::any_of(account.identities, [&](const Identity& other) {
             return other.domain() == identity.domain() && (arrival.region.empty() || other.region == arrival.region);
           });
  });
}

bool covers(const std::string& zone, std::string_view name) {
  return !zone.empty() && dns::is_at_or_below(name, zone);
}

}  // namespace

Observed observe(const Surroundings& world, const Identity& identity, const KeyRecords& records) {
  Observed observed;
  if (!world.observer) return observed;
  // The records are the domain's, where an address signs with its keys; the mail is its own.
  const auto& key_holder = key_owner(world.account, identity);
  auto history = world.observer->history_of(key_holder);
  if (&key_holder != &identity) history.arrival = world.observer->history_of(identity).arrival;
  const auto covered = [&](const Selector& s) {
    return covers(history.bogus_zone, s.name) || covers(history.bogus_zone, s.expected);
  };
  observed.bogus = covers(history.bogus_zone, identity.domain()) || std::ranges::any_of(records.selectors, covered);
  if (observed.bogus) observed.causes.push_back(make_finding(Code::dns_dnssec_bogus, {{"zone", history.bogus_zone}}));
  if (history.delegation) {
    report_delegation(*history.delegation, identity, observed.causes);
    observed.servers_differ = !history.delegation->only_on.empty();
  }
  report_present(history.present, identity, observed.causes);
  observed.servers_differ = observed.servers_differ || !history.present.empty();
  if (!observed.servers_differ && records.right()) report_past(history.past, identity, observed.causes);
  if (history.key_temperrors && history.key_temperrors->share > 0) {
    observed.some_failed = true;
    report_temperrors(*history.key_temperrors, identity, observed.remarks);
  }
  if (!history.arrival) return observed;
  const auto& arrival = *history.arrival;
  report_broken(arrival, identity, world.now, observed.remarks);
  const bool lately = world.now - arrival.time <= kDay && arrival.time - world.now <= kDay;
  if (lately && is_signed_for(world, identity, arrival)) observed.signed_by = arrival;
  return observed;
}

std::string bogus_zone_of(const Surroundings& world, const Identity& identity, std::string_view name) {
  if (!world.observer) return "";
  const auto zone = world.observer->history_of(identity).bogus_zone;
  return covers(zone, name) ? zone : "";
}

}  // namespace sesame::ses
