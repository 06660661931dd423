#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "setup_postfix.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

// What Postfix has to do with Sesame: a parameter of main.cf for all milters, or an attribute of one of them.
struct Wish {
  std::string parameter, attribute, value;
};

struct Named {
  const char* word;
  const char* advice;
};
// The ports are those that the documentation of these filters uses.
constexpr Named kOthers[] = {
    {"opendkim",
     "opendkim may go on signing: SES adds its signature to that one, and what SES breaks is a finding. Of "
     "received mail both would verify DKIM: \"Mode s\" in opendkim.conf leaves that to Sesame"},
    {":8891",
     "if that is opendkim, it may go on signing. Of received mail both would verify DKIM: \"Mode s\" in "
     "opendkim.conf leaves that to Sesame"},
    {"opendmarc",
     "opendmarc and Sesame both judge DMARC. sesame import takes over its settings; then take it out of the "
     "list"},
    {":8893",
     "if that is opendmarc, both judge DMARC. sesame import takes over its settings; then take it out of the list"},
};

std::string advice_for(const std::string& milter) {
  for (const auto& other : kOthers)
    if (lower(milter).find(other.word) != std::string::npos) return other.advice;
  return "stays, and sees each message before Sesame";
}

bool refers_to_smtpd(const std::string& value) {
  for (const auto* form : {"$smtpd_milters", "${smtpd_milters}", "$(smtpd_milters)"})
    if (value.find(form) != std::string::npos) return true;
  return false;
}

class Planner {
 public:
  Planner(const config::Config& config, const Postfix& postfix, const std::optional<SetupState>& state)
      : config_(config), postfix_(postfix), state_(state) {}

  Result<PostfixPlan> plan();

 private:
  Result<std::string> address();
  Result<std::string> unix_address(const std::string& path);
  Result<void> read();
  Result<void> read_lists();
  void wish();
  void add_to(const std::string& list);
  void make(const std::string& name, const std::string& value);
  void carry_over();
  Result<void> advise();

  const config::Config& config_;
  const Postfix& postfix_;
  const std::optional<SetupState>& state_;
  std::map<std::string, Postfix::Parameter> now_;
  std::map<std::string, std::string> base_;              // the lists without what setup made
  std::map<std::string, std::vector<std::string>> has_;  // the milters in them
  std::vector<std::string> others_;                      // but Sesame
  std::vector<Wish> wishes_;
  PostfixPlan plan_;
};

Result<std::string> Planner::address() {
  const auto socket = MilterSocket::parse(config_.milter.socket);
  if (socket.is_unix) return unix_address(socket.path);
  const bool bare_v6 = socket.host.find(':') != std::string::npos;
  return bare_v6 ? fmt::format("inet:[{}]:{}", socket.host, socket.port)
                 : fmt::format("inet:{}:{}", socket.host, socket.port);
}

Result<std::string> Planner::unix_address(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path().string();
  plan_.remarks.push_back(
      fmt::format("The user postfix must be able to enter {0}: adduser postfix sesame, then restart Postfix. Under "
                  "systemd the daemon writes there only where its unit lets it: systemctl edit sesame-milter, "
                  "[Service], ReadWritePaths={0}",
                  directory));
  // Relative to the queue directory: so it is the same socket inside of a chroot and outside.
  const auto& queue = postfix_.queue_directory();
  if (path.starts_with(queue + "/")) return "unix:" + path.substr(queue.size() + 1);
  const auto services = postfix_.services();
  if (!services) return tl::unexpected(services.error());
  for (const auto& service : *services)
    if (service.chroot)
      return failure(fmt::format(
          "milter.socket: {0} of Postfix runs in the chroot {1} and cannot reach {2}. Put the socket below it: "
          "install -d -o sesame -g sesame -m 0750 {1}/sesame, and in sesame.toml socket = "
          "\"unix:{1}/sesame/sesame.sock\"; or use \"inet:8892@127.0.0.1\"",
          service.name, queue, path));
  return "unix:" + path;
}

Result<void> Planner::read() {
  auto now = postfix_.read({"smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_command_timeout",
                            "milter_content_timeout"});
  if (!now) return tl::unexpected(now.error());
  now_ = *std::move(now);
  for (const auto* list : kMilterLists) {
    const auto& parameter = now_[list];
    const auto* made = state_ ? state_->find(list) : nullptr;
    // A value somebody gave it since is theirs.
    const bool ours = made && parameter.set && parameter.value == made->after;
    base_[list] = ours ? made->before.value_or("") : parameter.value;
  }
  return read_lists();
}

