#include "ses/observed.h"

#include <fmt/format.h>

#include <algorithm>

#include "dns/name.h"
#include "ses/dkim_state.h"
#include "ses/faults.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
// What broke longer ago says nothing of today's mail.
constexpr std::int64_t kFresh = 7 * kDay;

using Faults = std::vector<ServerFault>;

// Who is at fault, and what helps: one server of several can be taken out of the delegation, but not the last.
std::string who_fails(const Extent& extent) {
  if (extent.failing == 1 && !extent.is_all()) return "A name server fails";
  auto text = to_text(extent) + (extent.failing == 1 ? " fails" : " fail");
  text.front() = to_upper(text.front());
  return text;
}

std::string remedy_for(const Faults& faults, const Extent& extent) {
  const auto names = some_of(servers_of(faults));
  const bool one = extent.failing == 1;
  if (std::ranges::all_of(faults, [](const ServerFault& each) { return each.answer.starts_with("serial "); }))
    return fmt::format("Make the name server{} {} load the zone again", one ? "" : "s", names);
  if (extent.is_all()) return "Mend the zone, or the servers themselves: no other would be left";
  if (one) return "Mend the name server " + names + ", or remove it from the delegation while others answer well";
  return extent.asked > 0 ? "Mend the name servers " + names + ", or remove them while others answer well"
                          : "Mend the zone at its name servers; remove one only while others answer well";
}

const ServerFault& worst_of(const Faults& faults) {
  return *std::ranges::max_element(
      faults, {}, [](const ServerFault& fault) { return std::pair(fault.transport != "TCP", fault.count); });
}

void report_present(const Faults& faults, const Identity& identity, std::vector<Finding>& findings) {
  if (faults.empty()) return;
  const auto& worst = worst_of(faults);
  Faults same = {worst};
  for (const auto& each : faults)
    if (each.server == worst.server && each.name == worst.name && each.type == worst.type &&
        each.answer == worst.answer && each.transport != worst.transport)
      same.push_back(each);
  const auto others = faults.size() - same.size();
  const auto transports = transports_of(same);
  const auto extent = extent_of(faults);
  findings.push_back(make_finding(
      Code::dkim_records_flap,
      {{"who", who_fails(extent)},
       {"domain", std::string(identity.domain())},
       {"servers", extent.failing == 1 ? "" : some_of(servers_of(faults)) + "; "},
       {"fault", sentence(worst)},
       {"how", fmt::format("{} time{} since {}{}{}", worst.count, worst.count == 1 ? "" : "s", timestamp(worst.first),
                           transports.empty() ? "" : " over " + transports,
                           others == 0 ? "" : fmt::format(", and {} other fault{}", others, others == 1 ? "" : "s"))},
       {"remedy", remedy_for(faults, extent)},
       {"seen", what_ses_saw(identity.verification)}}));
}

// Takes out of `faults` those of a name whose CNAME answers while TXT fails wherever it was asked for: by the number
// of servers, or by what our own look-up shows where that is not known. No one server is at fault then.
Faults take_txt_faults(const KeyRecords& records, Faults& faults) {
  Faults taken;
  for (const auto& selector : records.selectors) {
    if (selector.expected.empty()) continue;
    Faults own;
    for (const auto& fault : faults)
      if (fault.name == selector.name) own.push_back(fault);
    const auto is_txt_failure = [](const ServerFault& each) { return each.type == dns::Type::txt && is_failure(each); };
    const auto extent = extent_of(own);
    const bool everywhere = extent.asked > 0 ? extent.is_all() : selector.txt_only_fails && extent.failing > 1;
    if (own.empty() || !everywhere || !std::ranges::all_of(own, is_txt_failure)) continue;
    taken.insert(taken.end(), own.begin(), own.end());
    std::erase_if(faults, [&](const ServerFault& fault) { return fault.name == selector.name; });
  }
  return taken;
}

void report_txt(const Faults& faults, Observed& observed) {
  if (faults.empty()) return;
  for (const auto& fault : faults)
    if (std::ranges::find(observed.txt_fails, fault.name) == observed.txt_fails.end())
      observed.txt_fails.push_back(fault.name);
  const auto& worst = worst_of(faults);
  observed.causes.push_back(make_finding(
      Code::dkim_txt_servfail, {{"name", join(observed.txt_fails, ", ")},
                                {"status", fmt::format("{} from {} since {}", worst.answer, to_text(extent_of(faults)),
                                                       timestamp(worst.first))}}));
}

