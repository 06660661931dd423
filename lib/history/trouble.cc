#include "history/trouble.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "history/condition.h"
#include "util/text.h"

namespace sesame::history {
namespace {

const std::vector<std::string>& bad_verdicts() {
  static const std::vector<std::string> verdicts{"fail", "refused"};
  return verdicts;
}

void any_of(Condition& condition, const char* column, const std::vector<std::string>& values) {
  std::vector<std::string> marks;
  for (const auto& value : values) marks.push_back(condition.mark(value));
  if (!marks.empty()) condition.add(column + (" IN (" + join(marks, ", ") + ")"));
}

Result<void> add_newest(Reader& reader, Trouble& trouble, std::int64_t hour, const std::string& host) {
  Condition condition;
  // Of this domain and of none below it; "" is one, too.
  condition.add("from_domain = " + condition.mark(trouble.from_domain));
  condition.within(
      {.since = hour, .until = hour + kHour, .direction = trouble.direction, .from_domain = "", .host = host});
  any_of(condition, "verdict", bad_verdicts());
  return reader.ask("SELECT time, queue_id, code, why FROM sesame_message" + condition.sql() +
                        " ORDER BY time DESC, origin DESC, sequence DESC LIMIT 1",
                    condition.parameters(), [&trouble](const Cells& cells) {
                      trouble.time = cells.number(0);
                      trouble.queue_id = cells.text(1);
                      trouble.code = cells.text(2);
                      trouble.why = cells.text(3);
                    });
}

bool is_newer(const Row& a, const Row& b) {
  return std::tie(a.time, a.origin, a.sequence) > std::tie(b.time, b.origin, b.sequence);
}

// Those in which the sums have what the filter asks for, newest first.
Result<std::vector<std::int64_t>> hours_with(Reader& reader, const Filter& filter,
                                             const std::vector<std::string>& verdicts) {
  auto scope = filter.scope;
  if (filter.before_time) {
    const auto before = *filter.before_time / 1'000'000 + 1;
    scope.until = scope.until == 0 ? before : std::min(scope.until, before);
  }
  Condition condition;
  condition.within_hours(scope);
  any_of(condition, "verdict", verdicts);
  condition.equal("action", filter.action);
  condition.equal("code", filter.code);
  std::vector<std::int64_t> hours;
  const auto done =
      reader.ask("SELECT DISTINCT hour FROM sesame_hour" + condition.sql() + " ORDER BY hour DESC",
                 condition.parameters(), [&hours](const Cells& cells) { hours.push_back(cells.number(0)); });
  if (!done) return tl::unexpected(done.error());
  return hours;
}

// One hour's, of all these verdicts.
Result<std::vector<Row>> find_in_hour(Reader& reader, Filter filter, std::int64_t hour,
                                      const std::vector<std::string>& verdicts) {
  filter.scope.since = std::max(filter.scope.since, hour);
  filter.scope.until = filter.scope.until == 0 ? hour + kHour : std::min(filter.scope.until, hour + kHour);
  std::vector<Row> all;
  for (const auto& verdict : verdicts) {
    filter.verdict = verdict;
    auto rows = find(reader, filter);
    if (!rows) return rows;
    std::ranges::move(*rows, std::back_inserter(all));
  }
  std::ranges::sort(all, is_newer);
  return all;
}

}  // namespace

Result<std::vector<Trouble>> troubles(Reader& reader, const Scope& scope, std::size_t most) {
  Condition condition;
  condition.within_hours(scope);
  any_of(condition, "verdict", bad_verdicts());
  const auto where = condition.sql();
  const auto limit = condition.mark(static_cast<std::int64_t>(most));
  std::vector<Trouble> found;
  std::vector<std::int64_t> hours;
  const auto done =
      reader.ask("SELECT from_domain, direction, SUM(messages) AS bad, MAX(hour) FROM sesame_hour" + where +
                     " GROUP BY from_domain, direction ORDER BY bad DESC, from_domain, direction LIMIT " + limit,
                 condition.parameters(), [&](const Cells& cells) {
                   auto& trouble = found.emplace_back();
                   trouble.from_domain = cells.text(0);
                   trouble.direction = cells.text(1);
                   trouble.bad = static_cast<std::uint64_t>(cells.number(2));
                   hours.push_back(cells.number(3));
                 });
  if (!done) return tl::unexpected(done.error());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (auto added = add_newest(reader, found[i], hours[i], scope.host); !added) return tl::unexpected(added.error());
  return found;
}

Result<std::vector<Row>> find_among(Reader& reader, const Filter& filter, const std::vector<std::string>& verdicts) {
  const bool narrow =
      !verdicts.empty() || !filter.action.empty() || !filter.code.empty() || !filter.scope.from_domain.empty();
  if (!narrow) return find(reader, filter);
  const auto hours = hours_with(reader, filter, verdicts);
  if (!hours) return tl::unexpected(hours.error());
  const auto asked = verdicts.empty() ? std::vector<std::string>{""} : verdicts;
  std::vector<Row> found;
  for (const auto hour : *hours) {
    auto rest = filter;
    rest.most = filter.most - found.size();
    auto rows = find_in_hour(reader, rest, hour, asked);
    if (!rows) return rows;
    for (auto& row : *rows)
      if (found.size() < filter.most) found.push_back(std::move(row));
    if (found.size() == filter.most) break;
  }
  return found;
}

}  // namespace sesame::history
