// sesame setup postfix: the plan shown, made by postconf, and taken back.
#include "setup_postfix.h"

#include <fmt/core.h>

#include <algorithm>

#include "util/text.h"

namespace sesame::cli {
namespace {

std::string main_cf(const Postfix& postfix) {
  return postfix.directory() + "/main.cf";
}

std::string show(const Postfix& postfix, const PostfixPlan& plan) {
  if (plan.shown.empty())
    return fmt::format("{}: Sesame is there, at {}: nothing to change\n", main_cf(postfix), plan.milter);
  auto text = fmt::format("--- {}, as postconf tells it\n+++ with Sesame at {}\n", main_cf(postfix), plan.milter);
  for (const auto& line : plan.shown)
    text += fmt::format("-{} = {}\n+{} = {}\n", line.name, line.before.value_or(""), line.name, line.after);
  return text;
}

std::string remarks(const PostfixPlan& plan) {
  std::string text;
  for (const auto& remark : plan.remarks) text += "note: " + remark + "\n";
  return text;
}

Result<void> put_back(const Postfix& postfix, const std::vector<MadeLine>& lines) {
  std::vector<Postfix::Line> back;
  for (const auto& line : lines) back.push_back({line.name, line.before});
  return postfix.write(back);
}

// Checks what was written, and tells a Postfix that runs.
Result<std::string> hand_over(const Postfix& postfix) {
  if (const auto good = postfix.check(); !good) return tl::unexpected(good.error());
  if (!postfix.is_running()) return std::string("Postfix does not run; it will know when it starts\n");
  if (const auto done = postfix.reload(); !done) return tl::unexpected(done.error());
  return std::string("Postfix was reloaded\n");
}

// The lines of which `now` still stands as it was, so that a failure leaves nothing behind.
std::vector<MadeLine> undo_of(const PostfixPlan& plan, const std::map<std::string, Postfix::Parameter>& now) {
  std::vector<MadeLine> undo;
  for (const auto& line : plan.shown) {
    const auto& was = now.at(line.name);
    undo.push_back({line.name, was.set ? std::optional(was.value) : std::nullopt, line.after});
  }
  return undo;
}

Result<std::string> apply(const Postfix& postfix, const PostfixPlan& plan, const std::optional<SetupState>& state) {
  if (const auto may = check_may_change(main_cf(postfix)); !may) return tl::unexpected(may.error());
  std::vector<std::string> names;
  for (const auto& line : plan.shown) names.push_back(line.name);
  const auto now = postfix.read(names);
  if (!now) return tl::unexpected(now.error());
  // First what there was: whatever happens then can be taken back.
  if (const auto kept = write_state(postfix.directory(), {plan.milter, plan.lines}); !kept)
    return tl::unexpected(kept.error());
  std::vector<Postfix::Line> lines;
  for (const auto& line : plan.shown) lines.push_back({line.name, line.after});
  auto told = postfix.write(lines).and_then([&] { return hand_over(postfix); });
  if (told) return told;
  const auto undone = put_back(postfix, undo_of(plan, *now)).and_then([&] {
    return state ? write_state(postfix.directory(), *state) : remove_state(postfix.directory());
  });
  return failure(told.error().message + (undone ? "\nmain.cf is as it was"
                                                : "\nand main.cf could not be put back: " + undone.error().message));
}

int run_apply(const Postfix& postfix, const PostfixPlan& plan, const std::optional<SetupState>& state) {
  if (plan.shown.empty()) return answer(show(postfix, plan) + remarks(plan), kFine);
  const auto told = apply(postfix, plan, state);
  if (!told) return complain(told.error().message, kUsage);
  return answer(
      show(postfix, plan) + remarks(plan) + "done: " + *told + "to take it back: sesame setup postfix --revert\n",
      kFine);
}

// The value without Sesame.
std::string without(const std::string& list, const std::string& milter) {
  std::vector<std::string> rest;
  for (auto& each : split_milters(list))
    if (!same_milter(each, milter)) rest.push_back(std::move(each));
  return join(rest, ", ");
}

bool is_list(const std::string& name) {
  return std::find(std::begin(kMilterLists), std::end(kMilterLists), name) != std::end(kMilterLists);
}

struct Return {
  std::vector<MadeLine> lines;         // as setup made them
  std::vector<std::string> conflicts;  // what somebody changed since, and what to do
};

void sort_out(const MadeLine& made, const Postfix::Parameter& now, const std::string& milter, Return& result) {
  if (now.set && now.value == made.after) {
    result.lines.push_back(made);
    return;
  }
  const bool as_before = now.set == made.before.has_value() && (!made.before || now.value == *made.before);
  const auto rest = without(now.value, milter);
  if (as_before || (is_list(made.name) && rest == join(split_milters(now.value), ", "))) return;
  const auto wanted = is_list(made.name) ? rest : made.before.value_or("");
  const auto command = wanted.empty() && !made.before ? fmt::format("postconf -X {}", made.name)
                                                      : fmt::format("postconf -e '{} = {}'", made.name, wanted);
  result.conflicts.push_back(
      fmt::format("{0} was changed since setup made it: it was \"{1}\", setup made it \"{2}\", it "
                  "is \"{3}\". Say yourself what it should be, such as {4}; then revert again",
                  made.name, made.before.value_or(""), made.after, now.value, command));
}

Result<Return> find_return(const Postfix& postfix, const SetupState& state) {
  std::vector<std::string> names;
  for (const auto& line : state.lines) names.push_back(line.name);
  const auto now = postfix.read(names);
  if (!now) return tl::unexpected(now.error());
  Return result;
  for (const auto& line : state.lines) sort_out(line, now->at(line.name), state.milter, result);
  return result;
}

int run_revert(const Postfix& postfix, const std::optional<SetupState>& state) {
  if (!state)
    return answer(fmt::format("{}: setup changed nothing here: there is no {}\n", main_cf(postfix),
                              state_path(postfix.directory())),
                  kFine);
  if (const auto may = check_may_change(main_cf(postfix)); !may) return complain(may.error().message, kUsage);
  const auto result = find_return(postfix, *state);
  if (!result) return complain(result.error().message, kUsage);
  if (!result->conflicts.empty())
    return complain(join(result->conflicts, "\n") + "\nnothing was changed. To keep all as it is now: remove " +
                        state_path(postfix.directory()),
                    kUsage);
  const auto told =
      put_back(postfix, result->lines).and_then([&] { return remove_state(postfix.directory()); }).and_then([&] {
        return hand_over(postfix);
      });
  if (!told) return complain(told.error().message, kUsage);
  std::string text;
  for (const auto& line : result->lines) {
    text += fmt::format("-{} = {}\n", line.name, line.after);
    if (line.before) text += fmt::format("+{} = {}\n", line.name, *line.before);
  }
  return answer(text + "done: " + *told, kFine);
}

}  // namespace

int setup_postfix(const config::Config& config, const SetupArguments& arguments) {
  const auto postfix = Postfix::find(arguments.directory);
  if (!postfix) return complain(postfix.error().message, kUsage);
  const auto state = read_state(postfix->directory());
  if (!state) return complain(state.error().message, kUsage);
  if (arguments.action == SetupArguments::Action::revert) return run_revert(*postfix, *state);
  const auto plan = plan_postfix(config, *postfix, *state);
  if (!plan) return complain(plan.error().message, kUsage);
  if (arguments.action == SetupArguments::Action::apply) return run_apply(*postfix, *plan, *state);
  const auto* hint = plan->shown.empty() ? "" : "to make it so: sesame setup postfix --apply\n";
  return answer(show(*postfix, *plan) + remarks(*plan) + hint, kFine);
}

}  // namespace sesame::cli
