// The tables in PostgreSQL, as contrib/doc/history.md has them. Inside this folder only.
#pragma once

#include <span>
#include <string>

#include "history/history.h"
#include "history/postgres_connection.h"

namespace sesame::history::postgres {

// Makes the tables where they are not there; many may do so at once. An error where a later version of Sesame made
// them.
Result<void> make_tables(Connection& connection);
// The same error, and one where there are no tables.
Result<void> check_tables(Connection& connection);

// What rows go through: a temporary table of this connection, empty at the end of each transaction.
Result<void> make_batch(Connection& connection);
// Copies rows into that table, and from there takes those that are new. In a transaction of the caller's.
Result<void> take_batch(Connection& connection, std::span<const Row> rows);

// In the text format of COPY, for that table. What no row holds (NUL, octets beyond ASCII) is "?": the server's
// encoding may be any.
std::string copy_text(std::span<const Row> rows);

}  // namespace sesame::history::postgres
