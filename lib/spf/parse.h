// An SPF record as values: RFC 7208 Section 4.6.1 and its collected grammar in Section 12.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/macro.h"
#include "spf/spf.h"
#include "util/ip.h"
#include "util/result.h"

namespace sesame::spf {

struct Mechanism {
  enum class Kind { all, include, a, mx, ptr, ip4, ip6, exists };
  Kind kind = Kind::all;
  MacroString domain;      // include, exists; a, mx, ptr may leave it empty
  Network network;         // ip4, ip6
  unsigned prefix4 = 32;   // a, mx
  unsigned prefix6 = 128;  // a, mx
  bool operator==(const Mechanism&) const = default;
};

// directive = [ qualifier ] mechanism
struct Directive {
  Result qualifier = Result::pass;  // pass, fail, softfail or neutral
  Mechanism mechanism;
  std::string written;  // printable
  // The same meaning, however it was written.
  bool operator==(const Directive& other) const { return qualifier == other.qualifier && mechanism == other.mechanism; }
};

struct UnknownModifier {
  std::string name;
  MacroString value;
  bool operator==(const UnknownModifier&) const = default;
};

struct Record {
  std::vector<Directive> directives;
  std::optional<MacroString> redirect;
  std::optional<MacroString> exp;
  std::vector<UnknownModifier> unknown;
  bool operator==(const Record&) const = default;
};

// Whether a TXT record is an SPF record at all: RFC 7208 Section 4.5.
bool is_spf_record(std::string_view text);
// The whole record is checked before any of it means anything (Section 4.6). An error names the term.
sesame::Result<Record> parse_record(std::string_view text);
// A record that parses to the same value.
std::string to_text(const Record& record);

}  // namespace sesame::spf
