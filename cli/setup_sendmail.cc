// sesame setup sendmail: a marked block of sendmail.mc.
#include <fmt/core.h>

#include <array>
#include <filesystem>

#include "program.h"
#include "setup.h"
#include "util/file.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

constexpr std::size_t kMaxFile = 4u << 20;
constexpr const char* kBegin = "dnl begin sesame: by \"sesame setup sendmail\", which takes it out with --revert\n";
constexpr const char* kBeginWord = "dnl begin sesame";
constexpr const char* kEnd = "dnl end sesame\n";
constexpr const char* kBlock = "block";  // in the state

// What Sesame is told of a message, where the file does not say it.
struct Macros {
  const char* name;
  const char* values;
};
constexpr std::array kMacros{
    Macros{"confMILTER_MACROS_CONNECT", "j, _, {daemon_name}, {if_name}, {if_addr}"},
    Macros{"confMILTER_MACROS_ENVFROM", "i, {auth_type}, {auth_authen}, {mail_mailer}, {mail_host}, {mail_addr}"},
    Macros{"confMILTER_MACROS_ENVRCPT", "{rcpt_mailer}, {rcpt_host}, {rcpt_addr}"},
};

struct Mc {
  std::string directory, path, text;
  std::size_t begin = std::string::npos, end = 0;  // of our block

  bool has_block() const { return begin != std::string::npos; }
  std::string block() const { return has_block() ? text.substr(begin, end - begin) : ""; }
  std::string rest() const { return has_block() ? text.substr(0, begin) + text.substr(end) : text; }
};

// Where a line begins with `word`; npos when none does.
std::size_t line_with(const std::string& text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    if (at == 0 || text[at - 1] == '\n') return at;
  return std::string::npos;
}

Result<Mc> read_mc(const std::string& directory) {
  Mc mc{directory.empty() ? "/etc/mail" : directory, "", ""};
  mc.path = mc.directory + "/sendmail.mc";
  auto text = read_file(mc.path, kMaxFile);
  if (!text) return tl::unexpected(text.error());
  if (!*text)
    return failure(fmt::format("there is no Sendmail here: {} is missing; --directory names another place", mc.path));
  mc.text = **std::move(text);
  mc.begin = line_with(mc.text, kBeginWord);
  if (!mc.has_block()) return mc;
  const auto end = mc.text.find(std::string("\n") + kEnd, mc.begin);
  if (end == std::string::npos)
    return failure(fmt::format("{}: \"{}\" has no \"dnl end sesame\": mend it by hand", mc.path, kBeginWord));
  mc.end = end + 1 + std::string_view(kEnd).size();
  return mc;
}

std::string sendmail_socket(const config::Config& config) {
  const auto socket = MilterSocket::parse(config.milter.socket);
  if (socket.is_unix) return "unix:" + socket.path;
  return fmt::format("{}:{}@{}", config.milter.socket.starts_with("inet6:") ? "inet6" : "inet", socket.port,
                     socket.host);
}

std::string make_block(const config::Config& config, const Mc& mc) {
  const auto patience = patience_for(config).count();
  auto block =
      std::string(kBegin) + fmt::format("INPUT_MAIL_FILTER(`sesame', `S={0}, T=C:10s;S:{1}s;R:{1}s;E:{2}s')dnl\n",
                                        sendmail_socket(config), patience, 2 * patience);
  const auto rest = mc.rest();
  for (const auto& macros : kMacros)
    if (rest.find(fmt::format("`{}'", macros.name)) == std::string::npos)
      block += fmt::format("define(`{}', `{}')dnl\n", macros.name, macros.values);
  return block + kEnd;
}

// Before the mailers, which come last.
std::string with_block(const Mc& mc, const std::string& block) {
  auto text = mc.rest();
  if (mc.has_block()) return text.insert(mc.begin, block);
  auto at = std::string::npos;
  for (const auto* word : {"MAILER_DEFINITIONS", "MAILER(", "LOCAL_CONFIG", "LOCAL_RULE", "LOCAL_RULESETS"})
    at = std::min(at, line_with(text, word));
  if (at == std::string::npos && !text.empty() && !text.ends_with('\n')) text += '\n';
  return text.insert(std::min(at, text.size()), block);
}

std::string remarks(const Mc& mc) {
  std::string text;
  const auto rest = mc.rest();
  for (const auto& macros : kMacros)
    if (rest.find(fmt::format("`{}'", macros.name)) != std::string::npos)
      text += fmt::format("note: {} is defined already; Sesame needs of it: {}\n", macros.name, macros.values);
  if (rest.find("`confINPUT_MAIL_FILTERS'") != std::string::npos)
    text += "note: confINPUT_MAIL_FILTERS is defined: sesame must be named in it where that comes after the block\n";
  for (const auto* other : {"opendkim", "opendmarc"})
    if (rest.find(other) != std::string::npos)
      text += fmt::format("note: {} is named: see \"From opendkim and opendmarc\" in sesame(1)\n", other);
  return text;
}

