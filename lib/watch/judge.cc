#include "watch/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "dns/name.h"
#include "ses/diagnose.h"
#include "util/text.h"

namespace sesame::watch {
namespace {

using ses::Code;
using Verdict = Judgement::Verdict;

constexpr const char* kResolver = "the resolver of this host";

std::string who(const Observation& seen) {
  if (seen.from_resolver()) return kResolver;
  return seen.server.empty() ? seen.address : seen.server + " (" + seen.address + ")";
}

// A server whose zone is old has the record; that is told of the zone.
bool is_fault(const Observation& seen, Part part) {
  return seen.quality != Quality::good && (seen.quality != Quality::old || part == Part::zone);
}

// What one server says of one type, or of the record as a whole.
enum class Stand { has, lacks, partly, silent };

Stand stand_of(const std::vector<const Observation*>& answers, const std::vector<dns::Type>& types) {
  std::size_t has = 0, asked = 0;
  bool lacks = false;
  for (const auto type : types) {
    bool any = false, good = false, bad = false;
    for (const auto* seen : answers) {
      if (seen->type != type) continue;
      any = true;
      good = good || seen->quality == Quality::good || seen->quality == Quality::old;
      bad = bad || seen->quality == Quality::absent || seen->quality == Quality::wrong;
    }
    asked += any ? 1 : 0;
    has += good ? 1 : 0;
    lacks = lacks || (bad && !good);
  }
  if (lacks) return Stand::lacks;
  if (has == 0) return Stand::silent;
  return has == asked ? Stand::has : Stand::partly;
}

class Judge {
 public:
  Judge(const Look& look, const RecordLook& record) : look_(look), record_(record.record) {
    std::map<std::string, std::vector<const Observation*>> servers;
    for (const auto& seen : record.observations) {
      all_.push_back(&seen);
      seen.from_resolver() ? resolver_.push_back(&seen) : servers[who(seen)].push_back(&seen);
    }
    if (!look.servers_unreachable)
      for (const auto& [name, answers] : servers) stands_.push_back(stand_of(answers, record_.types));
  }

  Judgement run() && {
    collect_faults();
    if (stands_.empty()) {
      by_resolver();
    } else {
      by_servers();
    }
    if (result_.verdict == Verdict::faulty || result_.verdict == Verdict::missing) explain();
    add_zone_faults();
    add_lack_of_key();
    if (result_.verdict == Verdict::good && !sees_enough()) result_.verdict = Verdict::unproven;
    return std::move(result_);
  }

 private:
  bool any(Stand stand) const { return std::ranges::find(stands_, stand) != stands_.end(); }
  bool is_bogus() const {
    const auto covers = [&](const std::string& name) { return dns::is_at_or_below(name, look_.bogus_zone); };
    return !look_.bogus_zone.empty() &&
           (covers(record_.name) || (!record_.expected.empty() && is_dkim() && covers(record_.expected)));
  }
  bool is_dkim() const { return record_.part == Part::dkim; }
  // Among what the verdict rests on.
  bool any_fault(auto matches) const {
    return std::ranges::any_of(all_, [&](const Observation* seen) {
      return is_fault(*seen, record_.part) && counts(*seen) && matches(*seen);
    });
  }
  bool counts(const Observation& seen) const { return !look_.servers_unreachable || seen.from_resolver(); }
  bool resolver_only() const {
    return !any_fault([](const Observation& seen) { return !seen.from_resolver(); });
  }

  bool sees_enough() const {
    return !look_.servers_unreachable && std::ranges::none_of(all_, [](const auto* seen) { return seen->behind; });
  }

  void collect_faults() {
    for (const auto* seen : all_)
      if (is_fault(*seen, record_.part) && counts(*seen))
        result_.faults.push_back({who(*seen), seen->name, seen->type, seen->answer, dns::to_string(seen->transport),
                                  look_.time, look_.time, 1, seen->from_resolver() ? 0 : stands_.size()});
  }

  void by_resolver() {
    const auto stand = stand_of(resolver_, record_.types);
    result_.somewhere = stand == Stand::has || stand == Stand::partly;
    result_.verdict = resolver_.empty()                              ? Verdict::untold
                      : stand == Stand::lacks && resolver_suffices() ? Verdict::missing
                      : result_.faults.empty()                       ? Verdict::good
                                                                     : Verdict::faulty;
  }

  // Servers that could not even be found may have the record, unless the zone is known to be gone with all it held.
  bool resolver_suffices() const {
    if (look_.servers_unreachable || record_.part == Part::dmarc || record_.part == Part::amazon) return true;
    const auto zone = std::ranges::find(look_.records, Part::zone, [](const auto& each) { return each.record.part; });
    return zone != look_.records.end() && !zone->observations.empty() &&
           std::ranges::all_of(zone->observations, [](const Observation& seen) {
             return seen.from_resolver() && seen.quality == Quality::absent;
           });
  }

