// The tables of the memory: what goes into them and what comes out. Inside memory*.cc only; whoever calls holds the
// mutex and, to write, a transaction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "watch/memory.h"
#include "sqlite/sqlite.h"

namespace sesame::watch::rows {

using sqlite::Connection;
using sqlite::Query;

// The number of the look's subject, which is made where it is new.
Result<std::int64_t> take_subject(Connection& connection, const Look& look);
Result<void> take_blindness(Connection& connection, std::int64_t subject, const Look& look);
Result<void> take_observations(Connection& connection, std::int64_t subject, const Look& look);
// Instead of those that were there.
Result<void> take_states(Connection& connection, std::int64_t subject, std::span<const RecordState> states);
Result<void> take_changes(Connection& connection, std::int64_t subject, std::span<const Change> changes,
                          std::int64_t now);
// Leaves the newest kMaxEndedRuns of each subject.
Result<void> prune_runs(Connection& connection);

Result<std::vector<RecordState>> states(Connection& connection);
// Those that are not over.
Result<std::vector<Silence>> silences(Connection& connection);
Result<std::vector<Silence>> silences(Query& query, const std::string& path);
Result<std::vector<Run>> runs(Connection& connection, const std::string& domain, std::int64_t since);
Result<std::vector<Memory::Event>> events(Connection& connection, const std::string& domain, std::int64_t since);
Result<std::vector<Notice>> notices(Connection& connection, const std::string& domain, std::int64_t since);
Result<std::vector<Blindness>> blindnesses(Connection& connection, const std::string& domain, std::int64_t since);
Result<std::vector<Sight>> sights(Connection& connection, const std::string& domain);

}  // namespace sesame::watch::rows
