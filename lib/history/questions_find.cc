// Single messages.
#include <fmt/format.h>

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
  for (auto* member : {&row.origin}) *member = cells.text(column++);
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

// Rows on one side of a place in the order of time. What is compared first stands alone as well: there is an index
// for it.
void beside(Condition& condition, const char* side, std::int64_t time, const std::string& origin,
            std::int64_t sequence) {
  const auto at = condition.mark(time);
  condition.add(fmt::format("time {}= {}", side, at));
  const auto of = condition.mark(origin);
  condition.add(fmt::format("(time, origin, sequence) {} ({}, {}, {})", side, at, of, condition.mark(sequence)));
}

Result<std::vector<Row>> rows(Reader& reader, Condition& condition, const char* order, std::size_t most) {
  const auto where = condition.sql();
  const auto limit = condition.mark(static_cast<std::int64_t>(most));
  const auto sql =
      fmt::format("SELECT {0} FROM sesame_message m{1} ORDER BY time {2}, origin {2}, sequence {2} LIMIT {3}", kColumns,
                  where, order, limit);
  std::vector<Row> found;
  const auto asked =
      reader.ask(sql, condition.parameters(), [&found](const Cells& cells) { found.push_back(row_of(cells)); });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

}  // namespace

Result<std::vector<Row>> find(Reader& reader, const Filter& filter) {
  auto condition = condition_of(filter);
  if (filter.before_time) beside(condition, "<", *filter.before_time, filter.before_origin, filter.before_sequence);
  return rows(reader, condition, "DESC", filter.most);
}

Result<std::vector<Row>> after(Reader& reader, const Mark& mark, const Filter& filter) {
  auto condition = condition_of(filter);
  beside(condition, ">", mark.time, mark.origin, mark.sequence);
  return rows(reader, condition, "ASC", filter.most);
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