std::string show(const std::string& old_block, const std::string& block) {
  std::string text;
  for (const auto& [sign, part] : {std::pair{'-', &old_block}, std::pair{'+', &block}})
    for (const auto line : split(*part, '\n'))
      if (!line.empty()) text += fmt::format("{}{}\n", sign, line);
  return text;
}

// The file keeps its mode.
Result<void> replace(const Mc& mc, const std::string& text) {
  std::error_code error;
  const auto mode = std::filesystem::status(mc.path, error).permissions();
  if (const auto done = replace_file(mc.path, text); !done) return done;
  std::filesystem::permissions(mc.path, mode, error);
  if (error) return failure(mc.path + ": " + error.message());
  return {};
}

// sendmail.cf from sendmail.mc, where the directory has a Makefile for it.
Result<std::string> rebuild(const Mc& mc) {
  constexpr const char* kRestart = "then restart Sendmail\n";
  const auto make = find_program("make");
  if (make.empty() || !std::filesystem::exists(mc.directory + "/Makefile"))
    return fmt::format("now build sendmail.cf, by m4 {0} > {1}/sendmail.cf or as this system does; {2}", mc.path,
                       mc.directory, kRestart);
  const auto done = output_of({make, "-C", mc.directory});
  if (!done) return tl::unexpected(done.error());
  return "sendmail.cf was built; " + std::string(kRestart);
}

// Nobody's work is lost: what setup did not write stays.
Result<void> check_untouched(const Mc& mc, const std::optional<SetupState>& state) {
  const auto* made = state ? state->find(kBlock) : nullptr;
  if (!mc.has_block() || (made && made->after == mc.block())) return {};
  return failure(
      fmt::format("{}: the lines from \"{}\" to \"dnl end sesame\" are not as setup made them: take them out "
                  "by hand, then try again",
                  mc.path, kBeginWord));
}

// Nothing: there is none.
Result<void> keep_state(const Mc& mc, const std::optional<SetupState>& state) {
  return state ? write_state(mc.directory, *state) : remove_state(mc.directory);
}

struct Change {
  std::string text;  // of sendmail.mc
  std::optional<SetupState> before, after;
};

int make_change(const Mc& mc, const Change& change, const std::string& shown) {
  if (const auto may = check_may_change(mc.path); !may) return complain(may.error().message, kUsage);
  const auto done = replace(mc, change.text).and_then([&] { return keep_state(mc, change.after); }).and_then([&] {
    return rebuild(mc);
  });
  if (done) return answer(shown + "done: " + *done, kFine);
  const auto undone = replace(mc, mc.text).and_then([&] { return keep_state(mc, change.before); });
  return complain(done.error().message + "\n" + mc.path +
                      (undone ? " is as it was" : " could not be put back: " + undone.error().message),
                  kUsage);
}

}  // namespace

int setup_sendmail(const config::Config& config, const SetupArguments& arguments) {
  const auto mc = read_mc(arguments.directory);
  if (!mc) return complain(mc.error().message, kUsage);
  const auto state = read_state(mc->directory);
  if (!state) return complain(state.error().message, kUsage);
  const auto untouched = check_untouched(*mc, *state);
  if (arguments.action == SetupArguments::Action::revert) {
    if (!mc->has_block()) return answer(mc->path + ": has no lines of setup\n", kFine);
    if (!untouched) return complain(untouched.error().message, kUsage);
    return make_change(*mc, {mc->rest(), *state, std::nullopt}, show(mc->block(), ""));
  }
  const auto block = make_block(config, *mc);
  if (mc->block() == block) return answer(mc->path + ": Sesame is there: nothing to change\n" + remarks(*mc), kFine);
  if (!mc->has_block() && line_with(mc->text, "INPUT_MAIL_FILTER(`sesame'") != std::string::npos)
    return answer(mc->path + ": Sesame is there, by hand: nothing to change\n" + remarks(*mc), kFine);
  if (!untouched) return complain(untouched.error().message, kUsage);
  const auto shown = fmt::format("--- {}\n+++ with Sesame\n{}{}", mc->path, show(mc->block(), block), remarks(*mc));
  if (arguments.action == SetupArguments::Action::show)
    return answer(shown + "to make it so: sesame setup sendmail --apply\n", kFine);
  return make_change(*mc, {with_block(*mc, block), *state, SetupState{"sesame", {{kBlock, std::nullopt, block}}}},
                     shown);
}

}  // namespace sesame::cli
