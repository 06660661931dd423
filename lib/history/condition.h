// WHERE, and the parameters it names: nothing that a person or a message says becomes part of the SQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "history/questions.h"

namespace sesame::history {

inline constexpr std::int64_t kHour = 3600;

class Condition {
 public:
  // "$1", "$2", ...: the mark of a parameter, which is to be used in the SQL at least once, and in this order.
  std::string mark(std::int64_t number);
  // Texts stand printable and short in the store, and are looked for as such.
  std::string mark(std::string_view text);

  void add(const std::string& term);
  void equal(const char* column, const std::string& text);  // nothing where it is ""
  // `text` somewhere in one of these, whatever the case.
  void contains(const std::vector<const char*>& columns, const std::string& text);
  // Of the hours, and of the messages.
  void within_hours(const Scope& scope);
  void within(const Scope& scope);

  std::string sql() const;  // " WHERE ..."
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  void at_or_below(const std::string& domain);

  std::vector<Parameter> parameters_;
  std::vector<std::string> terms_;
};

inline std::int64_t hour_of(std::int64_t seconds) {
  return seconds - seconds % kHour;
}
// The microseconds of a unix second, within what a time can be.
std::int64_t microseconds(std::int64_t seconds);

}  // namespace sesame::history
