// What is counted: from the sums by the hour, where they say enough.
#include "history/questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "history/condition.h"

namespace sesame::history {
namespace {

constexpr std::size_t kMaxSlots = 1000;

constexpr std::string_view kSum = "CAST(COALESCE(SUM({}), 0) AS BIGINT)";
constexpr std::string_view kBad = "verdict IN ('fail', 'refused')";

// What the rules of policy::choose() can act upon.
constexpr std::string_view kHit =
    "direction = 'outbound' AND verdict IN ('fail', 'refused') OR direction = 'inbound' AND (from_domain = '' OR "
    "verdict = 'fail' AND disposition IN ('quarantine', 'reject'))";

struct Field {
  std::uint64_t Tally::*member;
  std::string_view when;
};
constexpr Field kFields[] = {
    {&Tally::messages, "1 = 1"},
    {&Tally::both, "alignment = 'both'"},
    {&Tally::dkim, "alignment = 'dkim'"},
    {&Tally::spf, "alignment = 'spf'"},
    {&Tally::none, "alignment = 'none'"},
    {&Tally::unknown, "alignment = 'unknown'"},
    {&Tally::pass, "verdict = 'pass'"},
    {&Tally::fail, "verdict = 'fail'"},
    {&Tally::refused, "verdict = 'refused'"},
    {&Tally::undecided, "verdict IN ('unknown', 'temperror', 'permerror')"},
    {&Tally::no_policy, "verdict = 'none'"},
    {&Tally::observed, "action = 'observe'"},
    {&Tally::tagged, "action = 'tag'"},
    {&Tally::held, "action = 'hold'"},
    {&Tally::rejected, "action = 'reject'"},
    {&Tally::deferred, "action = 'tempfail'"},
    {&Tally::hit, kHit},
};

std::string sum(std::string_view what) {
  return fmt::format(kSum, what);
}

std::string sum_where(std::string_view what, std::string_view when) {
  return sum(fmt::format("CASE WHEN {} THEN {} ELSE 0 END", when, what));
}

std::string tally_columns() {
  std::vector<std::string> columns;
  for (const auto& field : kFields) columns.push_back(sum_where("messages", field.when));
  return fmt::format("{}", fmt::join(columns, ", "));
}

std::uint64_t count(const Cells& cells, int column) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(cells.number(column), 0));
}

Tally tally_of(const Cells& cells, int column) {
  Tally tally;
  for (const auto& field : kFields) tally.*field.member = count(cells, column++);
  return tally;
}

// The domains of the answer, and nothing more than they, with what decided.
Result<void> add_reasons(Reader& reader, const Scope& scope, std::size_t most, std::vector<DomainTally>& domains) {
  std::map<std::pair<std::string, std::string>, DomainTally*> places;
  for (auto& each : domains) places[{each.from_domain, each.direction}] = &each;
  Condition condition;
  condition.within_hours(scope);
  const auto where = condition.sql();
  const auto limit = condition.mark(static_cast<std::int64_t>(most));
  // Counted for all, and kept for those that stand in the answer.
  const auto sql = fmt::format(
      "SELECT r.from_domain, r.direction, r.code, r.n FROM"
      " (SELECT from_domain, direction, code, {0} AS n FROM sesame_hour{1} GROUP BY from_domain, direction, code) r"
      " JOIN (SELECT from_domain, direction, {0} AS n FROM sesame_hour{1} GROUP BY from_domain, direction"
      " ORDER BY n DESC, from_domain, direction LIMIT {2}) d"
      " ON d.from_domain = r.from_domain AND d.direction = r.direction ORDER BY r.n DESC, r.code",
      sum("messages"), where, limit);
  return reader.ask(sql, condition.parameters(), [&places](const Cells& cells) {
    const auto place = places.find({cells.text(0), cells.text(1)});
    if (place != places.end()) place->second->reasons.push_back({cells.text(2), count(cells, 3)});
  });
}

// The column that is counted, and whether the sums by the hour have it.
struct Counted {
  const char* column;
  enum class In { hours, messages } in;
};

