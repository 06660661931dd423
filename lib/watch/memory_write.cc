// What goes into the tables of the memory.
#include <fmt/format.h>

#include <map>
#include <set>

#include "watch/memory_rows.h"
#include "watch/memory_text.h"

namespace sesame::watch::rows {
namespace {

bool is_blind(const Look& look) {
  return look.nothing_answers || look.servers_unreachable;
}

// What is asked of whom.
std::string question_of(const Record& record, const Observation& observation) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", to_string(record.part), record.name, observation.name,
                     static_cast<int>(observation.type), observation.server, observation.address,
                     dns::to_string(observation.transport));
}

std::string with_answer(const std::string& question, std::string_view quality, std::string_view answer) {
  return fmt::format("{}\n{}\n{}", question, quality, answer);
}

// The runs of a subject that go on.
struct OpenRun {
  std::int64_t id = 0;
  std::string question;
  bool met = false;
};
using OpenRuns = std::map<std::string, OpenRun>;  // by question and answer

Result<OpenRuns> open_runs(Connection& connection, std::int64_t subject) {
  Query query(connection,
              "SELECT id, part, record, name, type, server, address, transport, quality, answer FROM run "
              "WHERE subject = ? AND open = 1");
  query.with(subject);
  OpenRuns runs;
  while (true) {
    const auto row = query.next();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return runs;
    const auto question = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", query.text(1), query.text(2), query.text(3),
                                      query.number(4), query.text(5), query.text(6), query.text(7));
    runs[with_answer(question, query.text(8), query.text(9))] = {query.number(0), question, false};
  }
}

Result<void> extend(Connection& connection, std::int64_t run, const Observation& observation) {
  return Query(connection,
               "UPDATE run SET last = max(last, ?1), count = count + 1, latency = ?2, slowest = max(slowest, ?2), "
               "ttl = ?3, serial = ?4 WHERE id = ?5")
      .with(observation.time)
      .with(observation.latency.count())
      .with(observation.ttl)
      .with(observation.serial)
      .with(run)
      .run();
}

Result<std::int64_t> begin(Connection& connection, std::int64_t subject, const Record& record,
                           const Observation& observation) {
  auto done = Query(connection,
                    "INSERT INTO run(subject, part, record, name, type, server, address, transport, quality, answer, "
                    "first, last, count, latency, slowest, ttl, serial, open) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, 1, ?12, ?12, ?13, ?14, 1)")
                  .with(subject)
                  .with(to_string(record.part))
                  .with(record.name)
                  .with(observation.name)
                  .with(static_cast<int>(observation.type))
                  .with(observation.server)
                  .with(observation.address)
                  .with(dns::to_string(observation.transport))
                  .with(to_string(observation.quality))
                  .with(observation.answer)
                  .with(observation.time)
                  .with(observation.latency.count())
                  .with(observation.ttl)
                  .with(observation.serial)
                  .run();
  if (!done) return tl::unexpected(done.error());
  return connection.last_row();
}

Result<void> take_observation(Connection& connection, std::int64_t subject, const Record& record,
                              const Observation& observation, OpenRuns& runs) {
  const auto question = question_of(record, observation);
  const auto key = with_answer(question, to_string(observation.quality), observation.answer);
  if (const auto found = runs.find(key); found != runs.end()) {
    found->second.met = true;
    return extend(connection, found->second.id, observation);
  }
  const auto id = begin(connection, subject, record, observation);
  if (!id) return tl::unexpected(id.error());
  runs[key] = {*id, question, true};
  return {};
}

// How a look is blind; null when it is not.
const char* blindness_of(const Look& look) {
  if (look.nothing_answers) return to_string(Blindness::Kind::nothing_answers);
  return look.servers_unreachable ? to_string(Blindness::Kind::servers_unreachable) : nullptr;
}

}  // namespace

