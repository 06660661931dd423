// What the table says, as people read it: the sample file, the manual page, and a configuration printed back.
#include <fmt/core.h>

#include "config/config.h"
#include "config/settings.h"
#include "config/table.h"
#include "util/text.h"

namespace sesame::config {
namespace {

constexpr std::size_t kWidth = 100;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Milliseconds are the finest that settings hold.
std::string decimal(double value) {
  auto text = fmt::format("{:.3f}", value);
  while (text.ends_with('0') && !text.ends_with(".0")) text.pop_back();
  return text;
}

struct Toml {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return decimal(value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<std::string>& values) const {
    std::vector<std::string> items;
    items.reserve(values.size());
    for (const auto& value : values) items.push_back(quoted(value));
    return "[" + join(items, ", ") + "]";
  }
};

// The words in lines of at most kWidth characters, each with the prefix.
std::string wrapped(std::string_view text, std::string_view prefix) {
  std::string out, line(prefix);
  for (const auto word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = prefix;
    }
    line += ' ';
    line += word;
  }
  return out + line + "\n";
}

std::string heading(const Section& section) {
  return section.kind == Section::Kind::list ? "[[" + section.name + "]]" : "[" + section.name + "]";
}

std::string default_of(const Entry& entry) {
  if (entry.required()) return "Required.";
  return "Default: " + (entry.fallback ? to_toml(*entry.fallback) : entry.otherwise) + ".";
}

std::string sample_entry(const Entry& entry) {
  const auto expected = entry.type.expected + (entry.unit.empty() ? "" : "; unit: " + entry.unit);
  auto out = "\n" + wrapped(entry.help, "#") + wrapped("Value: " + expected + ".", "#");
  if (!entry.fallback || entry.example) out += wrapped(default_of(entry), "#");
  const auto& shown = entry.example ? entry.example : entry.fallback;
  return out + "#" + entry.name + " = " + to_toml(*shown) + "\n";
}

// Text for man(7): nothing in it is taken for a request or an escape.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '"')
      out += "\\(dq";
    else
      out += c;
  }
  return out;
}

std::string man_lines(std::string_view text) {
  auto out = roff(wrapped(text, ""));
  // A line may not begin with a space, a full stop or an apostrophe; wrapped() begins each with a space.
  std::string lines;
  for (const auto line : split(out, '\n')) {
    const auto words = trim(line);
    if (words.empty()) continue;
    lines += (words.front() == '.' || words.front() == '\'' ? "\\&" : "") + std::string(words) + "\n";
  }
  return lines;
}

std::string man_entry(const Entry& entry) {
  return ".TP\n\\fB" + roff(entry.key()) + "\\fR\n" + man_lines(entry.help) + ".br\n" +
         man_lines("Value: " + entry.type.expected + (entry.unit.empty() ? "" : "; unit: " + entry.unit) + ".") +
         ".br\n" + man_lines(default_of(entry));
}

template <class Target>
std::string print_settings(const std::vector<Setting<Target>>& settings, const std::string& section,
                           const Target& target) {
  std::string out;
  for (const auto& setting : settings) {
    if (setting.section != section) continue;
    const auto value = setting.get(target);
    // What is empty and has no default can only be said by leaving it out.
    if (!value || (!setting.fallback && *value == Value(std::string()))) continue;
    out += setting.name + " = " + to_toml(*value) + "\n";
  }
  return out;
}

}  // namespace

std::string to_toml(const Value& value) {
  return std::visit(Toml{}, value);
}

std::string sample_text() {
  std::string out =
      "# Sesame's settings: the daemon sesame-milter(8) and the command sesame(1) read this file. See sesame.toml(5).\n"
      "# Every setting stands here commented out, at its default where it has one. After a change:\n"
      "#   sesame config test && systemctl reload sesame-milter\n";
  for (const auto& section : sections()) {
    if (!section.name.empty()) {
      out += "\n\n" + (section.help.empty() ? "" : wrapped(section.help, "#"));
      out += (section.kind == Section::Kind::list ? "#" : "") + heading(section) + "\n";
    }
    for (const auto* entry : entries())
      if (entry->section == section.name) out += sample_entry(*entry);
  }
  return out;
}

std::string man_text() {
  std::string out;
  for (const auto& section : sections()) {
    out += section.name.empty() ? ".SS Before the first table\n" : ".SS " + roff(heading(section)) + "\n";
    if (!section.help.empty()) out += man_lines(section.help);
    for (const auto* entry : entries())
      if (entry->section == section.name) out += man_entry(*entry);
  }
  return out;
}

std::string print(const Config& config) {
  std::string out;
  for (const auto& section : sections()) {
    if (section.name == "ses.identity") {
      for (const auto& identity : config.ses.identities)
        out += "\n[[ses.identity]]\n" + print_settings(identity_settings(), section.name, identity);
    } else if (section.name == "ses.route") {
      for (const auto& route : config.ses.routes)
        out += "\n[[ses.route]]\n" + print_settings(route_settings(), section.name, route);
    } else if (section.name == "outbound.override") {
      for (const auto& override : config.rules.overrides)
        out += "\n[[outbound.override]]\n" + print_settings(override_settings(), section.name, override);
    } else {
      if (!section.name.empty()) out += "\n" + heading(section) + "\n";
      out += print_settings(general_settings(), section.name, config);
    }
  }
  return out;
}

}  // namespace sesame::config
