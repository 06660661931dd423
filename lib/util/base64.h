// RFC 4648 Section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

std::string base64_encode(std::span<const std::uint8_t> data);

// White space (space, tab, CR, LF) is skipped, as RFC 6376 allows folding anywhere; padding may be absent, as some
// published keys lack it. Any other character outside the alphabet, or an impossible length, gives nothing.
std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

}  // namespace sesame
