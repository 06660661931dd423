#include "spf/macro.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dns/name.h"
#include "util/ip.h"
#include "util/text.h"

namespace sesame::spf {
namespace {

constexpr std::string_view kDomainLetters = "slodipvh";
constexpr std::string_view kExplanationLetters = "crt";
constexpr std::string_view kDelimiters = ".-+,/_=";

bool has(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

// Reading keeps to the text: past the end there is only '\0', which no rule accepts.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  char take() {
    const char c = peek();
    if (!done()) ++at_;
    return c;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string quoted(std::string_view text) {
  return '"' + printable(text, 80) + '"';
}

bool is_letter_allowed(char letter, MacroContext context) {
  return has(kDomainLetters, letter) || (context != MacroContext::domain_spec && has(kExplanationLetters, letter));
}

// macro-letter transformers *delimiter "}", after "%{"
sesame::Result<Piece> parse_macro(Cursor& in, MacroContext context) {
  Macro macro;
  const char written = in.take();
  macro.letter = to_lower(written);
  macro.url_escape = written != macro.letter;
  if (!is_letter_allowed(macro.letter, context))
    return failure(fmt::format("macro letter {} is not allowed here", quoted({&written, 1})));
  std::string digits;
  while (is_digit(in.peek())) digits += in.take();
  if (!digits.empty()) {
    // RFC 7208 Section 7.3: the number must not be zero; one too large for us asks for more parts than there can be.
    if (digits.find_first_not_of('0') == std::string::npos) return failure("a macro keeps 0 parts");
    constexpr std::uint64_t kMost = std::numeric_limits<unsigned>::max();
    macro.parts = static_cast<unsigned>(std::min(parse_number(digits).value_or(kMost), kMost));
  }
  if (to_lower(in.peek()) == 'r') {
    in.take();
    macro.reverse = true;
  }
  while (!in.done() && has(kDelimiters, in.peek())) macro.delimiters += in.take();
  if (in.take() != '}') return failure("a macro is not closed by \"}\" after its letter, digits, \"r\" and delimiters");
  return macro;
}

// macro-expand, after "%"
sesame::Result<Piece> parse_expand(Cursor& in, MacroContext context) {
  switch (const char c = in.take()) {
    case '%':
    case '_':
    case '-':
      return Escape{c};
    case '{':
      return parse_macro(in, context);
    default:
      return failure("\"%\" is followed by none of \"{\", \"%\", \"_\" and \"-\"");
  }
}

// macro-literal = %x21-24 / %x26-7E; explain-string adds SP.
bool is_literal(char c, MacroContext context) {
  return (c > ' ' && c <= '~') || (c == ' ' && context == MacroContext::explanation);
}

bool is_toplabel(std::string_view label) {
  if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
  if (!std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; })) return false;
  return !std::ranges::all_of(label, is_digit);
}

// domain-end = ( "." toplabel [ "." ] ) / macro-expand
bool has_domain_end(const MacroString& pieces) {
  if (pieces.empty()) return false;
  const auto* literal = std::get_if<std::string>(&pieces.back());
  if (!literal) return true;
  std::string_view text = *literal;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dot = text.rfind('.');
  return dot != std::string_view::npos && is_toplabel(text.substr(dot + 1));
}

// RFC 7208 Section 7.3: split at the delimiters, reverse, keep the rightmost parts, join with dots.
std::string transform(const Macro& macro, const std::string& value) {
  if (macro.parts == 0 && !macro.reverse && macro.delimiters.empty()) return value;
  const std::string_view delimiters = macro.delimiters.empty() ? std::string_view(".") : macro.delimiters;
  std::vector<std::string> parts(1);
  for (const char c : value) {
    if (has(delimiters, c)) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (macro.reverse) std::ranges::reverse(parts);
  const auto keep = macro.parts == 0 ? parts.size() : std::min<std::size_t>(macro.parts, parts.size());
  std::string result;
  for (auto i = parts.size() - keep; i < parts.size(); ++i) {
    if (i != parts.size() - keep) result += '.';
    result += parts[i];
  }
  return result;
}

// RFC 7208 Section 7.3, RFC 3986 Section 2.3: all but the unreserved characters.
std::string url_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::optional<std::string> expand_piece(const Piece& piece, const MacroValue& value) {
  if (const auto* literal = std::get_if<std::string>(&piece)) return *literal;
  if (const auto* escape = std::get_if<Escape>(&piece)) {
    return escape->written == '%' ? "%" : escape->written == '_' ? " " : "%20";
  }
  const auto& macro = std::get<Macro>(piece);
  const auto text = value(macro.letter);
  if (!text) return std::nullopt;
  const auto transformed = transform(macro, *text);
  return macro.url_escape ? url_escaped(transformed) : transformed;
}

}  // namespace

sesame::Result<MacroString> parse_macro_string(std::string_view text, MacroContext context) {
  MacroString pieces;
  Cursor in(text);
  while (!in.done()) {
    const char c = in.take();
    if (c == '%') {
      auto piece = parse_expand(in, context);
      if (!piece) return failure(piece.error().message);
      pieces.push_back(std::move(*piece));
      continue;
    }
    if (!is_literal(c, context)) return failure("character " + quoted({&c, 1}) + " is not allowed");
    if (pieces.empty() || !std::holds_alternative<std::string>(pieces.back())) pieces.emplace_back(std::string());
    std::get<std::string>(pieces.back()) += c;
  }
  return pieces;
}

sesame::Result<MacroString> parse_domain_spec(std::string_view text) {
  if (text.empty()) return failure("the domain name is missing");
  auto pieces = parse_macro_string(text, MacroContext::domain_spec);
  if (!pieces || has_domain_end(*pieces)) return pieces;
  if (IpAddress::parse(text)) return failure(quoted(text) + " is an address, not a domain name: ip4 or ip6 is meant");
  return failure(quoted(text) + " does not end in a top-level domain or a macro");
}

std::string to_text(const MacroString& pieces) {
  std::string text;
  for (const auto& piece : pieces) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      text += *literal;
    } else if (const auto* escape = std::get_if<Escape>(&piece)) {
      text += {'%', escape->written};
    } else {
      const auto& macro = std::get<Macro>(piece);
      text += {'%', '{', macro.url_escape ? to_upper(macro.letter) : macro.letter};
      if (macro.parts != 0) text += std::to_string(macro.parts);
      if (macro.reverse) text += 'r';
      text += macro.delimiters + '}';
    }
  }
  return text;
}

