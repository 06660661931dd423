// Text laid out for people at a terminal. Inside this folder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dns/meter.h"

namespace sesame::inspect {

inline constexpr std::size_t kWidth = 96;
inline constexpr std::size_t kIndent = 12;  // where the text behind a name begins

// "  NAME      text", broken between words, and within one that is too long for a line; the lines that follow stand
// under the text.
std::string entry(const std::string& name, const std::string& text, std::size_t indent = kIndent);
// Without blanks at the ends of lines.
std::string without_trailing_blanks(std::string_view text);
// "1 hour", "2 hours".
std::string plural(std::size_t count, const std::string& word);
// "59 minutes", "3 days".
std::string duration(std::int64_t seconds);
// "2 answers are past their time to live, and no newer ones came: TXT example.com, ...".
std::string stale_text(const dns::Meter::Cost& cost);

}  // namespace sesame::inspect