// The records are well now; SES has not seen it yet.
void report_past(const std::vector<ServerFault>& faults, const Identity& identity, std::vector<Finding>& findings) {
  const auto status = identity.dkim.status;
  if (faults.empty() || (status != Status::temporary_failure && status != Status::pending)) return;
  const auto& last = *std::ranges::max_element(faults, {}, &ServerFault::last);
  const auto checked = identity.verification.last_checked;
  findings.push_back(
      make_finding(Code::dkim_past_fault, {{"domain", std::string(identity.domain())},
                                           {"fault", "at " + timestamp(last.last) + " " + sentence(last)},
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
                                  {{"who", percent(errors.share) + " of receivers could not get"},
                                   {"domain", std::string(identity.domain())},
                                   {"server", errors.server.empty() ? "a name server" : errors.server},
                                   {"transport", errors.transport.empty() ? "UDP or TCP" : errors.transport}}));
}

// Only who gets no whole answer over UDP asks over TCP: SES does not, receivers seldom do.
void report_tcp(const Faults& faults, const Identity& identity, std::vector<Finding>& findings) {
  if (faults.empty()) return;
  findings.push_back(make_finding(Code::dkim_temperror_partial, {{"who", "Receivers that ask over TCP may not get"},
                                                                 {"domain", std::string(identity.domain())},
                                                                 {"server", some_of(servers_of(faults))},
                                                                 {"transport", "TCP"}}));
}

// What is told of the outage as a whole, and what fails over TCP alone, is taken out of `faults`.
Faults take_tcp_faults(const std::optional<Outage>& outage, Faults& faults) {
  if (outage && outage->missing_since && !outage->restored)
    std::erase_if(faults, [&](const ServerFault& fault) {
      return std::ranges::find(outage->names, fault.name) != outage->names.end();
    });
  const auto is_tcp = [](const ServerFault& fault) { return fault.transport == "TCP"; };
  const auto over_udp = [&](const ServerFault& fault) {
    return std::ranges::any_of(faults, [&](const ServerFault& other) {
      return !is_tcp(other) && other.server == fault.server && other.name == fault.name;
    });
  };
  Faults alone;
  for (const auto& fault : faults)
    if (is_tcp(fault) && !over_udp(fault)) alone.push_back(fault);
  std::erase_if(faults, [&](const ServerFault& fault) { return is_tcp(fault) && !over_udp(fault); });
  return alone;
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

// When it was that SES signed mail with these records, as far as came back. Only SES has the keys of Easy DKIM.
std::optional<std::int64_t> last_signed(const Surroundings& world, const Identity& identity, const KeyRecords& records,
                                        const Arrival& arrival) {
  const auto mine = [&](const Selector& s) { return !s.expected.empty() && s.selector == arrival.selector; };
  if (arrival.time > world.now || !is_signed_for(world, identity, arrival)) return std::nullopt;
  return std::ranges::any_of(records.selectors, mine) ? std::optional(arrival.time) : std::nullopt;
}

// "No name server has had t1._domainkey.example.com since ...".
std::string absence(const Outage& outage) {
  return "no name server " + std::string(outage.restored ? "had " : "has had ") + join(outage.names, ", ") +
         (outage.restored ? " from " : " since ") + timestamp(*outage.missing_since) +
         (outage.restored ? " to " + timestamp(*outage.restored) : "");
}

// Of an outage in which no server had a record; what some servers lack is told with its server.
void report_outage(const Outage& outage, const Identity& identity, Observed& observed) {
  using Phase = Clocks::Phase;
  const auto& clocks = observed.clocks;
  if (!outage.missing_since || clocks.phase == Phase::as_usual) return;
  const std::string domain(identity.domain());
  const auto severity = clocks.goes_on == Tri::no ? Severity::error : Severity::unknown;
  const auto between = [](const Span& span) {
    return "between " + timestamp(span.earliest) + " and " + timestamp(span.latest);
  };
  if (clocks.phase == Phase::revoked || (clocks.phase == Phase::may_be_revoked && outage.restored)) {
    const bool sure = clocks.phase == Phase::revoked;
    observed.outcome.push_back(
        make_finding(Code::dkim_revoked, severity,
                     {{"has", sure ? "has" : "may have"},
                      {"domain", domain},
                      {"evidence", "by its own clock: " + absence(outage)},
                      {"serve", sure ? "no longer serve" : "may no longer serve"},
                      {"unless", " unless its status there is SUCCESS, which sesame sync tells here"}}));
  } else if (outage.restored) {
    observed.outcome.push_back(
        make_finding(Code::dkim_past_fault, severity,
                     {{"domain", domain},
                      {"fault", absence(outage) + ", and until " + timestamp(*outage.restored + kNoticed) +
                                    " SES may not have seen that they are back"}}));
  } else {
    const bool stopped = clocks.goes_on == Tri::no;
    observed.outcome.push_back(
        make_finding(Code::dkim_lost, severity,
                     {{"can", stopped ? "can" : "may"},
                      {"domain", domain},
                      {"evidence", absence(outage)},
                      {"effect", stopped ? "by its own clock it had stopped signing by " +
                                               timestamp(clocks.stops.latest) + " at the latest: treat mail as unsigned"
                                         : "by its own clock it stops signing by " + timestamp(clocks.stops.latest) +
                                               " at the latest, and may have done so"},
                      {"end", " (" + between(clocks.ends) + ")"}}));
  }
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

bool covers(const std::string& zone, std::string_view name) {
  return !zone.empty() && dns::is_at_or_below(name, zone);
}

}  // namespace

History history_for(const Surroundings& world, const Identity& identity) {
  if (!world.observer) return {};
  const auto& key_holder = key_owner(world.account, identity);
  auto history = world.observer->history_of(key_holder);
  if (&key_holder == &identity) return history;
  auto own = world.observer->history_of(identity);
  history.arrival = std::move(own.arrival);
  history.arrivals = own.arrivals;
  history.mail_from_outage = std::move(own.mail_from_outage);
  return history;
}

Clocks dkim_clocks_of(const Surroundings& world, const Identity& identity, const History& history,
                      const KeyRecords& records) {
  if (!history.dkim_outage) return {};
  auto content = last_content(identity);
  if (history.arrival)
    if (const auto seen = last_signed(world, identity, records, *history.arrival))
      content = std::max(*seen, content.value_or(0));
  return dkim_clocks(*history.dkim_outage, content, world.now);
}

Clocks mail_from_clocks_of(const Surroundings& world, const Identity& identity, const History& history) {
  const auto& outage = history.mail_from_outage;
  const auto host = dns::canonical(identity.mail_from.domain);
  // What was observed of a domain that was set before says nothing of this one.
  if (!outage || !host || std::ranges::find(outage->names, *host) == outage->names.end()) return {};
  auto content = last_content_with_mail_from(identity);
  if (history.arrival && history.arrival->mail_from_domain == *host && history.arrival->time <= world.now)
    content = std::max(history.arrival->time, content.value_or(0));
  return mail_from_clocks(*outage, content, world.now);
}

Observed observe(const Surroundings& world, const Identity& identity, const KeyRecords& records) {
  Observed observed;
  if (!world.observer) return observed;
  auto history = history_for(world, identity);
  const auto covered = [&](const Selector& s) {
    return covers(history.bogus_zone, s.name) || covers(history.bogus_zone, s.expected);
  };
  observed.bogus = covers(history.bogus_zone, identity.domain()) || std::ranges::any_of(records.selectors, covered);
  if (observed.bogus) observed.causes.push_back(make_finding(Code::dns_dnssec_bogus, {{"zone", history.bogus_zone}}));
  if (history.delegation) {
    report_delegation(*history.delegation, identity, observed.causes);
    observed.servers_differ = !history.delegation->only_on.empty();
  }
  const auto over_tcp = take_tcp_faults(history.dkim_outage, history.present);
  observed.servers_differ = observed.servers_differ || !history.present.empty();
  report_txt(take_txt_faults(records, history.present), observed);
  report_present(history.present, identity, observed.causes);
  observed.some_failed = !over_tcp.empty();
  report_tcp(over_tcp, identity, observed.remarks);
  observed.clocks = dkim_clocks_of(world, identity, history, records);
  if (history.dkim_outage) report_outage(*history.dkim_outage, identity, observed);
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
