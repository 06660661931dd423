// What goes wrong, found without reading every row: the sums by the hour tell where to look.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history/questions.h"

namespace sesame::history {

// A From domain with messages that fail or are refused, and the newest of them.
struct Trouble {
  std::string from_domain, direction;
  std::uint64_t bad = 0;
  std::int64_t time = 0;  // microseconds; 0 = the row is forgotten by now, and with it what follows
  std::string queue_id, code, why;
};
// Most bad messages first.
Result<std::vector<Trouble>> troubles(Reader& reader, const Scope& scope, std::size_t most);

// find(), of any of these verdicts (instead of the filter's own; none = any), hour by hour where there are such
// messages: what is rare is found as fast as what is frequent.
Result<std::vector<Row>> find_among(Reader& reader, const Filter& filter, const std::vector<std::string>& verdicts);

}  // namespace sesame::history