  void by_servers() {
    result_.somewhere = any(Stand::has) || any(Stand::partly);
    const bool lacking = any(Stand::lacks) && !result_.somewhere;
    result_.verdict = lacking && !is_one_against_resolver() ? Verdict::missing
                      : result_.faults.empty()              ? Verdict::good
                                                            : Verdict::faulty;
  }

  // One server lacks it, and of the others, which are silent, one has it: the resolver has found it there.
  bool is_one_against_resolver() const {
    return stands_.size() > 1 && std::ranges::count(stands_, Stand::lacks) == 1 &&
           stand_of(resolver_, record_.types) == Stand::has;
  }

  void explain() {
    const auto& faults = result_.faults;
    const auto& worst = worst_of(faults);
    std::set<std::string> servers, transports;
    std::size_t others = 0;
    for (const auto& each : faults) {
      if (each.name != worst.name || each.type != worst.type || each.answer != worst.answer ||
          is_of_server(each) != is_of_server(worst)) {
        ++others;
        continue;
      }
      servers.insert(each.server);
      transports.insert(each.transport);
    }
    result_.code = ses::to_string(code());
    result_.reason = sentence(worst, {servers.begin(), servers.end()}, stands_.size(),
                              transports.size() > 1 ? "UDP and TCP" : worst.transport);
    if (result_.verdict == Verdict::missing && !stands_.empty())
      result_.reason = "no name server that answers has it: " + result_.reason;
    if (look_.servers_unreachable) result_.reason += ", and no name server can be asked directly";
    if (others > 0) result_.reason += fmt::format(", and {} other fault{}", others, others == 1 ? "" : "s");
    if (stands_.empty() || !resolver_only()) return;
    result_.reason += is_bogus() ? ", since " + look_.bogus_zone + " fails DNSSEC validation"
                                 : ", though every name server has what it should";
  }

  Code code() const {
    if (resolver_only() && is_bogus()) return Code::dns_dnssec_bogus;
    const bool wrong = any_fault([](const Observation& seen) { return seen.quality == Quality::wrong; });
    const bool absent = any_fault([](const Observation& seen) { return seen.quality == Quality::absent; });
    switch (record_.part) {
      case Part::dkim:
        return dkim_code(wrong);
      case Part::mail_from_mx:
        return Code::mailfrom_mx;
      case Part::mail_from_spf:
      case Part::amazon:
        return Code::mailfrom_spf;
      case Part::dmarc:
        return wrong ? Code::dmarc_invalid : absent ? Code::dmarc_absent : Code::dmarc_temperror;
      case Part::zone:
        break;
    }
    return Code::dkim_records_flap;
  }

  Code dkim_code(bool wrong) const {
    const bool aliased = !record_.expected.empty();
    const bool alias_fails = any_fault([](const Observation& seen) { return seen.type == dns::Type::cname; });
    const bool only_text_fails = aliased && !alias_fails;
    const bool everywhere = result_.verdict == Verdict::missing || !any(Stand::has);
    if (aliased && everywhere && std::ranges::find(look_.proxied, record_.name) != look_.proxied.end())
      return Code::dkim_cname_proxied;
    if (result_.verdict == Verdict::missing)
      return only_text_fails ? Code::dkim_txt_servfail
             : !wrong        ? Code::dkim_cname_missing
             : aliased       ? Code::dkim_cname_target
                             : Code::dkim_key_bad;
    if (resolver_only()) return only_text_fails ? Code::dkim_txt_servfail : Code::dkim_temperror_partial;
    if (look_.delegation && look_.delegation->name == record_.name) return Code::dns_delegation_mismatch;
    if (std::ranges::none_of(result_.faults, is_serious)) return Code::dkim_temperror_partial;
    // More than one server, and half of them or more: that is how they are set up.
    const auto failing = stands_.size() - static_cast<std::size_t>(std::ranges::count(stands_, Stand::has));
    const bool as_a_rule = everywhere || (failing > 1 && 2 * failing >= stands_.size());
    return only_text_fails && as_a_rule ? Code::dkim_txt_servfail : Code::dkim_records_flap;
  }

