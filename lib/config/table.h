// The settings table as the loader and the documents see it. Internal to this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace sesame::config {

// What TOML can say, checked and in canonical form.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct Type {
  enum class Shape { boolean, integer, number, text, list } shape = Shape::text;
  std::string expected;        // completes "expected ..." in errors; stands in the documents, too
  double least = 0, most = 0;  // integer, number
  // Of a text, or of each text of a list: its canonical form, or nothing when it is not acceptable.
  std::function<std::optional<std::string>(std::string_view)> canonical;
};

// A setting as people read it.
struct Entry {
  std::string section;  // "dns"; "" at the top; "ses.identity" for a list of tables
  std::string name;     // in the section: "timeout", "dkim.status"
  Type type;
  std::string unit;               // "seconds"; "" if it has none
  std::optional<Value> fallback;  // the default; absent: `otherwise` says what holds
  std::string otherwise;          // "the host's name"; "required"
  std::optional<Value> example;   // shown in the sample instead of the default
  std::string help;               // one paragraph

  std::string key() const { return section.empty() ? name : section + "." + name; }
  bool required() const { return otherwise == "required"; }
};

template <class Target>
struct Setting : Entry {
  std::function<void(Target&, const Value&)> set;
  std::function<std::optional<Value>(const Target&)> get;  // nothing: leave the key out
};

struct Section {
  std::string name;
  enum class Kind { single, list } kind = Kind::single;
  std::string help;
};

// In the order of the documents.
const std::vector<Section>& sections();
const std::vector<Setting<Config>>& general_settings();
const std::vector<Setting<ses::Identity>>& identity_settings();
const std::vector<Setting<ses::Route>>& route_settings();
const std::vector<Setting<policy::OutboundOverride>>& override_settings();
std::vector<const Entry*> entries();

template <class Target>
void set_defaults(const std::vector<Setting<Target>>& settings, Target& target) {
  for (const auto& setting : settings)
    if (setting.fallback) setting.set(target, *setting.fallback);
}

// "2.0", "true", "\"text\"", "[\"a\", \"b\"]".
std::string to_toml(const Value& value);

// authserv_id where none is configured, and own_ids made to hold it.
void complete(Config& config);

}  // namespace sesame::config
