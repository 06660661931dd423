// What comes out of the tables of the memory.
#include <algorithm>

#include "watch/memory_rows.h"
#include "watch/memory_text.h"
#include "watch/outages.h"

namespace sesame::watch {

const char* to_string(Blindness::Kind kind) {
  return kind == Blindness::Kind::nothing_answers ? "nothing answers" : "servers unreachable";
}

const char* to_string(Silence::Kind kind) {
  switch (kind) {
    case Silence::Kind::acknowledged:
      return "acknowledged";
    case Silence::Kind::silenced:
      return "silenced";
    case Silence::Kind::confirmed:
      break;
  }
  return "confirmed";
}

namespace rows {
namespace {

// Rows of a query, each by `read`, which gives nothing for one that it cannot read.
template <class T, class Read>
Result<std::vector<T>> collect(Query& query, const std::string& path, Read&& read) {
  std::vector<T> found;
  while (true) {
    const auto row = query.next();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return found;
    std::optional<T> value = read();
    if (!value) return failure(path + ": is damaged: a row in it makes no sense");
    found.push_back(*std::move(value));
  }
}

std::optional<RecordKey> key_of(const Query& query, int part, int name) {
  const auto word = parse_word(query.text(part), kParts);
  if (!word) return std::nullopt;
  return RecordKey{query.text(0), query.text(1), query.text(2), *word, query.text(name)};
}

std::optional<Run> run_of(const Query& query) {
  const auto key = key_of(query, 3, 4);
  const auto transport = parse_word(query.text(9), {dns::Transport::udp, dns::Transport::tcp});
  const auto quality = parse_word(query.text(10), kQualities);
  if (!key || !transport || !quality) return std::nullopt;
  Run run;
  run.key = *key;
  auto& seen = run.observation;
  seen.part = key->part;
  seen.name = query.text(5);
  seen.type = static_cast<dns::Type>(query.number(6));
  seen.server = query.text(7);
  seen.address = query.text(8);
  seen.transport = *transport;
  seen.quality = *quality;
  seen.answer = query.text(11);
  run.first = query.number(12);
  seen.time = query.number(13);
  run.count = static_cast<std::size_t>(query.number(14));
  seen.latency = std::chrono::microseconds(query.number(15));
  run.slowest = std::chrono::microseconds(query.number(16));
  seen.ttl = static_cast<std::uint32_t>(query.number(17));
  if (const auto serial = query.maybe_number(18)) seen.serial = static_cast<std::uint32_t>(*serial);
  return run;
}

std::optional<Notice> notice_of(const Query& query) {
  const auto kind = parse_kind(query.text(1));
  if (!kind) return std::nullopt;
  Notice notice;
  notice.time = query.number(0);
  notice.kind = *kind;
  notice.account = query.text(2);
  notice.identity = query.text(3);
  notice.region = query.text(4);
  notice.title = query.text(5);
  notice.text = query.text(6);
  return parse_notice(query.text(7), notice) ? std::optional(std::move(notice)) : std::nullopt;
}

// What is told of no identity by its name may still name those that it tells of.
bool concerns(const Notice& notice, const std::string& domain) {
  if (domain.empty() || notice.changes.empty() || !notice.identity.empty()) return true;
  return std::ranges::any_of(notice.changes, [&domain](const Change& change) {
    const auto& identity = change.after.key.identity;
    return identity == domain || identity.ends_with("@" + domain);
  });
}

std::optional<Sight> sight_of(const Query& query) {
  Sight sight{query.text(0), query.text(1), query.text(2), query.text(3), query.number(4), query.number(5), {}, {},
              query.text(8)};
  const bool read = parse_names(query.text(6), sight.zones) && parse_delegation(query.text(7), sight.delegation);
  return read ? std::optional(std::move(sight)) : std::nullopt;
}

}  // namespace

// The watch may not have taken it over yet.
void strike_out(const Silence& confirmed, std::vector<RecordState>& states) {
  const auto is_meant = [&confirmed](const RecordState& each) {
    return each.key.account == confirmed.account && each.key.identity == confirmed.identity &&
           each.key.region == confirmed.region;
  };
  // They are sorted.
  const auto first = std::ranges::find_if(states, is_meant);
  settle({first, std::find_if_not(first, states.end(), is_meant)}, confirmed.made);
}

Result<std::vector<RecordState>> states(Connection& connection) {
  Query query(connection,
              "SELECT account, identity, region, part, name, body FROM state JOIN subject ON subject.id = subject");
  auto states = collect<RecordState>(query, connection.path(), [&query]() -> std::optional<RecordState> {
    const auto key = key_of(query, 3, 4);
    return key ? parse_state(*key, query.text(5)) : std::nullopt;
  });
  if (!states) return states;
  std::ranges::sort(*states, {}, &RecordState::key);
  const auto said = silences(connection);
  if (!said) return tl::unexpected(said.error());
  for (const auto& each : *said)
    if (each.kind == Silence::Kind::confirmed) strike_out(each, *states);
  return states;
}

Result<std::vector<Silence>> silences(Connection& connection) {
  Query query(connection,
              "SELECT account, identity, region, kind, made, until FROM silence WHERE over = 0 ORDER BY made, id");
  return silences(query, connection.path());
}

Result<std::vector<Silence>> silences(Query& query, const std::string& path) {
  return collect<Silence>(query, path, [&query]() -> std::optional<Silence> {
    using Kind = Silence::Kind;
    const auto kind = parse_word(query.text(3), {Kind::acknowledged, Kind::silenced, Kind::confirmed});
    if (!kind) return std::nullopt;
    return Silence{query.text(0), query.text(1), query.text(2), *kind, query.number(4), query.number(5)};
  });
}

Result<std::vector<Run>> runs(Connection& connection, const std::string& domain, std::int64_t since) {
  Query query(connection,
              "SELECT account, identity, region, part, record, name, type, server, address, transport, quality, "
              "answer, first, last, count, latency, slowest, ttl, serial FROM subject CROSS JOIN run "
              "ON subject.id = run.subject WHERE (?1 = '' OR identity = ?1 OR domain = ?1) AND last >= ?2 ORDER BY "
              "first, run.id");
  query.with(domain).with(since);
  return collect<Run>(query, connection.path(), [&query] { return run_of(query); });
}

Result<std::vector<Memory::Event>> events(Connection& connection, const std::string& domain, std::int64_t since) {
  Query query(
      connection,
      "SELECT account, identity, region, part, name, time, before, after, code, reason FROM subject CROSS JOIN event "
      "ON subject.id = event.subject WHERE (?1 = '' OR identity = ?1 OR domain = ?1) AND time >= ?2 "
      "ORDER BY time, event.id");
  query.with(domain).with(since);
  return collect<Memory::Event>(query, connection.path(), [&query]() -> std::optional<Memory::Event> {
    const auto key = key_of(query, 3, 4);
    const auto from = parse_word(query.text(6), kStates), to = parse_word(query.text(7), kStates);
    if (!key || !from || !to) return std::nullopt;
    return Memory::Event{query.number(5), *key, *from, *to, query.text(8), query.text(9)};
  });
}

Result<std::vector<Notice>> notices(Connection& connection, const std::string& domain, std::int64_t since) {
  Query query(connection,
              "SELECT time, kind, account, identity, region, title, text, body FROM notice "
              "WHERE (?1 = '' OR identity = ?1 OR domain = ?1 OR identity = '') AND time >= ?2 ORDER BY time, id");
  query.with(domain).with(since);
  auto notices = collect<Notice>(query, connection.path(), [&query] { return notice_of(query); });
  if (notices) std::erase_if(*notices, [&domain](const Notice& each) { return !concerns(each, domain); });
  return notices;
}

Result<std::vector<Blindness>> blindnesses(Connection& connection, const std::string& domain, std::int64_t since) {
  Query query(connection,
              "SELECT account, identity, region, kind, first, last, count FROM subject CROSS JOIN blindness "
              "ON subject.id = blindness.subject WHERE (?1 = '' OR identity = ?1 OR domain = ?1) AND last >= ?2 "
              "ORDER BY first, blindness.id");
  query.with(domain).with(since);
  return collect<Blindness>(query, connection.path(), [&query]() -> std::optional<Blindness> {
    using Kind = Blindness::Kind;
    const auto kind = parse_word(query.text(3), {Kind::nothing_answers, Kind::servers_unreachable});
    if (!kind) return std::nullopt;
    return Blindness{query.text(0),
                     query.text(1),
                     query.text(2),
                     *kind,
                     query.number(4),
                     query.number(5),
                     static_cast<std::size_t>(query.number(6))};
  });
}

Result<std::vector<Sight>> sights(Connection& connection, const std::string& domain) {
  Query query(connection,
              "SELECT account, identity, region, domain, seen, looked, zones, delegation, bogus_zone FROM subject "
              "WHERE ?1 = '' OR identity = ?1 OR domain = ?1 ORDER BY account, identity, region");
  query.with(domain);
  return collect<Sight>(query, connection.path(), [&query] { return sight_of(query); });
}

}  // namespace rows
}  // namespace sesame::watch
