// Single messages.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "history/condition.h"

namespace sesame::history {
namespace {

constexpr std::int64_t kMostOfOneId = 100;  // messages that had the same queue id

constexpr std::string_view kColumns =
    "m.origin, m.sequence, m.time, m.host, m.queue_id, m.direction, m.from_domain, m.mail_from, m.message_id, m.client,"
    " m.verdict, m.alignment, m.disposition, m.forwarder, m.action, m.code, m.codes, m.account, m.region, m.identity,"
    " m.why, m.waited_us, m.took_us";
constexpr int kStory = 23;

Alignment alignment_of(const std::string& word) {
  for (const auto each : {Alignment::both, Alignment::dkim, Alignment::spf, Alignment::none})
    if (word == to_string(each)) return each;
  return Alignment::unknown;
}

Row row_of(const Cells& cells) {
  Row row;
  int column = 0;
  row.origin = cells.text(column++);
  for (auto* member : {&row.sequence, &row.time}) *member = cells.number(column++);
  for (auto* member : {&row.host, &row.queue_id, &row.direction, &row.from_domain, &row.mail_from, &row.message_id,
                       &row.client, &row.verdict})
    *member = cells.text(column++);
  row.alignment = alignment_of(cells.text(column++));
  for (auto* member : {&row.disposition, &row.forwarder, &row.action, &row.code, &row.codes, &row.account, &row.region,
                       &row.identity, &row.why})
    *member = cells.text(column++);
  for (auto* member : {&row.waited_us, &row.took_us}) *member = cells.number(column++);
  return row;
}

Condition condition_of(const Filter& filter) {
  Condition condition;
  condition.within(filter.scope);
  condition.equal("verdict", filter.verdict);
  condition.equal("action", filter.action);
  condition.equal("code", filter.code);
  condition.contains({"queue_id", "message_id", "mail_from", "from_domain", "why"}, filter.search);
  return condition;
}

Result<std::vector<Row>> rows(Reader& reader, Condition& condition, const char* order, std::size_t most) {
  const auto where = condition.sql();
  const auto limit = condition.mark(static_cast<std::int64_t>(most));
  const auto sql = fmt::format("SELECT {} FROM sesame_message m{} ORDER BY {} LIMIT {}", kColumns, where, order, limit);
  std::vector<Row> found;
  const auto asked =
      reader.ask(sql, condition.parameters(), [&found](const Cells& cells) { found.push_back(row_of(cells)); });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

}  // namespace

Result<std::vector<Row>> find(Reader& reader, const Filter& filter) {
  auto condition = condition_of(filter);
  if (filter.before_time) {
    // The time stands alone as well: there is an index for it.
    const auto time = condition.mark(*filter.before_time);
    condition.add("time <= " + time);
    const auto origin = condition.mark(filter.before_origin);
    condition.add(
        fmt::format("(time, origin, sequence) < ({}, {}, {})", time, origin, condition.mark(filter.before_sequence)));
  }
  return rows(reader, condition, "time DESC, origin DESC, sequence DESC", filter.most);
}

Result<Marks> marks(Reader& reader) {
  Marks marks;
  // From one origin to the next along the index, and not over all rows.
  const auto asked = reader.ask(
      "WITH RECURSIVE each_origin(origin) AS (SELECT MIN(origin) FROM sesame_message UNION ALL"
      " SELECT (SELECT MIN(m.origin) FROM sesame_message m WHERE m.origin > e.origin) FROM each_origin e"
      " WHERE e.origin IS NOT NULL)"
      " SELECT e.origin, (SELECT MAX(m.sequence) FROM sesame_message m WHERE m.origin = e.origin)"
      " FROM each_origin e WHERE e.origin IS NOT NULL",
      {}, [&marks](const Cells& cells) { marks[cells.text(0)] = cells.number(1); });
  if (!asked) return tl::unexpected(asked.error());
  return marks;
}

Result<std::vector<Row>> arrived(Reader& reader, Marks& marks, const Filter& filter) {
  const auto heads = history::marks(reader);
  if (!heads) return tl::unexpected(heads.error());
  std::vector<Row> found;
  auto moved = marks;
  for (const auto& [origin, head] : *heads) {
    auto& mark = moved[origin];
    if (mark >= head) continue;
    auto condition = condition_of(filter);
    condition.add("origin = " + condition.mark(origin));
    condition.add("sequence > " + condition.mark(mark));
    condition.add("sequence <= " + condition.mark(head));
    auto more = rows(reader, condition, "sequence", filter.most);
    if (!more) return tl::unexpected(more.error());
    mark = more->size() < filter.most ? head : more->back().sequence;
    found.insert(found.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
  marks = std::move(moved);
  std::ranges::stable_sort(found, {}, &Row::time);
  return found;
}

Result<std::vector<Row>> messages_of(Reader& reader, const std::string& queue_id) {
  Condition condition;
  const auto id = condition.mark(queue_id);
  const auto sql = fmt::format(
      "SELECT {}, s.story FROM sesame_message m LEFT JOIN sesame_story s ON s.origin = m.origin"
      " AND s.sequence = m.sequence WHERE m.queue_id = {} ORDER BY m.time DESC, m.origin DESC, m.sequence DESC LIMIT "
      "{}",
      kColumns, id, condition.mark(kMostOfOneId));
  std::vector<Row> found;
  const auto asked = reader.ask(sql, condition.parameters(), [&found](const Cells& cells) {
    found.push_back(row_of(cells));
    found.back().story = cells.text(kStory);
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

Result<Period> period(Reader& reader) {
  Period period;
  const auto asked = reader.ask("SELECT (SELECT MIN(time) FROM sesame_message), (SELECT MAX(time) FROM sesame_message)",
                                {}, [&period](const Cells& cells) {
                                  period.oldest = cells.number(0);
                                  period.newest = cells.number(1);
                                });
  if (!asked) return tl::unexpected(asked.error());
  return period;
}

}  // namespace sesame::history
