// The macro language of RFC 7208 Section 7.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "util/result.h"

namespace sesame::spf {

// "%{" macro-letter transformers *delimiter "}"
struct Macro {
  char letter = 'd';        // lower case
  bool url_escape = false;  // written in upper case
  unsigned parts = 0;       // rightmost parts kept; 0 keeps all
  bool reverse = false;
  std::string delimiters;  // "" is the default, "."
  bool operator==(const Macro&) const = default;
};

// "%%", "%_" or "%-": the character after the percent sign.
struct Escape {
  char written = '%';
  bool operator==(const Escape&) const = default;
};

using Piece = std::variant<std::string, Escape, Macro>;
using MacroString = std::vector<Piece>;

// Where a macro-string stands decides what may be in it: c, r and t only make sense in an explanation (Section 7.2),
// which alone may hold spaces (explain-string). A modifier nobody knows is held to the bare grammar.
enum class MacroContext { domain_spec, unknown_modifier, explanation };

// macro-string = *( macro-expand / macro-literal ). An error says what is wrong, safe to print.
sesame::Result<MacroString> parse_macro_string(std::string_view text, MacroContext context);
// domain-spec = macro-string domain-end
sesame::Result<MacroString> parse_domain_spec(std::string_view text);
// The same macro-string as text.
std::string to_text(const MacroString& pieces);

// How often a letter (lower case) is expanded.
int count_letter(const MacroString& pieces, char letter);

// The value of a letter; nothing when it has none that can be used here, and then nothing can be expanded.
using MacroValue = std::function<std::optional<std::string>(char letter)>;

inline constexpr std::size_t kMaxExplanation = 4096;  // octets; a longer one is not used

// Section 7.3: over 253 octets labels are dropped from the left. What comes out need not be a name that can exist in
// DNS.
std::optional<std::string> expand_domain(const MacroString& pieces, const MacroValue& value);
std::optional<std::string> expand_explanation(const MacroString& pieces, const MacroValue& value);

}  // namespace sesame::spf
