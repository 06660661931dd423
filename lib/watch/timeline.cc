#include "watch/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "util/text.h"
#include "watch/chronicle_json.h"
#include "watch/record_text.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

// Bad answers of one server that are alike and no further apart than this are one entry.
constexpr std::int64_t kSpell = 6 * 3600;
constexpr std::size_t kQuestions = 3;  // named in an entry

struct Entry {
  std::int64_t time = 0;
  std::string text;
};

// Runs that are told of in one entry.
struct Group {
  const Run* any = nullptr;
  std::int64_t first = 0, last = 0;
  std::size_t count = 0, runs = 0;
  std::chrono::microseconds slowest{};
  std::set<std::string> questions;
  std::set<std::string> transports;

  void add(const Run& run) {
    if (!any) {
      any = &run;
      first = run.first;
    }
    last = std::max(last, run.observation.time);
    count += run.count;
    ++runs;
    slowest = std::max(slowest, run.slowest);
    questions.insert(question_text(run.observation));
    transports.insert(dns::to_string(run.observation.transport));
  }
};

std::string transports_of(const Group& group) {
  return group.transports.size() > 1 ? "UDP and TCP" : *group.transports.begin();
}

std::string slowest_of(const Group& group) {
  return fmt::format("each within {} ms", group.slowest.count() / 1000 + 1);
}

// "3 times until 2026-01-01 00:30 UTC"
std::string extent_of(const Group& group) {
  if (group.count == 1) return "once";
  const auto until = group.last > group.first ? " until " + minute(group.last) : "";
  return fmt::format("{} times{}", group.count, until);
}

std::string good_text(const Group& group) {
  return fmt::format(
      "{} answered well: {} over {}, {}; {}.", server_text(group.any->observation),
      group.questions.size() == 1 ? *group.questions.begin() : fmt::format("{} questions", group.questions.size()),
      transports_of(group), extent_of(group), slowest_of(group));
}

std::string bad_text(const Group& group) {
  std::string questions;
  std::size_t named = 0;
  for (const auto& question : group.questions) {
    if (named == kQuestions) break;
    questions += (named++ ? ", " : "") + question;
  }
  if (group.questions.size() > named) questions += fmt::format(" and {} more", group.questions.size() - named);
  const auto& seen = group.any->observation;
  return fmt::format("{}: {} ({}) to {} over {}, {}; {}.", server_text(seen), printable(seen.answer, 512),
                     to_string(seen.quality), questions, transports_of(group), extent_of(group), slowest_of(group));
}

using Runs = std::vector<const Run*>;  // in the order of their beginning

void tell_good(const Runs& runs, std::vector<Entry>& entries) {
  std::map<std::string, Group> servers;
  for (const auto* run : runs)
    if (run->observation.quality == Quality::good) servers[server_text(run->observation)].add(*run);
  for (const auto& [server, group] : servers) entries.push_back({group.first, good_text(group)});
}

void tell_bad(const Runs& runs, std::vector<Entry>& entries) {
  std::map<std::string, Group> spells;
  for (const auto* run : runs) {
    const auto& seen = run->observation;
    if (seen.quality == Quality::good) continue;
    auto& spell = spells[fmt::format("{}\n{}\n{}", server_text(seen), to_string(seen.quality), seen.answer)];
    if (spell.any && run->first > spell.last + kSpell) {
      entries.push_back({spell.first, bad_text(spell)});
      spell = {};
    }
    spell.add(*run);
  }
  for (const auto& [key, spell] : spells) entries.push_back({spell.first, bad_text(spell)});
}

// A good answer that is another than before, or than that of another server: a key that changed, a policy. Of zones
// servers differ and serials grow all the time; that is no news. Nor is it that the resolver answers with what stands
// at the end of a CNAME and the servers with the CNAME.
void tell_new_answers(const Runs& runs, std::vector<Entry>& entries) {
  std::map<std::pair<bool, std::string>, std::set<std::string>> known;  // by who answers and the question
  std::set<std::string> told;
  for (const auto* run : runs) {
    const auto& seen = run->observation;
    if (seen.quality != Quality::good || run->key.part == Part::zone || run->key.part == Part::amazon) continue;
    auto& answers = known[{seen.from_resolver(), question_text(seen)}];
    const bool first = answers.empty();
    if (!answers.insert(seen.answer).second || first) continue;
    auto text = fmt::format("{} has another good answer: {}", question_text(seen), printable(seen.answer, 512));
    if (told.insert(text).second) entries.push_back({run->first, text + ", first by " + server_text(seen)});
  }
}

