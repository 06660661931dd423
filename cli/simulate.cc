// sesame policy simulate: what a policy would have done with the messages of the past.
#include <fmt/core.h>

#include <array>
#include <map>

#include "command.h"
#include "history_args.h"
#include "table.h"

namespace sesame::cli {
namespace {

using history::Simulated;
using policy::Handling;
using policy::Level;

// The words are those of the arguments, which allow no others.
template <class T, std::size_t N>
void set(T& value, const std::string& word, const std::array<T, N>& all) {
  for (const auto each : all)
    if (word == policy::to_string(each)) value = each;
}

constexpr std::array kLevels = {Level::observe, Level::tag, Level::hold, Level::reject};
constexpr std::array kHandlings = {Handling::observe, Handling::quarantine, Handling::reject};

policy::Rules tried_rules(policy::Rules rules, const SimulateArguments& arguments) {
  const auto set_outbound = [&arguments](policy::OutboundRule& rule) {
    set(rule.fail, arguments.fail, kLevels);
    set(rule.refused, arguments.refused, kLevels);
  };
  set_outbound(rules.outbound);
  for (auto& each : rules.overrides) set_outbound(each.rule);
  set(rules.on_policy_reject, arguments.on_policy_reject, kHandlings);
  set(rules.on_policy_quarantine, arguments.on_policy_quarantine, kHandlings);
  set(rules.on_bad_author, arguments.on_bad_author, kHandlings);
  return rules;
}

const char* done(const std::string& action) {
  if (action == "accept") return "accepted";
  if (action == "observe") return "let through";
  if (action == "tag") return "tagged";
  if (action == "hold") return "held";
  if (action == "reject") return "rejected";
  return "deferred";
}

// "1,204 of 80,311 outbound messages would have been held."
std::string summary(const Simulated& simulated, const std::string& direction) {
  const auto all = direction == "outbound" ? simulated.outbound : simulated.inbound;
  std::map<std::string, std::uint64_t> changed;
  for (const auto& line : simulated.changed)
    if (line.direction == direction) changed[line.after] += line.messages;
  std::string text;
  for (const auto& [action, messages] : changed)
    text += fmt::format("{} of {} would have been {}.\n", grouped(messages), counted(all, direction + " message"),
                        done(action));
  if (text.empty() && all > 0)
    text = fmt::format("None of {} would have been treated otherwise.\n", counted(all, direction + " message"));
  return text;
}

std::string table(const Simulated& simulated) {
  using enum Column::Side;
  constexpr std::size_t kDomain = 40;
  Table table({{"MESSAGES", right},
               {"FROM DOMAIN", left, kDomain, Column::Cut::beginning},
               {"WAY", left},
               {"BEFORE", left},
               {"AFTER", left},
               {"FINDING", left}});
  for (const auto& line : simulated.changed) {
    table.row({grouped(line.messages), line.from_domain.empty() ? "(no usable From)" : line.from_domain,
               line.direction == "outbound" ? "out" : "in", line.before, line.after, dash(line.code)});
    if (!line.why.empty()) table.note("such as " + dash(line.queue_id) + ": " + line.why);
  }
  return table.text();
}

std::string text(const Asked& asked, const Simulated& simulated) {
  const auto when = period_text(asked.scope.since, asked.scope.until);
  if (simulated.messages == 0) return fmt::format("There are no messages in {} {}.\n", asked.store, when);
  auto text = summary(simulated, "outbound") + summary(simulated, "inbound");
  if (!simulated.changed.empty()) text += "\n" + table(simulated);
  return text + fmt::format("\nMail in whole hours {}.\nBEFORE: what was done with it.\n", when);
}

std::string json(const Asked& asked, const Simulated& simulated, const policy::Rules& rules) {
  auto value = scope_json(asked);
  value["policy"] = {{"fail", policy::to_string(rules.outbound.fail)},
                     {"refused", policy::to_string(rules.outbound.refused)},
                     {"on_policy_reject", policy::to_string(rules.on_policy_reject)},
                     {"on_policy_quarantine", policy::to_string(rules.on_policy_quarantine)},
                     {"on_bad_author", policy::to_string(rules.on_bad_author)}};
  value["messages"] = {{"all", simulated.messages}, {"outbound", simulated.outbound}, {"inbound", simulated.inbound}};
  value["changed"] = Json::array();
  for (const auto& line : simulated.changed)
    value["changed"].push_back({{"from_domain", line.from_domain},
                                {"direction", line.direction},
                                {"before", line.before},
                                {"after", line.after},
                                {"code", line.code},
                                {"messages", line.messages},
                                {"queue_id", line.queue_id},
                                {"why", line.why}});
  return dump(value, 2);
}

std::string csv(const Simulated& simulated) {
  auto text = csv_line({"from_domain", "direction", "before", "after", "code", "messages", "queue_id", "why"});
  for (const auto& line : simulated.changed)
    text += csv_line({line.from_domain, line.direction, line.before, line.after, line.code,
                      std::to_string(line.messages), line.queue_id, line.why});
  return text;
}

}  // namespace

int run_simulate(const Common& common, const SimulateArguments& arguments) {
  auto asked = ask_history(arguments.history);
  if (!asked) return complain("policy simulate", asked.error());
  asked->scope = whole_hours(asked->scope);
  const auto rules = tried_rules(asked->config.rules, arguments);
  const auto simulated = history::simulate(*asked->reader, asked->scope, rules);
  if (!simulated) return complain("policy simulate", simulated.error());
  switch (common.format) {
    case Format::json:
      return answer(json(*asked, *simulated, rules), kFine);
    case Format::csv:
      return answer(csv(*simulated), kFine);
    case Format::text:
      break;
  }
  return answer(text(*asked, *simulated), kFine);
}

}  // namespace sesame::cli
