// sesame setup: what the MTA needs to know of Sesame, shown, made and taken back.
#include "setup.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "util/file.h"
#include "util/ip.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxState = 1u << 20;
constexpr std::chrono::seconds kUsualPatience{30};  // what Postfix waits by itself
constexpr std::chrono::seconds kMargin{10};

Json to_json(const SetupState& state) {
  auto lines = Json::array();
  for (const auto& line : state.lines)
    lines.push_back(
        {{"name", line.name}, {"before", line.before ? Json(*line.before) : Json()}, {"after", line.after}});
  return {{"milter", state.milter}, {"lines", std::move(lines)}};
}

bool has_text(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string();
}

std::optional<SetupState> from_json(const Json& json) {
  if (!json.is_object() || !has_text(json, "milter") || !json.contains("lines") || !json["lines"].is_array())
    return std::nullopt;
  SetupState state{json["milter"].get<std::string>(), {}};
  for (const auto& each : json["lines"]) {
    if (!each.is_object() || !has_text(each, "name") || !has_text(each, "after")) return std::nullopt;
    MadeLine line{each["name"].get<std::string>(), std::nullopt, each["after"].get<std::string>()};
    if (has_text(each, "before")) line.before = each["before"].get<std::string>();
    state.lines.push_back(std::move(line));
  }
  return state;
}

// The loopback address where the daemon listens at every address.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  const auto address = IpAddress::parse(host);
  return address && !address->is_v4() && address == IpAddress::parse("::") ? "::1" : host;
}

}  // namespace

const MadeLine* SetupState::find(const std::string& name) const {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const MadeLine& line) { return line.name == name; });
  return found == lines.end() ? nullptr : &*found;
}

std::string state_path(const std::string& directory) {
  return directory + "/sesame-setup.json";
}

Result<std::optional<SetupState>> read_state(const std::string& directory) {
  const auto text = read_file(state_path(directory), kMaxState);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::nullopt;
  auto state = from_json(Json::parse(**text, nullptr, /*allow_exceptions=*/false));
  if (!state) return failure(state_path(directory) + ": is damaged; undo by hand what it tells of, and remove it");
  return state;
}

Result<void> write_state(const std::string& directory, const SetupState& state) {
  return replace_file(state_path(directory), to_json(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<void> remove_state(const std::string& directory) {
  const auto path = state_path(directory);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return failure(fmt::format("{}: cannot be removed: {}", path, errno_text(errno)));
  return {};
}

MilterSocket MilterSocket::parse(const std::string& setting) {
  const auto colon = setting.find(':');
  if (setting.starts_with("unix:")) return {true, setting.substr(colon + 1), "", ""};
  const auto at = setting.find('@');
  return {false, "", setting.substr(colon + 1, at - colon - 1), reachable(setting.substr(at + 1))};
}

std::chrono::seconds patience_for(const config::Config& config) {
  return std::max(kUsualPatience, std::chrono::ceil<std::chrono::seconds>(config.dns.budget) + kMargin);
}

Result<void> check_may_change(const std::string& file) {
  const auto directory = file.substr(0, file.rfind('/'));
  if (::access(file.c_str(), W_OK) == 0 && ::access(directory.c_str(), W_OK) == 0) return {};
  return failure(fmt::format("{}: cannot be changed: {}{}", file, errno_text(errno),
                             ::geteuid() == 0 ? "" : "; be root to do this"));
}

int run_setup(const Common& /*common*/, const SetupArguments& arguments) {
  auto config = load_settings(arguments.config);
  // What was made is taken back whatever the settings say by now.
  if (!config && arguments.action == SetupArguments::Action::revert) config = config::defaults();
  if (!config) return complain(config.error().message, kUsage);
  return arguments.mta == "postfix" ? setup_postfix(*config, arguments) : setup_sendmail(*config, arguments);
}

}  // namespace sesame::cli
