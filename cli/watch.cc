// sesame watch: looks at the records of the identities, and tells what was seen before.
#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iterator>
#include <set>
#include <tuple>

#include "command.h"
#include "moment.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/text.h"
#include "watch/evidence.h"
#include "watch/status.h"
#include "watch/timeline.h"
#include "watch/watcher.h"

namespace sesame::cli {
namespace {

using watch::Memory;

constexpr std::int64_t kLongest = 366 * 86400;  // of a silence
constexpr int kRefresh = 10;                    // seconds between two looks at the snapshot's file

int status_of(watch::Judgement judgement) {
  switch (judgement) {
    case watch::Judgement::fine:
      return kFine;
    case watch::Judgement::bad:
      return kBad;
    case watch::Judgement::undecided:
      break;
  }
  return kUndecided;
}

// "" when the arguments go together.
std::string fault_of(const WatchArguments& a) {
  const int modes = (a.once == WatchArguments::Once::yes) + (a.status == WatchArguments::Status::yes) +
                    a.timeline.has_value() + a.evidence.has_value() + a.acknowledge.has_value() +
                    a.silence.has_value() + a.unsilence.has_value() + a.confirm.has_value();
  if (modes > 1)
    return "of --once, --status, --timeline, --evidence, --acknowledge, --silence, --unsilence and --confirm one goes "
           "at "
           "a time";
  const bool lists = a.once == WatchArguments::Once::yes || a.status == WatchArguments::Status::yes;
  if (!a.subjects.empty() && !lists) return "DOMAIN goes with --once or --status";
  if (a.since && !a.timeline && !a.evidence) return "--since goes with --timeline or --evidence";
  if (a.output && !a.evidence) return "--output goes with --evidence";
  if (a.silence && !a.duration) return "--silence needs --for, such as --for 12h";
  if (a.duration && !a.silence) return "--for goes with --silence";
  if ((a.region || a.account) && !a.confirm) return "--region and --account go with --confirm";
  return "";
}

Result<std::string> canonical(const std::string& text) {
  auto name = ses::canonical_name(text);
  if (!name) return failure("\"" + printable(text) + "\" is neither a domain nor an address");
  return *std::move(name);
}

Result<std::unique_ptr<Memory>> open_memory(const config::Config& config, Memory::Access access) {
  const auto& path = config.watch.memory;
  if (path.empty())
    return failure(
        "watch.memory is not set, so that no watch keeps what it sees; expected a path, such as "
        "memory = \"/var/lib/sesame/watch.sqlite\" in the section [watch] of the settings");
  return Memory::open(path, access);
}

// ---- looking

// Subjects that are asked for; all when nothing is.
Result<std::vector<watch::Subject>> chosen_subjects(const inspect::Runtime& runtime, const WatchArguments& arguments) {
  auto all = watch::subjects_of(*runtime.accounts);
  if (all.empty()) return failure("neither configuration nor snapshot knows an identity with records to watch");
  if (arguments.subjects.empty()) return all;
  std::vector<watch::Subject> chosen;
  for (const auto& text : arguments.subjects) {
    const auto name = canonical(text);
    if (!name) return tl::unexpected(name.error());
    const auto before = chosen.size();
    for (const auto& subject : all)
      if ((subject.identity == *name || subject.domain == *name) && std::ranges::find(chosen, subject) == chosen.end())
        chosen.push_back(subject);
    const auto known = [&name](const watch::Subject& each) { return each.identity == *name || each.domain == *name; };
    if (chosen.size() == before && std::ranges::none_of(chosen, known))
      return failure("neither configuration nor snapshot knows an identity " + *name + " with records to watch");
  }
  return chosen;
}

// Asks both ways, as the daemon does.
Result<void> begin(watch::Watcher& watcher, const inspect::Runtime& runtime, std::vector<watch::Subject> subjects) {
  auto unchecked = inspect::make_resolver(runtime.config.dns, *runtime.clock, dns::Checking::disabled);
  if (!unchecked) return tl::unexpected(unchecked.error());
  return watcher.watch(std::move(subjects), runtime.resolver, *std::move(unchecked));
}

bool is_of(const watch::RecordState& state, const watch::Subject& subject) {
  return state.key.account == subject.account && state.key.identity == subject.identity &&
         state.key.region == subject.region;
}

std::vector<watch::RecordState> states_of(const std::vector<watch::RecordState>& states,
                                          const watch::Subject& subject) {
  std::vector<watch::RecordState> own;
  std::ranges::copy_if(states, std::back_inserter(own),
                       [&subject](const watch::RecordState& each) { return is_of(each, subject); });
  return own;
}

std::vector<watch::Change> changes_between(const std::vector<watch::RecordState>& before,
                                           const std::vector<watch::RecordState>& after) {
  std::vector<watch::Change> changes;
  for (const auto& state : after) {
    const auto former = std::ranges::find(before, state.key, &watch::RecordState::key);
    watch::RecordState healthy;
    healthy.key = state.key;
    const auto& old = former == before.end() ? healthy : *former;
    if (old.state != state.state) changes.push_back({old, state});
  }
  return changes;
}

// The memory takes what was seen; of identities that nobody asked for it forgets nothing.
void keep(Memory& memory, const std::vector<watch::Seen>& seen, const std::vector<watch::RecordState>& before) {
  for (const auto& each : seen) {
    const auto changes = changes_between(states_of(before, each.look.subject), each.states);
    if (auto kept = memory.record(each.look, each.states, changes); !kept) {
      complain("warning: what was seen is not kept: " + kept.error().message, kFine);
      return;
    }
  }
}

int look_once(const Common& common, const WatchArguments& arguments, const inspect::Runtime& runtime) {
  auto subjects = chosen_subjects(runtime, arguments);
  if (!subjects) return complain("watch: " + subjects.error().message, kUsage);
  std::unique_ptr<Memory> memory;
  watch::Past past;
  if (!runtime.config.watch.memory.empty()) {
    auto opened = open_memory(runtime.config, Memory::Access::read_write);
    auto states = opened ? (*opened)->states() : tl::unexpected(opened.error());
    if (states) {
      memory = *std::move(opened);
      past.states = *std::move(states);
    } else {
      complain("warning: what was seen is not kept: " + states.error().message, kFine);
    }
  }
  const auto before = past.states;
  // Nobody is alerted by who looks himself; and a memory of its own would forget whom nobody asked for.
  auto options = runtime.config.watch;
  options.memory.clear();
  options.alerts = {};
  const auto say = [](watch::Loudness loudness, const std::string& text) {
    if (loudness != watch::Loudness::info) complain("warning: " + text, kFine);
  };
  watch::Watcher watcher(options, *runtime.clock, say, std::move(past));
  if (auto begun = begin(watcher, runtime, *std::move(subjects)); !begun)
    return complain("watch: " + begun.error().message, kUndecided);
  std::vector<watch::Seen> seen;
  for (auto& look : watcher.look_once()) {
    auto states = watcher.ledger()->states_of(look.subject.account, look.subject.identity, look.subject.region);
    seen.push_back({std::move(look), std::move(states)});
  }
  if (memory) keep(*memory, seen, before);
  const auto text = common.format == Format::json ? watch::seen_json(seen) : watch::seen_text(seen);
  return answer(text, status_of(watch::judge(seen)));
}

void tell(watch::Loudness loudness, const std::string& text) {
  const char* word = loudness == watch::Loudness::info      ? "info"
                     : loudness == watch::Loudness::warning ? "warning"
                                                            : "error";
  fmt::print("{} {} {}\n", timestamp(system_clock().unix_now()), word, text);
  std::fflush(stdout);
}

// Blocked before the first thread begins, so that all inherit it and one place takes them.
sigset_t take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Two that watch the same would count each look twice, and alert twice.
bool is_kept_by_another(const std::string& memory) {
  if (memory.empty()) return false;
  const auto lock = FileLock::take(watch::lock_path(memory));
  return lock && !*lock;
}

int watch_on(const Common& common, config::Config config) {
  if (config.watch.interval.count() <= 0)
    return complain("watch.interval is 0: nothing is watched; expected seconds, such as 600", kUsage);
  if (is_kept_by_another(config.watch.memory))
    return complain("watch: another watch, such as the daemon's, keeps what it sees in " + config.watch.memory +
                        "; for one look beside it there is --once",
                    kUsage);
  const auto signals = take_signals();
  auto made = make_runtime(common, std::move(config));
  if (!made) return complain(made.error().message, kUsage);
  auto runtime = *std::move(made);
  auto subjects = chosen_subjects(*runtime, {});
  if (!subjects) return complain("watch: " + subjects.error().message, kUsage);
  watch::Watcher watcher(runtime->config.watch, *runtime->clock, tell);
  if (auto begun = begin(watcher, *runtime, *std::move(subjects)); !begun)
    return complain("watch: " + begun.error().message, kUndecided);
  tell(watch::Loudness::info,
       fmt::format("watch: identities={} interval={}s", watcher.size(), runtime->config.watch.interval.count()));
  if (auto started = watcher.start(); !started) return complain("watch: " + started.error().message, kUndecided);
  while (true) {
    const timespec patience{kRefresh, 0};
    if (sigtimedwait(&signals, nullptr, &patience) > 0) break;
    auto next = inspect::refresh(*runtime);
    if (!next) continue;
    runtime = std::move(next);
    if (auto begun = begin(watcher, *runtime, watch::subjects_of(*runtime->accounts)); !begun)
      tell(watch::Loudness::error, "watch: the new snapshot is not followed: " + begun.error().message);
  }
  watcher.stop();
  tell(watch::Loudness::info, "watch: ended");
  return kFine;
}

// ---- telling what was seen

int show_status(const Common& common, const WatchArguments& arguments, const config::Config& config) {
  const auto memory = open_memory(config, Memory::Access::read_only);
  if (!memory) return complain("watch: " + memory.error().message, kUsage);
  auto states = (*memory)->states();
  auto silences = (*memory)->silences();
  const auto last_look = (*memory)->last_look();
  if (!states) return complain("watch: " + states.error().message, kUndecided);
  if (!silences) return complain("watch: " + silences.error().message, kUndecided);
  if (!last_look) return complain("watch: " + last_look.error().message, kUndecided);
  watch::Status status{*std::move(states),    *std::move(silences),      *last_look,
                       config.watch.interval, system_clock().unix_now(), watch::Status::Detail::faults};
  if (!arguments.subjects.empty()) {
    std::vector<watch::RecordState> chosen;
    for (const auto& text : arguments.subjects) {
      const auto name = canonical(text);
      if (!name) return complain("watch: " + name.error().message, kUsage);
      const auto before = chosen.size();
      for (const auto& state : status.states)
        if (state.key.identity == *name || state.key.identity.ends_with("@" + *name)) chosen.push_back(state);
      if (chosen.size() == before) return complain("watch: the memory knows no identity " + *name, kUsage);
    }
    status.states = std::move(chosen);
    status.detail = watch::Status::Detail::all;
  }
  const auto text = common.format == Format::json ? watch::status_json(status) : watch::status_text(status);
  return answer(text, status_of(watch::judge(status)));
}

// What the memory knows of the domain; an error where it knows nothing.
Result<watch::Chronicle> chronicle_of(const std::string& text, const WatchArguments& arguments,
                                      const config::Config& config) {
  const auto name = canonical(text);
  if (!name) return tl::unexpected(name.error());
  const auto now = system_clock().unix_now();
  const auto since = arguments.since ? parse_moment(*arguments.since, now, "--since") : 0;
  if (!since) return tl::unexpected(since.error());
  const auto memory = open_memory(config, Memory::Access::read_only);
  if (!memory) return tl::unexpected(memory.error());
  auto chronicle = watch::read_chronicle(**memory, *name, *since, now);
  if (chronicle && chronicle->sights.empty()) return failure("the memory knows no identity " + *name);
  return chronicle;
}

int show_timeline(const Common& common, const WatchArguments& arguments, const config::Config& config) {
  const auto chronicle = chronicle_of(*arguments.timeline, arguments, config);
  if (!chronicle) return complain("watch: " + chronicle.error().message, kUsage);
  return answer(common.format == Format::json ? watch::timeline_json(*chronicle) : watch::timeline_text(*chronicle),
                kFine);
}

int write_evidence(const Common& common, const WatchArguments& arguments, config::Config config) {
  const auto chronicle = chronicle_of(*arguments.evidence, arguments, config);
  if (!chronicle) return complain("watch: " + chronicle.error().message, kUsage);
  const auto runtime = make_runtime(common, std::move(config));
  if (!runtime) return complain(runtime.error().message, kUsage);
  auto knowledge = watch::knowledge_of(*(*runtime)->accounts, chronicle->domain);
  knowledge.program = "Sesame " SESAME_VERSION;
  const auto text = common.format == Format::json ? watch::evidence_json(*chronicle, knowledge)
                                                  : watch::evidence_text(*chronicle, knowledge);
  if (!arguments.output) return answer(text, kFine);
  if (auto fit = check_replaceable(*arguments.output); !fit) return complain(fit.error().message, kUsage);
  if (auto written = replace_file(*arguments.output, text); !written) return complain(written.error().message, kUsage);
  return answer(*arguments.output + ": written", kFine);
}

// ---- acknowledgements and silences

// What is left in the memory for each identity of the domain.
int leave(const std::string& text, const config::Config& config, const watch::Silence& silence) {
  const auto name = canonical(text);
  if (!name) return complain("watch: " + name.error().message, kUsage);
  const auto memory = open_memory(config, Memory::Access::read_write);
  if (!memory) return complain("watch: " + memory.error().message, kUsage);
  const auto sights = (*memory)->sights(*name);
  if (!sights) return complain("watch: " + sights.error().message, kUndecided);
  if (sights->empty()) return complain("watch: the memory knows no identity " + *name, kUsage);
  std::string told;
  for (const auto& sight : *sights) {
    auto one = silence;
    one.account = sight.account;
    one.identity = sight.identity;
    one.region = sight.region;
    if (auto done = (*memory)->record(one); !done) return complain("watch: " + done.error().message, kUndecided);
    const bool acknowledged = one.kind == watch::Silence::Kind::acknowledged;
    told += watch::place_text(one.identity, one.account, one.region) +
            (acknowledged           ? ": no reminders until it is healthy again\n"
             : one.until > one.made ? ": no alerts until " + timestamp(one.until) + "\n"
                                    : ": alerts again\n");
  }
  return answer(told, kFine);
}

int silence(const WatchArguments& arguments, const config::Config& config) {
  watch::Silence one;
  one.made = one.until = system_clock().unix_now();
  one.kind = arguments.acknowledge ? watch::Silence::Kind::acknowledged : watch::Silence::Kind::silenced;
  if (arguments.acknowledge) {
    one.until = 0;
    return leave(*arguments.acknowledge, config, one);
  }
  if (arguments.unsilence) return leave(*arguments.unsilence, config, one);
  const auto seconds = parse_duration(*arguments.duration, kLongest);
  if (!seconds)
    return complain("watch: --for: \"" + printable(*arguments.duration) +
                        "\" is no duration; expected 30m, 12h or 2d, a year at most",
                    kUsage);
  one.until += *seconds;
  return leave(*arguments.silence, config, one);
}

// ---- what SES shows

bool is_at_fault(const watch::RecordState& state) {
  return state.state == watch::State::degraded || state.state == watch::State::missing;
}

using Place = std::tuple<std::string, std::string, std::string>;  // identity, account, region

// The states of the one identity that is meant: SES shows each in its own account and region.
Result<std::vector<watch::RecordState>> states_to_confirm(const std::string& name, const WatchArguments& arguments,
                                                          std::vector<watch::RecordState> states) {
  std::set<Place> places;
  std::erase_if(states, [&](const watch::RecordState& state) {
    const auto& key = state.key;
    const bool meant = key.identity == name && key.region == arguments.region.value_or(key.region) &&
                       key.account == arguments.account.value_or(key.account);
    if (meant) places.emplace(key.identity, key.account, key.region);
    return !meant;
  });
  if (places.size() < 2) return states;
  std::string list;
  for (const auto& [identity, account, region] : places)
    list += (list.empty() ? "" : ", ") + watch::place_text(identity, account, region);
  return failure("there is " + list + ": say with --region, or --account, which of them SES shows as verified");
}

// "" when nothing speaks against it.
std::string objection_to(const std::string& name, const std::vector<watch::RecordState>& states) {
  const auto of = [&states](watch::Part part) {
    std::vector<watch::RecordState> own;
    std::ranges::copy_if(states, std::back_inserter(own), [part](const auto& each) { return each.key.part == part; });
    return own;
  };
  auto own = of(watch::Part::dkim);
  if (own.empty()) own = of(watch::Part::mail_from_mx);
  const auto unseen = [](const watch::RecordState& state) { return state.checked == 0; };
  if (own.empty() || std::ranges::any_of(own, unseen))
    return "nobody has looked at the records of " + name + " yet; look first, with sesame watch --once";
  const auto bad = std::ranges::find_if(own, is_at_fault);
  if (bad == own.end()) return "";
  return fmt::format(
      "{} is {}: {}. What SES shows now need not last; mend the record, look again with sesame watch --once, then "
      "confirm",
      printable(bad->key.name), watch::to_string(bad->state), printable(bad->reason, 1024));
}

int confirm(const WatchArguments& arguments, const config::Config& config) {
  const auto name = canonical(*arguments.confirm);
  if (!name) return complain("watch: " + name.error().message, kUsage);
  const auto memory = open_memory(config, Memory::Access::read_write);
  if (!memory) return complain("watch: " + memory.error().message, kUsage);
  auto all = (*memory)->states();
  if (!all) return complain("watch: " + all.error().message, kUndecided);
  const auto states = states_to_confirm(*name, arguments, *std::move(all));
  if (!states) return complain("watch: --confirm: " + states.error().message, kUsage);
  if (const auto objection = objection_to(*name, *states); !objection.empty())
    return complain("watch: --confirm: " + objection, kBad);
  const auto& key = states->front().key;
  const watch::Silence one{
      key.account, key.identity, key.region, watch::Silence::Kind::confirmed, system_clock().unix_now(), 0};
  if (auto done = (*memory)->record(one); !done) return complain("watch: " + done.error().message, kUndecided);
  auto text = watch::place_text(key.identity, key.account, key.region) + ": verified by SES at " + timestamp(one.made) +
              "; what its records lived through before is over\n";
  for (const auto& state : *states)
    if (state.key.part == watch::Part::mail_from_mx && is_at_fault(state))
      text += "Not so of its MAIL FROM domain: " + printable(state.key.name) + " is " + watch::to_string(state.state) +
              ".\n";
  return answer(text, kFine);
}

}  // namespace

int run_watch(const Common& common, const WatchArguments& arguments) {
  if (const auto fault = fault_of(arguments); !fault.empty())
    return complain("watch: " + fault + "\nsee sesame watch --help", kUsage);
  auto config = load_settings(arguments.config);
  if (!config) return complain(config.error().message, kUsage);
  if (arguments.status == WatchArguments::Status::yes) return show_status(common, arguments, *config);
  if (arguments.timeline) return show_timeline(common, arguments, *config);
  if (arguments.evidence) return write_evidence(common, arguments, *std::move(config));
  if (arguments.acknowledge || arguments.silence || arguments.unsilence) return silence(arguments, *config);
  if (arguments.confirm) return confirm(arguments, *config);
  if (arguments.once == WatchArguments::Once::no) return watch_on(common, *std::move(config));
  const auto runtime = make_runtime(common, *std::move(config));
  if (!runtime) return complain(runtime.error().message, kUsage);
  return look_once(common, arguments, **runtime);
}

}  // namespace sesame::cli
