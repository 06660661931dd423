#include "watch/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "util/clock.h"
#include "util/text.h"
#include "watch/record_text.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

constexpr std::size_t kSpells = 12;  // told one by one

using Runs = std::vector<const Run*>;

std::string line(std::string_view text, std::size_t indent) {
  const std::string first(indent, ' ');
  return wrap(text, first, first + "  ");
}

std::string heading(const std::string& text) {
  return "\n" + text + "\n" + std::string(text.size(), '-') + "\n";
}

std::string times(std::size_t count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string period(std::int64_t first, std::int64_t last) {
  return first == last ? "at " + timestamp(first) : fmt::format("{} to {}", timestamp(first), timestamp(last));
}

Runs bad_runs(const Chronicle& chronicle) {
  Runs runs;
  for (const auto& run : chronicle.runs)
    if (run.observation.quality != Quality::good) runs.push_back(&run);
  return runs;
}

// ---- what was expected

std::string expectation_of(const Record& record) {
  if (!record.expected.empty()) return printable(record.expected, 512);
  switch (record.part) {
    case Part::dkim:
      return "a DKIM key";
    case Part::mail_from_mx:
      return "the feedback host of SES, and no other";
    case Part::mail_from_spf:
      return "an SPF record that SES passes, such as \"v=spf1 include:amazonses.com ~all\"";
    case Part::dmarc:
      return "a DMARC policy, if the domain has one";
    case Part::zone:
      return "the same name servers and the same serial at every server, as the parent zone delegates it";
    case Part::amazon:
      break;
  }
  return "published by Amazon itself";
}

std::string expected_section(const Knowledge& knowledge) {
  auto text = heading("What Amazon SES needs to find");
  if (knowledge.subjects.empty()) return text + line("The identity is no longer among those that are watched.", 2);
  for (const auto& subject : knowledge.subjects) {
    text += line(place_text(subject.identity, subject.account, subject.region), 2);
    for (const auto& record : subject.records) {
      if (record.part == Part::amazon) continue;
      std::vector<std::string> types;
      for (const auto type : record.types) types.push_back(dns::to_string(type));
      text += line(fmt::format("{} {}", join(types, "/"), printable(record.name)), 4);
      text += line("-> " + expectation_of(record), 6);
    }
  }
  return text + line(
                    "TXT at a DKIM name is asked as SES and receivers of mail ask it: the answer is the key at the end "
                    "of the CNAME. Of three DKIM names one holds a key; that the others are empty is no fault.",
                    2);
}

// ---- what was answered instead

// The same answer of one server to one question, however often it came and went.
struct Fault {
  Runs runs;
  std::size_t count() const {
    std::size_t sum = 0;
    for (const auto* run : runs) sum += run->count;
    return sum;
  }
  std::int64_t last() const {
    return (*std::ranges::max_element(runs, {}, [](const Run* run) { return run->observation.time; }))
        ->observation.time;
  }
  std::chrono::microseconds slowest() const {
    return (*std::ranges::max_element(runs, {}, [](const Run* run) { return run->slowest; }))->slowest;
  }
};

std::string fault_text(const Fault& fault) {
  const auto& seen = fault.runs.front()->observation;
  auto text = line(fmt::format("{} over {}", question_text(seen), dns::to_string(seen.transport)), 4) +
              line(fmt::format("answer: {} ({})", printable(seen.answer, 512), to_string(seen.quality)), 6) +
              line(fmt::format("{}, {}, each within {} ms", times(fault.count()),
                               period(fault.runs.front()->first, fault.last()), fault.slowest().count() / 1000 + 1),
                   6);
  if (fault.runs.size() == 1) return text;
  text += line(fmt::format("in {} spells, between which the answer was another:", fault.runs.size()), 6);
  const auto skipped = fault.runs.size() > kSpells ? fault.runs.size() - kSpells : 0;
  if (skipped) text += line(fmt::format("({} earlier ones)", skipped), 8);
  for (std::size_t i = skipped; i < fault.runs.size(); ++i)
    text += line(fmt::format("{}, {}", period(fault.runs[i]->first, fault.runs[i]->observation.time),
                             times(fault.runs[i]->count)),
                 8);
  return text;
}

std::string faults_section(const Runs& bad) {
  auto text = heading("Answers that were not as needed");
  if (bad.empty()) return text + line("None.", 2);
  // Name servers first: whoever reads this runs them.
  std::map<std::pair<bool, std::string>, std::map<std::string, Fault>> servers;
  for (const auto* run : bad) {
    const auto& seen = run->observation;
    servers[{seen.from_resolver(), server_text(seen)}]
           [fmt::format("{}\n{}\n{}", question_text(seen), dns::to_string(seen.transport), seen.answer)]
               .runs.push_back(run);
  }
  for (const auto& [server, faults] : servers) {
    text += line("Server: " + server.second, 2);
    for (const auto& [key, fault] : faults) text += fault_text(fault);
  }
  return text;
}

// A name that a shell takes as it is; quoted otherwise.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return is_alnum(c) || std::string_view("-_.:").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : printable(word)) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string dig_command(const Observation& seen) {
  const auto question = fmt::format("{} {}", shell_word(seen.name), dns::to_string(seen.type));
  if (seen.from_resolver()) return "dig " + question;
  return fmt::format("dig @{} {} +norecurse {}", shell_word(seen.address), question,
                     seen.transport == dns::Transport::tcp ? "+tcp" : "+notcp");
}

