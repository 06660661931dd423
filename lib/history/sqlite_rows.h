// Rows as columns. Inside this folder only.
#pragma once

#include "history/history.h"
#include "sqlite/sqlite.h"

namespace sesame::history {

// The columns of sesame_message, in the order of bind() and row_of(); the story is not one of them.
inline constexpr int kColumns = 23;

sqlite::Query& bind(sqlite::Query& query, const Row& row);
// They begin with this column of the answer.
Row row_of(const sqlite::Query& query, int first);

}  // namespace sesame::history
