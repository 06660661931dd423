#include "spf/macro.h"

#include <map>

#include "check.h"

namespace sesame::spf {
namespace {

// The values of the examples in RFC 7208 Section 7.4.
std::optional<std::string> example_value(char letter) {
  static const std::map<char, std::string> values = {{'s', "strong-bad@email.example.com"},
                                                     {'l', "strong-bad"},
                                                     {'o', "email.example.com"},
                                                     {'d', "email.example.com"},
                                                     {'i', "192.0.2.3"},
                                                     {'v', "in-addr"},
                                                     {'h', "a b&c/d=e~f"},
                                                     {'p', "unknown"},
                                                     {'r', ""}};
  const auto found = values.find(letter);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::string expanded(std::string_view text) {
  const auto pieces = parse_macro_string(text, MacroContext::explanation);
  if (!pieces) return "error: " + pieces.error().message;
  return expand_explanation(*pieces, example_value).value_or("no value");
}

struct Expansion {
  const char* text;
  const char* want;
};

TEST(Macro, ExpandsAsTheRfcShows) {
  const Expansion cases[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{d2R}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%%%_%-", "% %20"},
      {"%{s-@}", "error: a macro is not closed by \"}\" after its letter, digits, \"r\" and delimiters"},
  };
  for (const auto& c : cases) EXPECT_EQ(expanded(c.text), c.want) << c.text;
}

TEST(Macro, HugePartCountsKeepEverything) {  // R7
  for (const auto* text : {"%{d127}", "%{d00000000000000003}", "%{d4294967296}", "%{d99999999999999999999999999999}"})
    EXPECT_EQ(expanded(text), "email.example.com") << text;
}

TEST(Macro, KeepsEmptyPartsBetweenDelimiters) {
  const auto pieces = parse_macro_string("%{l2r+-}", MacroContext::domain_spec);
  ASSERT_TRUE(pieces);
  EXPECT_EQ(expand_domain(*pieces, [](char) { return std::optional<std::string>("a+-b"); }), ".a");
}

TEST(Macro, UpperCaseEscapesAllButUnreservedCharacters) {
  EXPECT_EQ(expanded("%{H}"), "a%20b%26c%2Fd%3De~f");
}

TEST(Macro, MalformedIsAnError) {
  for (const auto* text : {"%", "%a", "%(d)", "%{", "%{}", "%{d", "%{d0}", "%{d000}", "%{dr2}", "%{d.r}", "%{x}",
                           "%{d}%", "%{d!}", "%{dd}", "% ", "\x7f", "a\x01", "\xc3\xa4"})
    EXPECT_FALSE(parse_macro_string(text, MacroContext::explanation)) << text;
}

TEST(Macro, ExplanationLettersAndSpacesOnlyInExplanations) {
  for (const auto* text : {"%{c}", "%{r}", "%{t}", "%{C}"}) {
    EXPECT_FALSE(parse_macro_string(text, MacroContext::domain_spec)) << text;
    EXPECT_TRUE(parse_macro_string(text, MacroContext::explanation)) << text;
    EXPECT_TRUE(parse_macro_string(text, MacroContext::unknown_modifier)) << text;
  }
  EXPECT_FALSE(parse_macro_string("a b", MacroContext::domain_spec));
  EXPECT_FALSE(parse_macro_string("a b", MacroContext::unknown_modifier));
  EXPECT_TRUE(parse_macro_string("a b", MacroContext::explanation));
}

std::string domain_of(std::string_view text, const std::string& value) {
  const auto pieces = parse_macro_string(text, MacroContext::domain_spec);
  return expand_domain(*pieces, [&](char) { return std::optional(value); }).value_or("no value");
}

TEST(Macro, DropsLabelsFromTheLeftOver253Octets) {                                         // R7
  const std::string label(49, 'x');                                                        // 50 with its dot
  const std::string five = label + '.' + label + '.' + label + '.' + label + '.' + label;  // 249
  EXPECT_EQ(domain_of("%{d}.abc", five), five + ".abc");                                   // 253
  EXPECT_EQ(domain_of("%{d}.abc.", five), five + ".abc.");  // the final dot does not count
  EXPECT_EQ(domain_of("%{d}.abcd", five), five.substr(50) + ".abcd");
  EXPECT_EQ(domain_of("%{d}.%{d}.%{d}.%{d}.abc", five), five + ".abc");
  EXPECT_EQ(domain_of("%{d}", std::string(254, 'x')), "");
  EXPECT_EQ(domain_of("%{d}.example.com", std::string(100000, 'x')), "example.com");
  EXPECT_EQ(domain_of("%{d}.example.com", std::string(100000, '.')).size(), 253u);
}

TEST(Macro, TooLongExplanationIsNone) {
  const auto pieces = parse_macro_string("%{h}%{h}", MacroContext::explanation);
  const auto of_size = [&](std::size_t size) {
    return expand_explanation(*pieces, [size](char) { return std::optional(std::string(size, 'x')); });
  };
  EXPECT_EQ(of_size(kMaxExplanation / 2)->size(), kMaxExplanation);
  EXPECT_FALSE(of_size(kMaxExplanation / 2 + 1));
}

}  // namespace
}  // namespace sesame::spf
