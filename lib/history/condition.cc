#include "history/condition.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::history {
namespace {

constexpr std::int64_t kEndOfTime = 253'402'300'800;  // the year 10000

// For LIKE ... ESCAPE '!'.
std::string without_wildcards(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') escaped += '!';
    escaped += c;
  }
  return escaped;
}

std::string like(const std::string& column, const std::string& mark) {
  return column + " LIKE " + mark + " ESCAPE '!'";
}

std::string any_of(const std::vector<std::string>& terms) {
  return "(" + join(terms, " OR ") + ")";
}

std::int64_t within_time(std::int64_t seconds) {
  return std::clamp<std::int64_t>(seconds, 0, kEndOfTime);
}

}  // namespace

std::int64_t microseconds(std::int64_t seconds) {
  return within_time(seconds) * 1'000'000;
}

std::string Condition::mark(std::int64_t number) {
  parameters_.emplace_back(number);
  return "$" + std::to_string(parameters_.size());
}

std::string Condition::mark(std::string_view text) {
  parameters_.emplace_back(printable(text, kMaxText));
  return "$" + std::to_string(parameters_.size());
}

void Condition::add(const std::string& term) {
  terms_.push_back(term);
}

void Condition::equal(const char* column, const std::string& text) {
  if (!text.empty()) add(column + (" = " + mark(text)));
}

void Condition::contains(const std::vector<const char*>& columns, const std::string& text) {
  if (text.empty()) return;
  parameters_.emplace_back("%" + without_wildcards(lower(printable(text, kMaxText))) + "%");
  const auto pattern = "$" + std::to_string(parameters_.size());
  std::vector<std::string> terms;
  for (const auto* column : columns) terms.push_back(like("lower(" + std::string(column) + ")", pattern));
  add(any_of(terms));
}

void Condition::at_or_below(const std::string& domain) {
  if (domain.empty()) return;
  const auto name = lower(printable(domain, kMaxText));
  const auto itself = mark(name);
  parameters_.emplace_back("%." + without_wildcards(name));
  add(any_of({"from_domain = " + itself, like("from_domain", "$" + std::to_string(parameters_.size()))}));
}

void Condition::within_hours(const Scope& scope) {
  add("hour >= " + mark(hour_of(within_time(scope.since))));
  if (scope.until != 0) add("hour < " + mark(hour_of(within_time(scope.until))));
  equal("direction", scope.direction);
  equal("host", scope.host);
  at_or_below(scope.from_domain);
}

void Condition::within(const Scope& scope) {
  add("time >= " + mark(microseconds(scope.since)));
  if (scope.until != 0) add("time < " + mark(microseconds(scope.until)));
  equal("direction", scope.direction);
  equal("host", scope.host);
  at_or_below(scope.from_domain);
}

std::string Condition::sql() const {
  return terms_.empty() ? "" : " WHERE " + join(terms_, " AND ");
}

}  // namespace sesame::history
