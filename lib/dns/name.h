// Domain names as text: lower case, no trailing dot. The root is "".
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sesame::dns {

inline constexpr std::size_t kMaxName = 253;  // octets of text without the trailing dot, RFC 1035 Section 2.3.4
inline constexpr std::size_t kMaxLabel = 63;

// Lower case, one trailing dot removed. Nothing when a label is empty or over 63 octets, or the name over 253 octets.
// Any octet but the dot may stand in a label, as in RFC 2181 Section 11.
std::optional<std::string> canonical(std::string_view name);
// The same, as it is where it is canonical, else written into `room`.
using NameRoom = std::array<char, kMaxName>;
std::optional<std::string_view> canonical(std::string_view name, NameRoom& room);
// True for what canonical() would return as it is.
bool is_canonical(std::string_view name);

// A host name as mail uses it: canonical, at least one label, only letters, digits, hyphen and underscore.
bool is_hostname(std::string_view name);

// The rightmost `count` labels of a canonical name; the whole name when it has no more.
std::string_view rightmost(std::string_view name, std::size_t count);
std::size_t label_count(std::string_view name);
// Without the leftmost label; "" for a single label.
std::string_view parent(std::string_view name);
// True for the name itself and for names below it.
bool is_at_or_below(std::string_view name, std::string_view ancestor);

}  // namespace sesame::dns
