#include "history/sqlite_rows.h"

namespace sesame::history {
namespace {

// In this order among the columns, and so in both directions.
template <class RowType, class Text, class Number>
void each_column(RowType& row, Text&& text, Number&& number) {
  text(row.origin);
  number(row.sequence);
  number(row.time);
  for (auto* each : {&row.host, &row.queue_id, &row.direction, &row.from_domain, &row.mail_from, &row.message_id,
                     &row.client, &row.verdict})
    text(*each);
  text(row.alignment);
  for (auto* each : {&row.disposition, &row.forwarder, &row.action, &row.code, &row.codes, &row.account, &row.region,
                     &row.identity, &row.why})
    text(*each);
  number(row.waited_us);
  number(row.took_us);
}

Alignment parse_alignment(const std::string& word) {
  for (const auto each : {Alignment::both, Alignment::dkim, Alignment::spf, Alignment::none})
    if (word == to_string(each)) return each;
  return Alignment::unknown;
}

struct Bind {
  sqlite::Query& query;
  void operator()(const std::string& text) const { query.with(text); }
  void operator()(Alignment alignment) const { query.with(to_string(alignment)); }
};

struct Take {
  const sqlite::Query& query;
  int& column;
  void operator()(std::string& text) const { text = query.text(column++); }
  void operator()(Alignment& alignment) const { alignment = parse_alignment(query.text(column++)); }
};

}  // namespace

sqlite::Query& bind(sqlite::Query& query, const Row& row) {
  each_column(row, Bind{query}, [&query](std::int64_t number) { query.with(number); });
  return query;
}

Row row_of(const sqlite::Query& query, int first) {
  Row row;
  each_column(row, Take{query, first}, [&](std::int64_t& number) { number = query.number(first++); });
  return row;
}

}  // namespace sesame::history
