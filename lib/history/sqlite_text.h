// Long texts as SQLite keeps them. Inside this folder only.
#pragma once

#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace sesame::history {

// A zlib stream; "" stays "".
std::string deflated(std::string_view text);
// "" for what is no such stream, or is of a text longer than any that is kept.
std::string inflated(std::string_view octets);

// Of the present row: a text as it stands, a blob inflated.
std::string text_of(sqlite3_stmt* statement, int column);

}  // namespace sesame::history
