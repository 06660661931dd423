#include "history_args.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "mail/address.h"
#include "moment.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

std::string settings_name(const HistoryArguments& arguments) {
  return arguments.config.value_or(config::default_path());
}

// What is to be done about a file that cannot be opened.
std::string advice(const std::string& path) {
  if (access(path.c_str(), R_OK) == 0) return "";
  if (errno == ENOENT)
    return "\nthe daemon makes it when it starts, where there is such a directory; history.store in the settings or "
           "--store "
           "names another";
  if (errno == EACCES) return "\nthe daemon's group may read it: run this as a member, or as root";
  return "";
}

tl::expected<std::unique_ptr<history::Reader>, Trouble> open(const std::string& store) {
  auto reader = history::open_reader(store);
  if (reader) return *std::move(reader);
  if (history::is_postgresql(store)) return tl::unexpected(Trouble{reader.error().message, kUndecided});
  return tl::unexpected(Trouble{reader.error().message + advice(store), kUsage});
}

Result<history::Scope> scope_of(const HistoryArguments& arguments) {
  const auto now = system_clock().unix_now();
  history::Scope scope;
  scope.direction = arguments.direction;
  scope.host = arguments.host;
  if (!arguments.domain.empty()) {
    auto domain = mail::to_ascii_domain(arguments.domain);
    if (!domain) return failure("--domain: \"" + printable(arguments.domain) + "\" is no domain");
    scope.from_domain = *std::move(domain);
  }
  if (!arguments.since.empty()) {
    const auto since = parse_moment(arguments.since, now, "--since");
    if (!since) return tl::unexpected(since.error());
    scope.since = *since;
  }
  if (!arguments.until.empty()) {
    const auto until = parse_moment(arguments.until, now, "--until");
    if (!until) return tl::unexpected(until.error());
    if (*until <= scope.since) return failure("--until is not after --since");
    scope.until = *until;
  }
  return scope;
}

}  // namespace

tl::expected<Asked, Trouble> ask_history(const HistoryArguments& arguments) {
  auto scope = scope_of(arguments);
  if (!scope) return tl::unexpected(Trouble{scope.error().message});
  auto config = load_settings(arguments.config);
  if (!config) return tl::unexpected(Trouble{config.error().message});
  const auto store = arguments.store.value_or(config->history.store);
  if (store.empty())
    return tl::unexpected(
        Trouble{"no history is kept: history.store is empty in " + settings_name(arguments) +
                "\nexpected a path or a postgresql:// URL there, in the section [history], or with --store"});
  auto reader = open(store);
  if (!reader) return tl::unexpected(reader.error());
  return Asked{*std::move(config), history::shown(store), *std::move(scope), *std::move(reader)};
}

history::Scope whole_hours(history::Scope scope) {
  constexpr std::int64_t kHour = 3600;
  scope.since -= scope.since % kHour;
  scope.until -= scope.until % kHour;
  return scope;
}

int complain(const char* command, const Trouble& trouble) {
  return complain(std::string(command) + ": " + trouble.message, trouble.status);
}

int complain(const char* command, const Error& error) {
  return complain(std::string(command) + ": " + error.message, kUndecided);
}

std::string period_text(std::int64_t since, std::int64_t until) {
  const auto end = until == 0 ? std::string("now") : timestamp(until);
  return since == 0 ? "until " + end : fmt::format("from {} until {}", timestamp(since), end);
}

std::string dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string moment_text(std::int64_t microseconds) {
  auto text = timestamp(microseconds / 1'000'000);
  text[10] = ' ';
  text.pop_back();
  return text;
}

Json scope_json(const Asked& asked) {
  const auto& scope = asked.scope;
  const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"store", asked.store},
          {"since", scope.since == 0 ? Json(nullptr) : Json(timestamp(scope.since))},
          {"until", scope.until == 0 ? Json(nullptr) : Json(timestamp(scope.until))},
          {"direction", or_null(scope.direction)},
          {"domain", or_null(scope.from_domain)},
          {"host", or_null(scope.host)}};
}

Json row_json(const history::Row& row) {
  return {{"time", fmt::format("{}.{:06}Z", timestamp(row.time / 1'000'000).substr(0, 19), row.time % 1'000'000)},
          {"host", row.host},
          {"queue_id", row.queue_id},
          {"direction", row.direction},
          {"from_domain", row.from_domain},
          {"mail_from", row.mail_from},
          {"message_id", row.message_id},
          {"client", row.client},
          {"verdict", row.verdict},
          {"alignment", history::to_string(row.alignment)},
          {"disposition", row.disposition},
          {"forwarder", row.forwarder},
          {"action", row.action},
          {"code", row.code},
          {"codes", row.codes.empty() ? Json(Json::array()) : Json(split(row.codes, ','))},
          {"account", row.account},
          {"region", row.region},
          {"identity", row.identity},
          {"why", row.why},
          {"waited_us", row.waited_us},
          {"took_us", row.took_us},
          {"origin", row.origin},
          {"sequence", row.sequence}};
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

}  // namespace sesame::cli
