#include "postfix.h"

#include <fmt/core.h>

#include <algorithm>

#include "program.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr const char* kNoPostfix = "there is no Postfix here: neither PATH nor /usr/sbin has the program ";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// "NAME = VALUE" in two.
std::pair<std::string, std::string> name_and_value(const std::string& line) {
  const auto equals = line.find(" =");
  if (equals == std::string::npos) return {line, ""};
  return {line.substr(0, equals), std::string(trim(std::string_view(line).substr(equals + 2)))};
}

}  // namespace

Result<Postfix> Postfix::find(const std::string& directory) {
  Postfix found;
  found.postconf_ = find_program("postconf");
  found.postfix_ = find_program("postfix");
  if (found.postconf_.empty()) return failure(std::string(kNoPostfix) + "postconf");
  if (found.postfix_.empty()) return failure(std::string(kNoPostfix) + "postfix");
  found.directory_ = directory;
  const auto settings = found.postconf({"-h", "config_directory", "queue_directory"});
  if (!settings) return tl::unexpected(settings.error());
  const auto lines = lines_of(*settings);
  if (lines.size() != 2) return failure(found.postconf_ + ": tells neither config_directory nor queue_directory");
  if (directory.empty()) found.directory_ = lines[0];
  found.queue_directory_ = lines[1];
  return found;
}

Result<std::string> Postfix::postconf(std::vector<std::string> arguments) const {
  std::vector<std::string> words{postconf_};
  if (!directory_.empty()) words.insert(words.end(), {"-c", directory_});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return output_of(words);
}

Result<std::map<std::string, Postfix::Parameter>> Postfix::read(const std::vector<std::string>& names) const {
  std::map<std::string, Parameter> found;
  const auto values = postconf(names);
  if (!values) return tl::unexpected(values.error());
  for (const auto& line : lines_of(*values)) {
    auto [name, value] = name_and_value(line);
    found[name] = {std::move(value), false};
  }
  std::vector<std::string> only_set{"-n"};
  only_set.insert(only_set.end(), names.begin(), names.end());
  const auto set = postconf(only_set);
  if (!set) return tl::unexpected(set.error());
  for (const auto& line : lines_of(*set)) found[name_and_value(line).first].set = true;
  for (const auto& name : names)
    if (!found.contains(name)) return failure(postconf_ + ": does not know " + name + ": this Postfix is too old");
  return found;
}

Result<std::string> Postfix::expand(const std::string& name, const std::map<std::string, std::string>& assumed) const {
  std::vector<std::string> arguments;
  for (const auto& [other, value] : assumed) arguments.insert(arguments.end(), {"-o", other + "=" + value});
  arguments.insert(arguments.end(), {"-xh", name});
  auto value = postconf(arguments);
  if (!value) return value;
  return std::string(trim(*value));
}

Result<void> Postfix::write(const std::vector<Line>& lines) const {
  std::vector<std::string> edit{"-e"}, remove{"-X"};
  for (const auto& line : lines)
    if (line.value)
      edit.push_back(line.name + " = " + *line.value);
    else
      remove.push_back(line.name);
  for (const auto& arguments : {edit, remove}) {
    if (arguments.size() == 1) continue;
    if (const auto done = postconf(arguments); !done) return tl::unexpected(done.error());
  }
  return {};
}

Result<std::vector<Postfix::Service>> Postfix::services() const {
  const auto fields = postconf({"-F"});
  if (!fields) return tl::unexpected(fields.error());
  const auto level = expand("compatibility_level", {});
  if (!level) return tl::unexpected(level.error());
  // Since Postfix 3.0 what is not said is no chroot, but not where the configuration is older.
  const bool by_default = *level == "0";
  std::map<std::string, bool> chroots;
  std::vector<Service> services;
  for (const auto& line : lines_of(*fields)) {
    const auto [name, value] = name_and_value(line);
    const auto slash = name.rfind('/');
    if (slash == std::string::npos) continue;
    const auto service = name.substr(0, slash);
    const auto program = value.substr(0, value.find(' '));
    if (name.ends_with("/chroot")) chroots[service] = value == "y" || (value == "-" && by_default);
    if (name.ends_with("/command") && (program == "smtpd" || program == "cleanup"))
      services.push_back({service, false});
  }
  for (auto& service : services) service.chroot = chroots[service.name];
  return services;
}

Result<std::vector<std::string>> Postfix::overrides() const {
  const auto all = postconf({"-P"});
  if (!all) return tl::unexpected(all.error());
  std::vector<std::string> found;
  for (const auto& line : lines_of(*all))
    if (name_and_value(line).first.ends_with("smtpd_milters")) found.push_back(line);
  return found;
}

std::vector<std::string> Postfix::control(const std::string& action) const {
  return {postfix_, "-c", directory_, action};
}

Result<void> Postfix::check() const {
  const auto done = output_of(control("check"));
  if (!done) return tl::unexpected(done.error());
  return {};
}

bool Postfix::is_running() const {
  return output_of(control("status")).has_value();
}

Result<void> Postfix::reload() const {
  const auto done = output_of(control("reload"));
  if (!done) return tl::unexpected(done.error());
  return {};
}

std::vector<std::string> split_milters(const std::string& list) {
  std::vector<std::string> milters(1);
  int depth = 0;
  for (const char c : list) {
    const bool separates = depth == 0 && (c == ',' || is_space(c));
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (!separates)
      milters.back() += c;
    else if (!milters.back().empty())
      milters.emplace_back();
  }
  if (milters.back().empty()) milters.pop_back();
  return milters;
}

std::string address_of_milter(const std::string& milter) {
  if (!milter.starts_with('{') || !milter.ends_with('}')) return milter;
  const auto inside = split_milters(milter.substr(1, milter.size() - 2));
  return inside.empty() ? "" : inside.front();
}

bool same_milter(const std::string& one, const std::string& other) {
  const auto plain = [](const std::string& milter) {
    auto address = address_of_milter(milter);
    if (istarts_with(address, "inet:")) address = lower(address);
    if (address.starts_with("inet:localhost:")) address = "inet:127.0.0.1" + address.substr(14);
    if (address.starts_with("local:")) address = "unix" + address.substr(5);
    return address;
  };
  return plain(one) == plain(other);
}

std::optional<long> parse_postfix_time(const std::string& text) {
  constexpr std::string_view kUnits = "smhdw";
  constexpr long kSeconds[] = {1, 60, 3600, 86400, 604800};
  if (text.empty()) return std::nullopt;
  const auto unit = kUnits.find(text.back());
  const auto number = parse_number(unit == std::string_view::npos ? text : text.substr(0, text.size() - 1));
  if (!number || *number > 1000000) return std::nullopt;
  return static_cast<long>(*number) * kSeconds[unit == std::string_view::npos ? 0 : unit];
}

}  // namespace sesame::cli