Result<void> Planner::read_lists() {
  for (const auto* list : kMilterLists) {
    const auto expanded = postfix_.expand(list, base_);
    if (!expanded) return tl::unexpected(expanded.error());
    has_[list] = split_milters(*expanded);
    for (const auto& milter : has_[list]) {
      if (same_milter(milter, plan_.milter)) continue;
      if (state_ && same_milter(milter, state_->milter))
        return failure(
            fmt::format("{} has {}, where Sesame was, and was changed since setup made it: take that out by "
                        "hand (postconf -e), then try again",
                        list, milter));
      if (std::find(others_.begin(), others_.end(), milter) == others_.end()) others_.push_back(milter);
    }
  }
  return {};
}

void Planner::wish() {
  if (now_["milter_default_action"].value != "accept")
    wishes_.push_back({"milter_default_action", "default_action", "accept"});
  const auto patience = patience_for(config_).count();
  for (const auto* attribute : {"command_timeout", "content_timeout"}) {
    const auto parameter = fmt::format("milter_{}", attribute);
    const auto seconds = parse_postfix_time(now_[parameter].value);
    if (!seconds || *seconds < patience) wishes_.push_back({parameter, attribute, fmt::format("{}s", patience)});
  }
}

void Planner::make(const std::string& name, const std::string& value) {
  const auto& now = now_[name];
  std::optional<std::string> before = now.set ? std::optional(now.value) : std::nullopt;
  const auto* made = state_ ? state_->find(name) : nullptr;
  const bool ours = made && now.set && now.value == made->after;
  plan_.lines.push_back({name, ours ? made->before : before, value});
  if (!now.set || now.value != value) plan_.shown.push_back({name, now.value, value});
}

void Planner::add_to(const std::string& list) {
  const auto& milters = has_[list];
  const auto there = std::find_if(milters.begin(), milters.end(),
                                  [this](const std::string& milter) { return same_milter(milter, plan_.milter); });
  if (there != milters.end()) {
    if (!others_.empty() && !wishes_.empty() && !there->starts_with('{'))
      plan_.remarks.push_back(fmt::format("{}: {} stands there without settings of its own, and {} is {}", list, *there,
                                          wishes_[0].parameter, now_[wishes_[0].parameter].value));
    return;
  }
  if (list != kMilterLists[0] && refers_to_smtpd(base_[list])) return;
  auto entry = plan_.milter;
  // Where others are, what is good for Sesame is said of Sesame alone.
  if (!others_.empty() && !wishes_.empty()) {
    entry = "{ " + entry;
    for (const auto& wish : wishes_) entry += fmt::format(", {}={}", wish.attribute, wish.value);
    entry += " }";
  }
  make(list, base_[list].empty() ? entry : base_[list] + ", " + entry);
}

// What an earlier setup made, and this one has no reason to make again.
void Planner::carry_over() {
  if (!state_) return;
  for (const auto& line : state_->lines)
    if (std::none_of(plan_.lines.begin(), plan_.lines.end(), [&](const auto& each) { return each.name == line.name; }))
      plan_.lines.push_back(line);
}

Result<void> Planner::advise() {
  for (const auto& other : others_) plan_.remarks.push_back(other + ": " + advice_for(other));
  const auto overrides = postfix_.overrides();
  if (!overrides) return tl::unexpected(overrides.error());
  for (const auto& line : *overrides)
    plan_.remarks.push_back("master.cf: " + line +
                            ": this service has milters of its own; where it should have Sesame, "
                            "add " +
                            plan_.milter + " there");
  plan_.remarks.push_back(
      "non_smtpd_milters is for mail submitted on this host (cron, bounces). Sesame takes it for bound for SES; where "
      "it "
      "stays here, exempt its From domain (ignore.from_domains)");
  return {};
}

Result<PostfixPlan> Planner::plan() {
  auto milter = address();
  if (!milter) return tl::unexpected(milter.error());
  plan_.milter = *std::move(milter);
  if (const auto done = read(); !done) return tl::unexpected(done.error());
  wish();
  for (const auto* list : kMilterLists) add_to(list);
  if (others_.empty())
    for (const auto& wish : wishes_) make(wish.parameter, wish.value);
  carry_over();
  if (const auto done = advise(); !done) return tl::unexpected(done.error());
  return std::move(plan_);
}

}  // namespace

Result<PostfixPlan> plan_postfix(const config::Config& config, const Postfix& postfix,
                                 const std::optional<SetupState>& state) {
  return Planner(config, postfix, state).plan();
}

}  // namespace sesame::cli
