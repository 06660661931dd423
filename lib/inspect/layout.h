// Text laid out for people at a terminal. Inside this folder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sesame::inspect {

inline constexpr std::size_t kWidth = 96;
inline constexpr std::size_t kIndent = 12;  // where the text behind a name begins

// "  NAME      text", broken between words; the lines that follow stand under the text.
std::string entry(const std::string& name, const std::string& text, std::size_t indent = kIndent);
// "1 hour", "2 hours".
std::string plural(std::size_t count, const std::string& word);
// "59 minutes", "3 days".
std::string duration(std::int64_t seconds);

}  // namespace sesame::inspect