std::string commands_section(const Runs& bad) {
  if (bad.empty()) return "";
  std::set<std::string> commands;
  for (const auto* run : bad) commands.insert(dig_command(run->observation));
  auto text = heading("To ask the same again");
  for (const auto& command : commands) text += "  " + command + "\n";
  return text;
}

// ---- who answered well

struct Well {
  std::set<std::string> questions;
  std::set<std::string> transports;
  std::size_t count = 0;
  std::int64_t first = 0, last = 0;
  void add(const Run& run) {
    first = count ? std::min(first, run.first) : run.first;
    last = std::max(last, run.observation.time);
    count += run.count;
    questions.insert(question_text(run.observation));
    transports.insert(dns::to_string(run.observation.transport));
  }
};

std::string part_of(std::size_t some, std::size_t all) {
  return all == 1 ? "the same question" : fmt::format("{} of the {} questions", some, all);
}

std::string contrast_section(const Chronicle& chronicle, const Runs& bad) {
  if (bad.empty()) return "";
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> asked;  // when each question had a bad answer
  for (const auto* run : bad) {
    auto& span = asked.try_emplace(question_text(run->observation), run->first, run->observation.time).first->second;
    span.first = std::min(span.first, run->first);
    span.second = std::max(span.second, run->observation.time);
  }
  std::map<std::string, Well> servers;
  for (const auto& run : chronicle.runs) {
    if (run.observation.quality != Quality::good) continue;
    const auto span = asked.find(question_text(run.observation));
    if (span == asked.end() || run.first > span->second.second || run.observation.time < span->second.first) continue;
    servers[server_text(run.observation)].add(run);
  }
  auto text = heading("Who answered the same questions well in the same time");
  if (servers.empty()) text += line("Nobody.", 2);
  for (const auto& [server, well] : servers)
    text += line(fmt::format("{}: {} over {}, {}, {}", server, part_of(well.questions.size(), asked.size()),
                             well.transports.size() > 1 ? "UDP and TCP" : *well.transports.begin(), times(well.count),
                             period(well.first, well.last)),
                 2);
  return text;
}

// ---- the zone

std::string servers_text(const std::vector<std::string>& names) {
  return names.empty() ? "none" : printable(join(names, ", "), 1024);
}

std::string zone_section(const Chronicle& chronicle) {
  auto text = heading("Delegation and serials");
  for (const auto& sight : chronicle.sights) {
    if (sight.time == 0) continue;
    text += line(
        fmt::format("{}, as of {}: {}", place_text(sight.identity, sight.account, sight.region), timestamp(sight.time),
                    sight.zones.empty() ? "the zones could not be found out" : "zones: " + servers_text(sight.zones)),
        2);
    if (const auto& found = sight.delegation) {
      text += line("The parent zone delegates to: " + servers_text(found->parent), 4);
      text += line("The zone itself names: " + servers_text(found->child), 4);
      if (!found->name.empty())
        text += line(fmt::format("{} is only on: {}", printable(found->name), servers_text(found->only_on)), 4);
    } else if (!sight.zones.empty()) {
      text += line("No difference was seen between what the parent zone delegates to and what the zone names.", 4);
    }
    if (!sight.bogus_zone.empty()) text += line(printable(sight.bogus_zone) + " fails DNSSEC validation.", 4);
  }
  std::map<std::string, const Run*> newest;  // by server
  for (const auto& run : chronicle.runs) {
    if (!run.observation.serial || run.observation.from_resolver()) continue;
    auto& known = newest[fmt::format("{}: {}", printable(run.observation.name), server_text(run.observation))];
    if (!known || known->observation.time < run.observation.time) known = &run;
  }
  for (const auto& [server, run] : newest)
    text += line(
        fmt::format("{}: serial {}, at {}", server, *run->observation.serial, timestamp(run->observation.time)), 2);
  return text;
}

// ---- what SES says

std::string time_text(const std::optional<std::int64_t>& time) {
  return time ? timestamp(*time) : "not told";
}

