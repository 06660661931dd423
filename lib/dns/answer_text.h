// One answer as one line of JSON, for the file that keeps the cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dns/record.h"

namespace sesame::dns {

// `received` is in neither: only its owner knows the clock.
struct WrittenAnswer {
  Answer answer;
  std::int64_t expires = 0;  // the end of its time to live, seconds since 1970
  bool in_use = false;
};

// Nothing where the answer is of a kind that is not kept in files: from_line() takes all others.
std::optional<std::string> to_line(const WrittenAnswer& written);
// Nothing where the line is not what to_line() could have made of an answer from a server.
std::optional<WrittenAnswer> from_line(std::string_view line);

}  // namespace sesame::dns