void tell_events(const Chronicle& chronicle, const Sight& who, std::vector<Entry>& entries) {
  for (const auto& alike : events_together(chronicle)) {
    const auto& event = *alike.front();
    if (!is_of(event.key, who)) continue;
    const auto names = names_of(alike);
    auto text = fmt::format("=> {}{} {} {}, was {}", to_string(event.key.part), names_text(names),
                            names.size() == 1 ? "is" : "are", to_string(event.to), to_string(event.from));
    if (!event.reason.empty()) text += ": " + reason_text(event.reason, names);
    if (!event.code.empty()) text += " (" + event.code + ")";
    entries.push_back({event.time, text});
  }
}

void tell_silences(const Chronicle& chronicle, const Sight& who, std::vector<Entry>& entries) {
  for (const auto& silence : chronicle.silences) {
    if (!is_of(silence, who)) continue;
    const bool acknowledged = silence.kind == Silence::Kind::acknowledged;
    const bool ended = !acknowledged && silence.until <= silence.made;
    const bool confirmed = silence.kind == Silence::Kind::confirmed;
    entries.push_back({silence.made, confirmed      ? "Somebody confirmed that SES shows it as verified."
                                     : acknowledged ? "Somebody acknowledged the fault."
                                     : ended      ? "Somebody ended the silence."
                                             : "Somebody silenced the alerts until " + minute(silence.until) + "."});
  }
}

void tell_blindnesses(const Chronicle& chronicle, const Sight& who, std::vector<Entry>& entries) {
  for (const auto& blindness : chronicle.blindnesses) {
    if (!is_of(blindness, who)) continue;
    const auto extent =
        fmt::format("{} look{}, until {}", blindness.count, blindness.count == 1 ? "" : "s", minute(blindness.last));
    entries.push_back(
        {blindness.first, blindness.kind == Blindness::Kind::nothing_answers
                              ? "Nothing was known: the resolver of this host, and perhaps every name server, did not "
                                "answer: " +
                                    extent + "."
                              : "No name server could be asked from here, only the resolver: " + extent + "."});
  }
}

void tell_notices(const Chronicle& chronicle, const Sight& who, std::vector<Entry>& entries) {
  for (const auto& notice : chronicle.notices)
    if (notice.identity.empty() || is_of(notice, who))
      entries.push_back(
          {notice.time, fmt::format("! told ({}): {}", to_string(notice.kind), printable(notice.title, 1024))});
}

std::string subject_text(const Chronicle& chronicle, const Sight& who) {
  Runs runs;
  for (const auto& run : chronicle.runs)
    if (is_of(run.key, who)) runs.push_back(&run);
  std::vector<Entry> entries;
  tell_good(runs, entries);
  tell_new_answers(runs, entries);
  tell_blindnesses(chronicle, who, entries);
  tell_bad(runs, entries);
  tell_events(chronicle, who, entries);
  tell_notices(chronicle, who, entries);
  tell_silences(chronicle, who, entries);
  std::ranges::stable_sort(entries, {}, &Entry::time);
  auto text = wrap(fmt::format("{}, looked at last {}", place_text(who.identity, who.account, who.region),
                               who.looked ? minute(who.looked) : "never"),
                   "", "  ");
  for (const auto& entry : entries) {
    const auto time = "  " + minute(entry.time) + "  ";
    text += wrap(entry.text, time, std::string(time.size(), ' '));
  }
  if (entries.empty()) text += "  Nothing was observed in this time.\n";
  return text;
}

}  // namespace

std::string timeline_text(const Chronicle& chronicle) {
  std::string text;
  for (const auto& who : chronicle.sights) text += (text.empty() ? "" : "\n") + subject_text(chronicle, who);
  return text;
}

std::string timeline_json(const Chronicle& chronicle) {
  auto value = chronicle_value(chronicle);
  value["notices"] = notices_value(chronicle);
  value["silences"] = silences_value(chronicle);
  return text_of(value);
}

}  // namespace sesame::watch
