// SQL that both kinds of store understand, asked of whichever it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "util/result.h"

namespace sesame::history {

using Parameter = std::variant<std::int64_t, std::string>;

// One row of an answer; columns from 0. A NULL is 0 or "".
class Cells {
 public:
  virtual ~Cells() = default;
  virtual std::int64_t number(int column) const = 0;
  virtual std::string text(int column) const = 0;
};

// For one thread at a time. Writes nothing.
class Reader {
 public:
  virtual ~Reader() = default;
  // `sql` marks its parameters $1, $2, ... Each row is given to `row`. An error says what the store said.
  virtual Result<void> ask(std::string_view sql, const std::vector<Parameter>& parameters,
                           const std::function<void(const Cells&)>& row) = 0;
};

// A path or a postgresql:// URL. No such file is an error that says so; so is a store of a later version of Sesame.
Result<std::unique_ptr<Reader>> open_reader(const std::string& store);

}  // namespace sesame::history
