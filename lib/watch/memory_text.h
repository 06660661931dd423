// What the memory keeps whole in one column: JSON texts and words. Inside memory*.cc only.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "watch/memory.h"

namespace sesame::watch {

// Without the key.
std::string text_of(const RecordState& state);
std::optional<RecordState> parse_state(const RecordKey& key, std::string_view text);
// Changes, deadline and count of identities; the rest has columns of its own.
std::string text_of(const Notice& notice);
// Into `notice`; false when the text is damaged.
bool parse_notice(std::string_view text, Notice& notice);
std::string text_of(const std::optional<ses::DelegationMismatch>& delegation);
bool parse_delegation(std::string_view text, std::optional<ses::DelegationMismatch>& delegation);
std::string text_of(const std::vector<std::string>& names);
bool parse_names(std::string_view text, std::vector<std::string>& names);

// Which of these has this spelling?
template <class T>
std::optional<T> parse_word(std::string_view word, std::initializer_list<T> all) {
  for (const auto each : all)
    if (to_string(each) == word) return each;
  return std::nullopt;
}

inline constexpr std::initializer_list<Part> kParts = {Part::dkim,  Part::mail_from_mx, Part::mail_from_spf,
                                                       Part::dmarc, Part::zone,         Part::amazon};
inline constexpr std::initializer_list<State> kStates = {State::healthy, State::degraded, State::missing,
                                                         State::recovering};
inline constexpr std::initializer_list<Quality> kQualities = {Quality::good, Quality::absent, Quality::wrong,
                                                              Quality::failing, Quality::old};

}  // namespace sesame::watch
