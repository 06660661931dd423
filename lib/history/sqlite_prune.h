// What is forgotten, and when. Inside this folder only.
#pragma once

#include "sqlite/sqlite.h"
#include "util/result.h"

namespace sesame::history {

// Store::prune().
Result<bool> prune_history(sqlite::Connection& connection, std::int64_t before, std::size_t max_size);

}  // namespace sesame::history