  // What is wrong with a zone though its servers answer.
  void add_zone_faults() {
    if (record_.part != Part::zone || result_.verdict == Verdict::missing) return;
    if (look_.delegation) {
      const auto& found = *look_.delegation;
      result_.verdict = Verdict::faulty;
      result_.code = ses::to_string(Code::dns_delegation_mismatch);
      result_.reason = "the parent delegates " + record_.name + " to " + join(found.parent, ", ") +
                       ", its own zone lists " + join(found.child, ", ");
      if (!found.only_on.empty()) result_.reason += "; " + found.name + " is only on " + join(found.only_on, ", ");
    }
    if (is_bogus()) {
      result_.verdict = Verdict::faulty;
      result_.code = ses::to_string(Code::dns_dnssec_bogus);
      result_.reason = look_.bogus_zone + " fails DNSSEC validation: validating resolvers answer SERVFAIL";
    }
  }

  // No server's fault: what stands at Amazon's end has no key.
  void add_lack_of_key() {
    if (!look_.no_key || !is_dkim() || record_.expected.empty()) return;
    if (result_.verdict != Verdict::good && (result_.verdict != Verdict::faulty || !resolver_only())) return;
    for (const auto* seen : resolver_)
      if (result_.faults.empty() && seen->type == dns::Type::txt)
        result_.faults.push_back({kResolver, seen->name, seen->type, seen->answer, dns::to_string(seen->transport),
                                  look_.time, look_.time, 1, seen->from_resolver() ? 0 : stands_.size()});
    if (result_.faults.empty()) return;
    result_.verdict = Verdict::faulty;
    result_.code = ses::to_string(Code::dkim_no_key);
    result_.reason = "no DKIM selector of " + look_.subject.domain + " holds a key: " + result_.faults.front().name +
                     " leads to SES, and nothing that SES signs can verify";
  }

  const Look& look_;
  const Record& record_;
  std::vector<const Observation*> all_, resolver_;
  std::vector<Stand> stands_;  // one for each server
  Judgement result_;
};

}  // namespace

Judgement judge(const Look& look, const RecordLook& record) {
  return Judge(look, record).run();
}

bool is_of_server(const ses::ServerFault& fault) {
  return fault.server != kResolver;
}

bool is_serious(const ses::ServerFault& fault) {
  return is_of_server(fault) && fault.transport != "TCP";
}

const ses::ServerFault& worst_of(const std::vector<ses::ServerFault>& faults) {
  const auto weight = [](const ses::ServerFault& fault) {
    return (is_of_server(fault) ? 0 : 4) + (fault.transport == "TCP" ? 2 : 0) +
           (fault.answer.starts_with("no answer") ? 1 : 0);
  };
  return *std::ranges::min_element(faults, {}, weight);
}

namespace {

struct Phrase {
  std::string one, many;
};

// What a server, or several, did with a question, which is named next; "serial 7, others have 9" is of none.
Phrase phrase_of(const std::string& answer) {
  if (answer.starts_with("serial ")) return {"has " + answer, "have " + answer};
  if (answer.starts_with("not authoritative")) return {"is " + answer + " for", "are " + answer + " for"};
  if (answer.starts_with("no answer")) return {"gave " + answer + " to", "gave " + answer + " to"};
  if (answer == "connection refused") return {"refused the connection for", "refused the connection for"};
  if (answer == "port unreachable") return {"has no open port for", "have no open port for"};
  return {"answered " + answer + " for", "answered " + answer + " for"};
}

std::string said(const ses::ServerFault& fault, const std::string& phrase) {
  return fault.answer.starts_with("serial ") ? phrase : phrase + " " + dns::to_string(fault.type);
}

}  // namespace

std::string said(const ses::ServerFault& fault) {
  return said(fault, phrase_of(fault.answer).one);
}

std::string sentence(const ses::ServerFault& fault) {
  return sentence(fault, {fault.server}, 0, fault.transport);
}

std::string sentence(const ses::ServerFault& fault, std::vector<std::string> servers, std::size_t all,
                     const std::string& transport) {
  constexpr std::size_t kNamed = 3;
  // The one to tell of first comes first.
  std::ranges::stable_partition(servers, [&](const auto& server) { return server == fault.server; });
  const auto count = servers.size();
  const auto phrase = phrase_of(fault.answer);
  std::string who = servers.front();
  if (count > 1 && count == all) {
    who = count == 2 ? "both name servers" : fmt::format("all {} name servers", count);
  } else if (count > kNamed) {
    servers.resize(kNamed);
    who = fmt::format("{} and {} more", join(servers, ", "), count - kNamed);
  } else if (count > 1) {
    const auto last = servers.back();
    servers.pop_back();
    who = join(servers, ", ") + " and " + last;
  }
  const auto text = who + " " + said(fault, count > 1 ? phrase.many : phrase.one);
  return fault.answer.starts_with("serial ") ? text : fmt::format("{} {} over {}", text, fault.name, transport);
}

}  // namespace sesame::watch