Result<std::int64_t> take_subject(Connection& connection, const Look& look) {
  const auto& subject = look.subject;
  Query query(connection,
              "INSERT INTO subject(account, identity, region, domain, looked) VALUES(?1, ?2, ?3, ?4, ?5) "
              "ON CONFLICT(identity, account, region) DO UPDATE SET domain = ?4, looked = max(looked, ?5) "
              "RETURNING id");
  query.with(subject.account).with(subject.identity).with(subject.region).with(subject.domain).with(look.time);
  const auto row = query.next();
  if (!row) return tl::unexpected(row.error());
  const auto id = query.number(0);
  // Steps on to the end, where it takes effect.
  if (auto done = query.run(); !done) return tl::unexpected(done.error());
  if (is_blind(look)) return id;
  auto done = Query(connection, "UPDATE subject SET seen = ?, zones = ?, delegation = ?, bogus_zone = ? WHERE id = ?")
                  .with(look.time)
                  .with(text_of(look.zones))
                  .with(text_of(look.delegation))
                  .with(look.bogus_zone)
                  .with(id)
                  .run();
  if (!done) return tl::unexpected(done.error());
  return id;
}

Result<void> take_blindness(Connection& connection, std::int64_t subject, const Look& look) {
  const char* kind = blindness_of(look);
  auto ended = Query(connection, "UPDATE blindness SET open = 0 WHERE subject = ? AND open = 1 AND kind <> ?")
                   .with(subject)
                   .with(kind ? kind : "")
                   .run();
  if (!ended || !kind) return ended;
  auto extended =
      Query(connection, "UPDATE blindness SET last = max(last, ?1), count = count + 1 WHERE subject = ?2 AND open = 1")
          .with(look.time)
          .with(subject)
          .run();
  if (!extended || connection.changes() > 0) return extended;
  return Query(connection,
               "INSERT INTO blindness(subject, kind, first, last, count, open) VALUES(?1, ?2, ?3, ?3, 1, 1)")
      .with(subject)
      .with(kind)
      .with(look.time)
      .run();
}

Result<void> take_observations(Connection& connection, std::int64_t subject, const Look& look) {
  if (look.nothing_answers) return {};
  auto runs = open_runs(connection, subject);
  if (!runs) return tl::unexpected(runs.error());
  std::set<std::string> asked;
  for (const auto& record : look.records)
    for (const auto& observation : record.observations) {
      if (look.servers_unreachable && !observation.from_resolver()) continue;
      if (auto done = take_observation(connection, subject, record.record, observation, *runs); !done) return done;
      asked.insert(question_of(record.record, observation));
    }
  for (const auto& [key, run] : *runs) {
    if (run.met || !asked.contains(run.question)) continue;
    if (auto done = Query(connection, "UPDATE run SET open = 0 WHERE id = ?").with(run.id).run(); !done) return done;
  }
  return {};
}

Result<void> prune_runs(Connection& connection) {
  return Query(connection,
               "DELETE FROM run WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
               "(PARTITION BY subject ORDER BY last DESC, id DESC) AS place FROM run WHERE open = 0 AND subject IN "
               "(SELECT subject FROM run WHERE open = 0 GROUP BY subject HAVING count(*) > ?1)) WHERE place > ?1)")
      .with(kMaxEndedRuns)
      .run();
}

Result<void> take_states(Connection& connection, std::int64_t subject, std::span<const RecordState> states) {
  if (auto gone = Query(connection, "DELETE FROM state WHERE subject = ?").with(subject).run(); !gone) return gone;
  for (const auto& state : states) {
    auto done = Query(connection,
                      "INSERT OR REPLACE INTO state(subject, part, name, healthy, first_bad, body) "
                      "VALUES(?, ?, ?, ?, ?, ?)")
                    .with(subject)
                    .with(to_string(state.key.part))
                    .with(state.key.name)
                    .with(state.state == State::healthy ? 1 : 0)
                    .with(state.first_bad)
                    .with(text_of(state))
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<void> take_changes(Connection& connection, std::int64_t subject, std::span<const Change> changes,
                          std::int64_t now) {
  for (const auto& change : changes) {
    // A command that looks beside the daemon sees the same change.
    auto done = Query(connection,
                      "INSERT INTO event(subject, time, part, name, before, after, code, reason) "
                      "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE coalesce((SELECT after FROM event WHERE "
                      "subject = ?1 AND part = ?3 AND name = ?4 ORDER BY time DESC, id DESC LIMIT 1), '') <> ?6")
                    .with(subject)
                    .with(change.after.since ? change.after.since : now)
                    .with(to_string(change.after.key.part))
                    .with(change.after.key.name)
                    .with(to_string(change.before.state))
                    .with(to_string(change.after.state))
                    .with(change.after.code)
                    .with(change.after.reason)
                    .run();
    if (!done) return done;
  }
  return {};
}

}  // namespace sesame::watch::rows
