#include "watch/server_look.h"

#include <fmt/format.h>

#include <algorithm>

#include "util/text.h"

namespace sesame::watch {
namespace {

std::size_t family_of(const IpAddress& address) {
  return address.is_v4() ? 0 : 1;
}

// What SES asks for in the end.
dns::Type deciding_type(const Record& record) {
  const auto& types = record.types;
  return std::ranges::find(types, dns::Type::txt) != types.end() ? dns::Type::txt : types.front();
}

// Has a server said something of the zone itself?
bool has_authority(const dns::ProbeReply& reply) {
  return reply.trouble.empty() && reply.authoritative && reply.referred_to.empty() &&
         !dns::is_temporary(reply.answer.status);
}

}  // namespace

ServerLook::ServerLook(const Means& means, Directory& directory, Serials& serials, Families& families)
    : means_(means), directory_(directory), serials_(serials), families_(families), began_(means.clock.unix_now()) {}

ServerLook::Errand ServerLook::errand(const ZoneLook& zone, const Spot& spot, const std::string& name, dns::Type type,
                                      dns::Transport transport) const {
  Errand result;
  result.zone = &zone;
  result.spot = spot;
  result.question = {{spot.address, means_.port}, name, type, transport};
  return result;
}

void ServerLook::ask_zone(const std::string& name, RecordLook* record, const Yardstick* yardstick) {
  auto& zone = zones_.emplace_back();
  zone.servers = directory_.servers_of(name);
  const auto known = zone.servers.spots;
  ask_spots(zone, known, record, yardstick);
  std::vector<std::string> others;
  for (const auto& set : zone.sets)
    for (const auto& server : set)
      if (std::ranges::find(zone.servers.names, server) == zone.servers.names.end()) others.push_back(server);
  if (others.empty()) return;
  directory_.add_servers(zone.servers, others);
  auto added = zone.servers.spots;
  std::erase_if(added, [&](const Spot& spot) { return std::ranges::find(known, spot) != known.end(); });
  ask_spots(zone, added, record, yardstick);
}

void ServerLook::ask_spots(ZoneLook& zone, const std::vector<Spot>& spots, RecordLook* record,
                           const Yardstick* yardstick) {
  std::vector<Errand> errands;
  for (const auto& spot : spots)
    for (const auto type : {dns::Type::soa, dns::Type::ns}) {
      auto next = errand(zone, spot, zone.servers.zone, type, dns::Transport::udp);
      next.record = record;
      next.yardstick = yardstick;
      errands.push_back(std::move(next));
    }
  for (auto& result : carry_out(errands)) {
    learn(zone, result);
    // Whom this host cannot ask is not asked about the records.
    if (result.reply.not_asked)
      std::erase(zone.servers.spots, result.errand.spot);
    else if (record)
      results_.push_back(std::move(result));
  }
}

void ServerLook::learn(ZoneLook& zone, const Result& result) {
  const auto& reply = result.reply;
  if (!has_authority(reply)) return;
  if (reply.answer.type == dns::Type::ns && reply.answer.status == dns::Status::ok) {
    auto set = reply.answer.names;
    std::ranges::sort(set);
    if (std::ranges::find(zone.sets, set) == zone.sets.end()) zone.sets.push_back(std::move(set));
  }
  const bool tells = reply.answer.type == dns::Type::soa && reply.soa && reply.soa->zone == zone.servers.zone;
  if (tells && (!zone.newest || is_behind(zone.newest->serial, reply.soa->serial))) zone.newest = reply.soa;
}

void ServerLook::want(const std::string& name, RecordLook& record, const Yardstick& yardstick) {
  const auto zone = std::ranges::find(zones_, name, [](const ZoneLook& each) { return each.servers.zone; });
  if (zone == zones_.end()) return;
  zone->records.push_back(record.record.name);
  const auto add = [&](const Spot& spot, dns::Type type, dns::Transport transport) {
    auto next = errand(*zone, spot, record.record.name, type, transport);
    next.record = &record;
    next.yardstick = &yardstick;
    errands_.push_back(std::move(next));
  };
  for (const auto& spot : zone->servers.spots) {
    for (const auto type : record.record.types) add(spot, type, dns::Transport::udp);
    add(spot, deciding_type(record.record), dns::Transport::tcp);
  }
}

void ServerLook::ask() {
  auto results = carry_out(errands_);
  errands_.clear();
  ask_cut_ones_over_tcp(results);
  std::ranges::move(results, std::back_inserter(results_));
}

void ServerLook::ask_cut_ones_over_tcp(const std::vector<Result>& results) {
  std::vector<Errand> again;
  for (const auto& [errand, time, reply] : results) {
    const bool udp = errand.question.transport == dns::Transport::udp;
    if (!udp || !reply.truncated || errand.question.type == deciding_type(errand.record->record)) continue;
    again.push_back(errand);
    again.back().question.transport = dns::Transport::tcp;
  }
  std::ranges::move(carry_out(again), std::back_inserter(results_));
}

std::vector<ServerLook::Result> ServerLook::carry_out(const std::vector<Errand>& errands) {
  std::vector<dns::ProbeQuestion> questions;
  for (const auto& each : errands) questions.push_back(each.question);
  const auto now = means_.clock.unix_now();
  auto replies = ask_all(means_.prober, questions);
  std::vector<Result> results;
  for (std::size_t i = 0; i < errands.size(); ++i) {
    any_asked_ = true;
    if (replies[i].trouble.empty()) heard(errands[i].spot.address);
    results.push_back({errands[i], now, std::move(replies[i])});
  }
  return results;
}

// Silence of a family that never answered says nothing of the server, where the other family does answer.
bool ServerLook::is_told(const Result& result) const {
  const auto& [errand, time, reply] = result;
  if (reply.not_asked) return false;
  const auto family = family_of(errand.spot.address);
  if (!reply.trouble.empty()) return families_[family] != 0 || !was_heard(1 - family);
  return !(reply.truncated && errand.question.transport == dns::Transport::udp);
}

void ServerLook::heard(const IpAddress& address) {
  families_[family_of(address)] = means_.clock.unix_now();
}

bool ServerLook::reaches_any() {
  if (was_heard(0) || was_heard(1)) return true;
  std::vector<dns::ProbeQuestion> questions;
  for (const auto& zone : zones_)
    for (const auto& address : directory_.control_servers(zone.servers.zone))
      questions.push_back({{address, means_.port}, zone.servers.zone, dns::Type::ns, dns::Transport::udp});
  const auto replies = ask_all(means_.prober, questions);
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (replies[i].trouble.empty()) heard(questions[i].server.address);
  return was_heard(0) || was_heard(1);
}

bool ServerLook::any_silent() const {
  return std::ranges::any_of(
      results_, [](const Result& result) { return !result.reply.trouble.empty() && !result.reply.not_asked; });
}

void ServerLook::tell() {
  for (const auto& result : results_)
    if (result.errand.record && is_told(result)) result.errand.record->observations.push_back(observe(result));
  tell_what_was_left_out();
}

void ServerLook::tell_what_was_left_out() {
  for (const auto& result : results_) {
    const auto& servers = result.errand.zone->servers;
    if (servers.addresses <= kMaxSpots || !result.errand.record) continue;
    for (auto& seen : result.errand.record->observations) {
      const auto note = fmt::format("; of {} addresses {} are asked", servers.addresses, kMaxSpots);
      const bool fits = seen.from_resolver() && seen.type == dns::Type::ns && seen.name == servers.zone;
      if (fits && !seen.answer.ends_with(note) && seen.answer.size() + note.size() <= kMaxAnswerText)
        seen.answer += note;
    }
  }
}

Observation ServerLook::observe(const Result& result) {
  const auto& [errand, time, reply] = result;
  Observation seen;
  seen.time = time;
  seen.part = errand.record->record.part;
  seen.name = errand.question.name;
  seen.type = errand.question.type;
  seen.server = errand.spot.server;
  seen.address = errand.spot.address.to_string();
  seen.transport = errand.question.transport;
  auto [quality, answer] = appraise(result, seen);
  seen.quality = quality;
  seen.answer = std::move(answer);
  seen.latency = reply.latency;
  seen.ttl = reply.answer.ttl;
  if (reply.soa) seen.serial = reply.soa->serial;
  return seen;
}

Appraisal ServerLook::appraise(const Result& result, Observation& seen) {
  const auto& reply = result.reply;
  if (!reply.trouble.empty()) return {Quality::failing, printable(reply.trouble)};
  if (dns::is_temporary(reply.answer.status)) return {Quality::failing, dns::to_string(reply.answer.status)};
  if (!reply.referred_to.empty())
    return {Quality::failing, "not authoritative, refers to " + printable(reply.referred_to)};
  if (!reply.authoritative) return {Quality::failing, "not authoritative"};
  return result.errand.question.type == dns::Type::soa ? appraise_serial(result, seen)
                                                       : result.errand.yardstick->appraise(reply.answer);
}

Appraisal ServerLook::appraise_serial(const Result& result, Observation& seen) {
  const auto& [errand, time, reply] = result;
  const auto& [servers, newest, sets, records] = *errand.zone;
  if (!newest || !reply.soa || reply.soa->zone != servers.zone) return errand.yardstick->appraise(reply.answer);
  const auto serial = reply.soa->serial;
  const auto standing = serials_.standing(servers.zone, errand.spot.address, *newest, serial, time);
  seen.behind = standing == Serials::Standing::behind;
  auto text = fmt::format("serial {}", serial);
  if (is_behind(serial, newest->serial)) text += fmt::format(", others have {}", newest->serial);
  return {standing == Serials::Standing::old ? Quality::old : Quality::good, std::move(text)};
}

std::optional<ses::DelegationMismatch> ServerLook::delegation(const std::vector<RecordLook>& records) const {
  for (const auto& zone : zones_) {
    const auto& parent = zone.servers.parent;
    const auto other = std::ranges::find_if(zone.sets, [&](const auto& set) { return parent && set != *parent; });
    if (other == zone.sets.end()) continue;
    ses::DelegationMismatch mismatch{*parent, *other, "", {}};
    for (const auto& [record, observations] : records) {
      if (std::ranges::find(zone.records, record.name) == zone.records.end()) continue;
      std::vector<std::string> with, without;
      for (const auto& seen : observations) {
        const bool lacks = seen.quality == Quality::absent || seen.quality == Quality::wrong;
        if (seen.from_resolver() || (!lacks && seen.quality != Quality::good)) continue;
        auto& side = lacks ? without : with;
        if (std::ranges::find(side, seen.server) == side.end()) side.push_back(seen.server);
      }
      std::erase_if(with, [&](const auto& server) { return std::ranges::find(without, server) != without.end(); });
      if (with.empty() || without.empty()) continue;
      mismatch.name = record.name;
      mismatch.only_on = with;
      break;
    }
    return mismatch;
  }
  return std::nullopt;
}

}  // namespace sesame::watch
