// The sesame.toml under way: settings, where each comes from, and what there is to say.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "config/assign.h"
#include "import.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

constexpr std::size_t kWidth = 100;

std::string name_of(const Statement& statement) {
  return statement.place() + " " + printable(statement.key, 60);
}

// "# - ..." in lines of at most kWidth characters.
std::string item(std::string_view text) {
  std::string out, line = "# -";
  for (const auto word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = "#  ";
    }
    line += ' ';
    line += word;
  }
  return out + line + "\n";
}

struct Heading {
  Remark::Kind kind;
  const char* text;
};
constexpr std::array kHeadings = {
    Heading{Remark::Kind::conflict, "Said more than once:"},
    Heading{Remark::Kind::differs, "Sesame does it differently:"},
    Heading{Remark::Kind::missing, "Has no equivalent:"},
    Heading{Remark::Kind::fault, "Was not understood:"},
};

}  // namespace

void Draft::set(const std::string& key, const std::string& value, const Statement& from) {
  const auto line = config::assignment(key, {value});
  if (!line) return remark(Remark::Kind::fault, from, line.error().message);
  auto& setting = settings_[key];
  if (setting.from.empty()) {
    setting.values = {value};
    setting.line = *line;
  } else if (setting.line != *line) {
    return remark(Remark::Kind::conflict, from, fmt::format("would be {}; {} holds", *line, join(setting.from, ", ")));
  }
  setting.from.push_back(name_of(from));
}

void Draft::set_figure(const std::string& key, double value, const Statement& from) {
  const auto bounds = config::bounds_of(key);
  const auto cut = std::clamp(value, bounds.least, bounds.most);
  if (cut != value)
    remark(Remark::Kind::differs, from, fmt::format("{} goes from {:.15g} to {:.15g}", key, bounds.least, bounds.most));
  set(key, fmt::format("{:.15g}", cut), from);
}

void Draft::add(const std::string& key, const std::vector<std::string>& values, const Statement& from) {
  auto& setting = settings_[key];
  bool taken = false;
  for (const auto& value : values) {
    if (const auto fits = config::assignment(key, {value}); !fits) {
      remark(Remark::Kind::fault, from, fits.error().message);
      continue;
    }
    taken = true;
    if (std::ranges::find(setting.values, value) == setting.values.end()) setting.values.push_back(value);
  }
  if (taken) setting.from.push_back(name_of(from));
  if (const auto line = config::assignment(key, setting.values)) setting.line = *line;
  if (setting.from.empty()) settings_.erase(key);
}

void Draft::remark(Remark::Kind kind, const Statement& from, std::string_view text) {
  remarks_.push_back({kind, name_of(from) + ": " + printable(text, 1000)});
}

const std::vector<std::string>* Draft::find(const std::string& key) const {
  const auto found = settings_.find(key);
  return found == settings_.end() ? nullptr : &found->second.values;
}

std::string Draft::toml(const std::vector<Source>& sources) const {
  std::string out = "# sesame.toml, made by sesame import from:\n";
  for (const auto& source : sources)
    out += fmt::format("#   {} ({})\n", printable(source.path), to_string(source.owner));
  out += "# What is not set here is at its default: sesame config print --defaults shows all there is.\n";
  std::string table;
  for (const auto& key : config::assignable_keys()) {
    const auto found = settings_.find(key);
    if (found == settings_.end()) continue;
    if (const auto own = config::table_of(key); own != table) {
      out += "\n[" + own + "]\n";
      table = own;
    } else if (table.empty()) {
      out += "\n";
    }
    out += "# " + join(found->second.from, ", ") + "\n" + found->second.line + "\n";
  }
  for (const auto& heading : kHeadings) {
    std::string items;
    for (const auto& each : remarks_)
      if (each.kind == heading.kind) items += item(each.text);
    if (!items.empty()) out += fmt::format("\n# {}\n{}", heading.text, items);
  }
  return out;
}

std::optional<bool> truth(Draft& draft, const Statement& statement) {
  const char first = to_lower(statement.value.front());
  if (first == 't' || first == 'y' || first == '1') return true;
  if (first == 'f' || first == 'n' || first == '0') return false;
  draft.remark(Remark::Kind::fault, statement, "is neither yes nor no");
  return std::nullopt;
}

std::optional<long> integer(Draft& draft, const Statement& statement) {
  char* end = nullptr;
  // policyd-spf has Python's int(), the others strtol() with any base.
  const long value = std::strtol(statement.value.c_str(), &end, statement.owner == Owner::policyd_spf ? 10 : 0);
  if (!statement.value.empty() && *end == '\0') return value;
  draft.remark(Remark::Kind::fault, statement, "is no integer");
  return std::nullopt;
}

}  // namespace sesame::cli::importer