Counted counted(By by) {
  using enum Counted::In;
  switch (by) {
    case By::from_domain:
      return {"from_domain", hours};
    case By::code:
      return {"code", hours};
    case By::client:
      return {"client", messages};
    case By::mail_from:
      return {"mail_from", messages};
    case By::host:
      return {"host", hours};
    case By::action:
      return {"action", hours};
    case By::verdict:
      break;
  }
  return {"verdict", hours};
}

}  // namespace

Result<std::vector<DomainTally>> tallies(Reader& reader, const Scope& scope, std::size_t most) {
  Condition condition;
  condition.within_hours(scope);
  const auto where = condition.sql();
  const auto sql = fmt::format(
      "SELECT from_domain, direction, {} FROM sesame_hour{} GROUP BY from_domain, direction"
      " ORDER BY 3 DESC, from_domain, direction LIMIT {}",
      tally_columns(), where, condition.mark(static_cast<std::int64_t>(most)));
  std::vector<DomainTally> found;
  auto asked = reader.ask(sql, condition.parameters(), [&found](const Cells& cells) {
    found.push_back({cells.text(0), cells.text(1), tally_of(cells, 2), {}});
  });
  if (asked) asked = add_reasons(reader, scope, most, found);
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

Result<Tally> total(Reader& reader, const Scope& scope) {
  Condition condition;
  condition.within_hours(scope);
  Tally tally;
  const auto asked = reader.ask("SELECT " + tally_columns() + " FROM sesame_hour" + condition.sql(),
                                condition.parameters(), [&tally](const Cells& cells) { tally = tally_of(cells, 0); });
  if (!asked) return tl::unexpected(asked.error());
  return tally;
}

Result<std::vector<Slot>> series(Reader& reader, const Scope& scope, std::int64_t step) {
  if (step <= 0 || step % kHour != 0) return failure("a step is a multiple of 3600 seconds");
  const auto first = hour_of(std::max<std::int64_t>(scope.since, 0)), end = hour_of(scope.until);
  if (end <= first) return std::vector<Slot>{};
  const auto slots = static_cast<std::size_t>((end - first - 1) / step) + 1;
  if (slots > kMaxSlots) return failure(fmt::format("{} steps are too many; at most {}", slots, kMaxSlots));
  std::vector<Slot> found(slots);
  for (std::size_t i = 0; i < slots; ++i) found[i].begin = first + static_cast<std::int64_t>(i) * step;
  Condition condition;
  const auto index = fmt::format("(hour - {}) / {}", condition.mark(first), condition.mark(step));
  condition.within_hours(scope);
  const auto sql = fmt::format("SELECT {}, {} FROM sesame_hour{} GROUP BY 1", index, tally_columns(), condition.sql());
  const auto asked = reader.ask(sql, condition.parameters(), [&found](const Cells& cells) {
    const auto slot = static_cast<std::size_t>(cells.number(0));
    if (slot < found.size()) found[slot].tally = tally_of(cells, 1);
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

Result<std::vector<Count>> top(Reader& reader, const Scope& scope, By by, std::size_t most) {
  const auto [column, in] = counted(by);
  const bool hours = in == Counted::In::hours;
  Condition condition;
  if (hours) {
    condition.within_hours(scope);
  } else {
    condition.within(scope);
  }
  if (by == By::code) condition.add("code <> ''");
  const auto* what = hours ? "messages" : "1";
  const auto where = condition.sql();
  const auto sql = fmt::format("SELECT {}, {}, {} FROM {}{} GROUP BY {} ORDER BY 2 DESC, 1 LIMIT {}", column, sum(what),
                               sum_where(what, kBad), hours ? "sesame_hour" : "sesame_message", where, column,
                               condition.mark(static_cast<std::int64_t>(most)));
  std::vector<Count> found;
  const auto asked = reader.ask(sql, condition.parameters(), [&found](const Cells& cells) {
    found.push_back({cells.text(0), count(cells, 1), count(cells, 2)});
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

}  // namespace sesame::history