std::string ses_section(const Knowledge& knowledge) {
  auto text = heading("What Amazon SES itself says");
  bool told = false;
  for (const auto& identity : knowledge.identities) {
    if (!identity.as_of) continue;
    told = true;
    const auto& seen = identity.verification;
    text += line(fmt::format("{}, by its API at {}", place_text(identity.name, identity.account, identity.region),
                             timestamp(*identity.as_of)),
                 2);
    text += line(fmt::format("DKIM status: {}; signing {}; verified for sending: {}",
                             identity.dkim.status ? ses::to_string(*identity.dkim.status) : "not told",
                             identity.dkim.signing_enabled ? "enabled" : "disabled",
                             identity.verified_for_sending ? "yes" : "no"),
                 4);
    if (!identity.mail_from.domain.empty())
      text += line(fmt::format("MAIL FROM {}: {}", printable(identity.mail_from.domain),
                               identity.mail_from.status ? ses::to_string(*identity.mail_from.status) : "not told"),
                   4);
    text += line(fmt::format("ErrorType: {}; LastChecked: {}; LastSuccess: {}",
                             seen.error_type.empty() ? "none" : printable(seen.error_type),
                             time_text(seen.last_checked), time_text(seen.last_success)),
                 4);
    if (!seen.primary_name_server.empty())
      text += line(fmt::format("SOARecord: primary name server {}, serial {}", printable(seen.primary_name_server),
                               seen.soa_serial),
                   4);
  }
  if (!told) text += line("Not known here: there is no answer of its API (sesame sync fetches it).", 2);
  return text;
}

// ---- how it went, and how it was seen

std::string course_section(const Chronicle& chronicle) {
  if (chronicle.events.empty()) return "";
  auto text = heading("What was concluded, and when");
  for (const auto& alike : events_together(chronicle)) {
    const auto& event = *alike.front();
    const auto names = names_of(alike);
    text += line(fmt::format("{} {}{}: {}, was {}{}{}", timestamp(event.time), to_string(event.key.part),
                             names_text(names), to_string(event.to), to_string(event.from),
                             event.reason.empty() ? "" : ": ", reason_text(event.reason, names)),
                 2);
  }
  return text;
}

std::string method_section(const Chronicle& chronicle, const Knowledge& knowledge) {
  std::size_t answers = 0;
  std::int64_t first = chronicle.now, last = 0;
  for (const auto& run : chronicle.runs) {
    answers += run.count;
    first = std::min(first, run.first);
    last = std::max(last, run.observation.time);
  }
  auto text = heading("How this was observed");
  text += line(fmt::format("{} asks every address of every name server that the zone is delegated to, directly and "
                           "without recursion, over UDP and over TCP, and the resolver of its own host. Equal answers "
                           "in a row are counted together.",
                           knowledge.program),
               2);
  text += line(answers ? fmt::format("Answers in this report: {}, {}.", answers, period(first, last))
                       : std::string("There were no answers in this time."),
               2);
  for (const auto& blind : chronicle.blindnesses)
    text += line(fmt::format("Left out, because {}: {} of {}, {}.",
                             blind.kind == Blindness::Kind::nothing_answers
                                 ? "the observer's resolver, and perhaps every name server, did not answer, so that "
                                   "the fault was most likely near the observer"
                                 : "no name server at all could be reached directly from the observer",
                             blind.count == 1 ? "the look" : fmt::format("{} looks", blind.count),
                             place_text(blind.identity, blind.account, blind.region), period(blind.first, blind.last)),
                 2);
  return text;
}

}  // namespace

Knowledge knowledge_of(const ses::Accounts& accounts, const std::string& domain) {
  Knowledge knowledge;
  knowledge.subjects = subjects_of(accounts);
  std::erase_if(knowledge.subjects,
                [&domain](const Subject& subject) { return subject.identity != domain && subject.domain != domain; });
  for (const auto& account : accounts.all())
    for (const auto& identity : account.identities)
      if (identity.region == account.region && (identity.name == domain || identity.domain() == domain))
        knowledge.identities.push_back(identity);
  return knowledge;
}

std::string evidence_text(const Chronicle& chronicle, const Knowledge& knowledge) {
  const auto bad = bad_runs(chronicle);
  const auto title = fmt::format("Name servers and the records that Amazon SES needs: {}", printable(chronicle.domain));
  auto text = title + "\n" + std::string(title.size(), '=') + "\n";
  text += line(fmt::format("Made at {}{}. All times are UTC.", timestamp(chronicle.now),
                           chronicle.since ? ", of what was observed since " + timestamp(chronicle.since) : ""),
               0);
  std::size_t answers = 0;
  std::set<std::string> servers;
  for (const auto* run : bad) {
    answers += run->count;
    servers.insert(server_text(run->observation));
  }
  text += line(bad.empty() ? std::string("Every answer was as needed.")
                           : fmt::format("Answers not as needed: {}, by {}.", answers,
                                         join({servers.begin(), servers.end()}, ", ")),
               0);
  return text + expected_section(knowledge) + faults_section(bad) + commands_section(bad) +
         contrast_section(chronicle, bad) + zone_section(chronicle) + ses_section(knowledge) +
         course_section(chronicle) + method_section(chronicle, knowledge);
}

}  // namespace sesame::watch