int count_letter(const MacroString& pieces, char letter) {
  return static_cast<int>(std::ranges::count_if(pieces, [letter](const Piece& piece) {
    const auto* macro = std::get_if<Macro>(&piece);
    return macro && macro->letter == letter;
  }));
}

std::optional<std::string> expand_domain(const MacroString& pieces, const MacroValue& value) {
  // Only the end of a long name survives the truncation, so no more than that is kept while it grows.
  constexpr std::size_t kKeep = 2 * dns::kMaxName;
  std::string name;
  for (const auto& piece : pieces) {
    const auto text = expand_piece(piece, value);
    if (!text) return std::nullopt;
    name += *text;
    if (name.size() > kKeep) name.erase(0, name.size() - kKeep);
  }
  // RFC 7208 Section 7.3: labels are removed from the left until at most 253 octets remain, the final dot not counted.
  const auto most = dns::kMaxName + (name.ends_with('.') ? 1 : 0);
  if (name.size() > most) {
    const auto dot = name.find('.', name.size() - most - 1);
    name.erase(0, dot == std::string::npos ? name.size() : dot + 1);
  }
  return name;
}

std::optional<std::string> expand_explanation(const MacroString& pieces, const MacroValue& value) {
  std::string explanation;
  for (const auto& piece : pieces) {
    const auto text = expand_piece(piece, value);
    if (!text || explanation.size() + text->size() > kMaxExplanation) return std::nullopt;
    explanation += *text;
  }
  return explanation;
}

}  // namespace sesame::spf
