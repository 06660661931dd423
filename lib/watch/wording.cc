#include "watch/wording.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "util/clock.h"
#include "util/text.h"
#include "watch/record_text.h"
#include "watch/titles.h"

namespace sesame::watch {
namespace {

constexpr std::size_t kLine = 78;
constexpr std::size_t kMaxReason = 512;
constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;

bool is_bad(State state) {
  return state == State::degraded || state == State::missing;
}

// In the order in which people want to hear of them.
int weight(State state) {
  switch (state) {
    case State::missing:
      return 3;
    case State::degraded:
      return 2;
    case State::recovering:
      return 1;
    case State::healthy:
      break;
  }
  return 0;
}

std::string shown(std::string_view text) {
  return printable(text, kMaxReason);
}

// A reason or an answer as the end of a sentence.
std::string sentence(std::string_view text) {
  auto said = shown(text);
  if (!said.empty() && said.back() != '.') said += '.';
  return said;
}

std::string subject_of(Part part, std::string_view identity) {
  if (part == Part::amazon) return fmt::format("What Amazon SES publishes for {}", shown(identity));
  return fmt::format("{} of {}", to_string(part), shown(identity));
}

std::string state_of(State state) {
  return state == State::healthy ? "healthy again" : to_string(state);
}

std::string item(const std::string& text) {
  return wrap(text, "- ", "  ");
}

std::string paragraph(const std::string& text) {
  return wrap(text, "", "");
}

std::string headed(const std::string& head, const std::string& lines) {
  return lines.empty() ? "" : "\n" + head + "\n" + lines;
}

// "DKIM, t1._domainkey.example.com: missing since 2026-01-01 00:00 UTC. ns1.example.com says NXDOMAIN."
std::string described(const std::vector<const RecordState*>& alike) {
  const auto& record = *alike.front();
  std::vector<std::string> names;
  for (const auto* each : alike) names.push_back(each->key.name);
  auto text = fmt::format("{}{}: {} since {}.", to_string(record.key.part), names_text(names, ", "),
                          state_of(record.state), minute(record.since));
  if (!record.reason.empty()) text += " " + sentence(reason_text(record.reason, names));
  if (!record.code.empty()) text += fmt::format(" ({})", record.code);
  return text;
}

std::string more(std::size_t all) {
  return all > kNamed ? fmt::format("- and {} more\n", all - kNamed) : "";
}

std::string list_of(std::span<const RecordState> records) {
  std::string lines;
  const auto groups = grouped(records, likeness_of);
  for (std::size_t i = 0; i < std::min(groups.size(), kNamed); ++i) lines += item(described(groups[i]));
  return lines + more(groups.size());
}

std::vector<RecordState> after(std::span<const Change> changes) {
  std::vector<RecordState> records;
  for (const auto& change : changes) records.push_back(change.after);
  return records;
}

bool has_passed(const Deadline& deadline, std::int64_t now) {
  return deadline.latest && now >= *deadline.latest;
}

std::string signing_stops(const Deadline& deadline, std::int64_t now) {
  if (has_passed(deadline, now))
    return "SES has had 72 hours to notice and is taken to have stopped signing: mail leaves without a DKIM signature "
           "of this domain.";
  return fmt::format(
      "SES checks the DKIM records at times nobody knows, and stops signing as soon as it finds one missing: at any "
      "moment since {}{}. Mail then leaves without a DKIM signature of this domain.",
      minute(deadline.earliest), deadline.latest ? ", by " + minute(*deadline.latest) + " at the latest" : "");
}

std::string revocation(const Deadline& deadline, std::int64_t now) {
  if (has_passed(deadline, now))
    return fmt::format(
        "SES is taken to have revoked DKIM by {}: that the records are back no longer suffices, and DKIM has to be set "
        "up anew in SES.",
        minute(*deadline.latest));
  const auto latest = deadline.latest ? ", and by " + minute(*deadline.latest) + " at the latest" : "";
  if (now >= deadline.earliest)
    return fmt::format(
        "SES may have revoked DKIM at any moment since {}{}. Look at the DKIM status in SES: if it is FAILED, DKIM has "
        "to be set up anew.",
        minute(deadline.earliest), latest);
  return fmt::format(
      "5 days after SES stopped signing it revokes DKIM: not before {}{}. If the records are back before, signing "
      "resumes by itself.",
      minute(deadline.earliest), latest);
}

std::string mail_from_fallback(const Deadline& deadline, std::int64_t now) {
  if (has_passed(deadline, now))
    return "SES has had 72 hours to notice and is taken to use the MAIL FROM domain no longer: it writes "
           "amazonses.com, "
           "so that SPF does not align, or refuses the mail, as BehaviorOnMxFailure says.";
  return fmt::format(
      "SES uses the MAIL FROM domain only while it finds its MX. At any moment since {}{} it may write amazonses.com "
      "instead, so that SPF does not align, or refuse the mail, as BehaviorOnMxFailure says.",
      minute(deadline.earliest), deadline.latest ? ", by " + minute(*deadline.latest) + " at the latest," : "");
}

std::string clocks(std::span<const Deadline> deadlines, std::int64_t now) {
  std::string lines;
  for (const auto& deadline : deadlines) {
    const auto tell = deadline.kind == Deadline::Kind::signing_stops ? signing_stops
                      : deadline.kind == Deadline::Kind::revocation  ? revocation
                                                                     : mail_from_fallback;
    lines += item(tell(deadline, now));
  }
  return headed("What SES does about it:", lines);
}

std::string fix_of(const RecordState& record) {
  const auto name = shown(record.key.name);
  const std::string keep = "Keep the tokens: do not delete the identity, and do not set up DKIM anew.";
  if (record.key.part == Part::amazon)
    return "None of your records is at fault. If it lasts, look at the AWS Health Dashboard and ask AWS support.";
  if (record.key.part == Part::zone)
    return "Mend the delegation at the registrar, or the zone at its servers: the parent and the zone have to name the "
           "same servers, and each of them has to serve the newest zone.";
  if (record.state == State::degraded)
    return fmt::format("Mend the name servers named above, or remove them from the delegation.{}",
                       record.key.part == Part::dkim ? " " + keep : "");
  switch (record.key.part) {
    case Part::dkim:
      return "Publish the records again exactly as SES gave them. " + keep;
    case Part::mail_from_mx:
      return fmt::format("Publish one MX at {}, and no other: 10 feedback-smtp.{}.amazonses.com", name,
                         shown(record.key.region));
    case Part::mail_from_spf:
      return fmt::format("Publish one TXT record at {}: \"v=spf1 include:amazonses.com ~all\"", name);
    default:
      return fmt::format("Publish one DMARC record at {} again, as it was.", name);
  }
}

std::string fixes(std::span<const RecordState> records) {
  std::vector<std::string> told;
  for (const auto& record : records) {
    if (!is_bad(record.state) || told.size() == kNamed) continue;
    auto fix = fix_of(record);
    if (std::ranges::find(told, fix) == told.end()) told.push_back(std::move(fix));
  }
  std::string lines;
  for (const auto& fix : told) lines += item(fix);
  if (lines.empty() && !records.empty())
    lines = item(
        "Nothing, as far as DNS goes. SES may not have looked yet: see whether its status is SUCCESS again before you "
        "rely on it.");
  return headed("What to do:", lines);
}

std::string of_whom(const Notice& notice) {
  auto text = fmt::format("Identity {}", shown(notice.identity));
  if (!notice.account.empty()) text += ", account " + shown(notice.account);
  if (!notice.region.empty()) text += ", region " + shown(notice.region);
  const auto domain = shown(notice.identity.substr(notice.identity.find('@') + 1));
  return "\n" + paragraph(text + ".") + paragraph(fmt::format("Every answer: sesame watch --timeline {}", domain)) +
         paragraph(fmt::format("The records as they should be: sesame doctor {}", domain));
}

// Those that are at fault but not among the changes.
std::vector<RecordState> others(const Notice& notice, std::span<const RecordState> records) {
  std::vector<RecordState> rest;
  for (const auto& record : records) {
    const auto told =
        std::ranges::any_of(notice.changes, [&](const Change& change) { return change.after.key == record.key; });
    if (!told && is_bad(record.state)) rest.push_back(record);
  }
  return rest;
}

const Change& worst_of(std::span<const Change> changes) {
  return *std::ranges::max_element(changes, {}, [](const Change& change) { return weight(change.after.state); });
}

using IdentityKey = std::tuple<std::string, std::string, std::string>;

// What a digest counts.
struct Tally {
  std::map<IdentityKey, const Change*> worst;             // of each identity
  std::map<std::pair<Part, State>, std::size_t> records;  // by what became of them
  std::map<std::string, std::size_t> servers;             // records that a server fails for
};

Tally tally(std::span<const Change> changes) {
  Tally tally;
  for (const auto& change : changes) {
    const auto& after = change.after;
    auto& worst = tally.worst[{after.key.account, after.key.identity, after.key.region}];
    if (!worst || weight(after.state) > weight(worst->after.state)) worst = &change;
    ++tally.records[{after.key.part, after.state}];
    std::set<std::string> servers;
    for (const auto& fault : after.faults) servers.insert(shown(fault.server));
    if (!is_bad(after.state)) continue;
    for (const auto& server : servers) ++tally.servers[server];
  }
  return tally;
}

std::string often_named(const Tally& tally) {
  constexpr std::size_t kServers = 3;
  std::vector<std::pair<std::string, std::size_t>> servers(tally.servers.begin(), tally.servers.end());
  std::ranges::stable_sort(servers, std::ranges::greater{}, [](const auto& server) { return server.second; });
  std::string lines;
  for (std::size_t i = 0; i < std::min(servers.size(), kServers); ++i)
    lines += item(fmt::format("{}: at fault for {} record{}", servers[i].first, servers[i].second,
                              servers[i].second == 1 ? "" : "s"));
  return headed("The servers named most often:", lines);
}

std::string first_of(const Tally& tally) {
  std::vector<const Change*> changes;
  for (const auto& [key, change] : tally.worst) changes.push_back(change);
  std::ranges::stable_sort(changes, std::ranges::greater{},
                           [](const Change* change) { return weight(change->after.state); });
  std::string lines;
  for (std::size_t i = 0; i < std::min(changes.size(), kNamed); ++i) {
    const auto& after = changes[i]->after;
    lines += item(fmt::format("{} is {}{}", subject_of(after.key.part, after.key.identity), state_of(after.state),
                              after.reason.empty() ? "." : ": " + sentence(after.reason)));
  }
  return headed("The first of them:", lines + more(changes.size()));
}

std::string reminded_lines(const Notice& notice, std::span<const Reminded> reminded) {
  std::string lines;
  for (std::size_t i = 0; i < std::min(reminded.size(), kNamed); ++i)
    lines += item(reminder_title(reminded[i].identity, notice.time, reminded[i].moment));
  return headed("Deadlines:", lines + more(reminded.size()));
}

// "3 missing, 20 degraded"
std::string counted(const Tally& tally) {
  std::map<State, std::size_t> states;
  for (const auto& [key, change] : tally.worst) ++states[change->after.state];
  std::vector<std::string> parts;
  for (const auto state : {State::missing, State::degraded, State::recovering, State::healthy})
    if (states.contains(state)) parts.push_back(fmt::format("{} {}", states[state], state_of(state)));
  return join(parts, ", ");
}

}  // namespace

std::string minute(std::int64_t unix_seconds) {
  const auto time = timestamp(unix_seconds);
  return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

std::string span_of(std::int64_t seconds) {
  const auto in = [seconds](std::int64_t unit, const char* word) {
    const auto count = (seconds + unit / 2) / unit;
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
  };
  if (seconds < 2 * kHour) return in(kMinute, "minute");
  return seconds <= 3 * kDay ? in(kHour, "hour") : in(kDay, "day");
}

std::string wrap(std::string_view text, std::string_view first, std::string_view next) {
  std::string result, line(first);
  bool empty = true;
  const auto end_line = [&] {
    result += line + "\n";
    line = next;
    empty = true;
  };
  for (auto word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!empty && line.size() + 1 + word.size() > kLine) end_line();
    if (!empty) line += ' ';
    // What is longer than a line is cut where the line ends.
    while (line.size() + word.size() > kLine) {
      const auto room = kLine - line.size();
      line += word.substr(0, room);
      word.remove_prefix(room);
      end_line();
    }
    line += word;
    empty = false;
  }
  if (!empty) end_line();
  return result;
}

void word_change(Notice& notice, const Standing& standing) {
  const auto& worst = worst_of(notice.changes).after;
  notice.title = change_title(worst);
  notice.text =
      paragraph(fmt::format("{} is {}.", subject_of(worst.key.part, notice.identity), state_of(worst.state))) + "\n" +
      list_of(after(notice.changes)) + headed("Still at fault:", list_of(others(notice, standing.records))) +
      clocks(standing.deadlines, notice.time) + fixes(standing.records) + of_whom(notice);
}

void word_reminder(Notice& notice, const Standing& standing, const Moment& moment) {
  notice.title = reminder_title(notice.identity, notice.time, moment);
  notice.text = paragraph(notice.title + ".") + headed("Still at fault:", list_of(others(notice, standing.records))) +
                clocks(standing.deadlines, notice.time) + fixes(standing.records) + of_whom(notice);
}

void word_digest(Notice& notice, std::span<const Reminded> reminded, std::int64_t pause) {
  const auto counts = tally(notice.changes);
  auto title = counts.worst.empty() ? fmt::format("Deadlines of SES for {} identities", reminded.size())
                                    : fmt::format("{} identities changed: {}", counts.worst.size(), counted(counts));
  if (!counts.worst.empty() && !reminded.empty()) title += fmt::format("; deadlines for {} more", reminded.size());
  notice.title = title_line(title);
  std::string lines;
  for (const auto& [what, count] : counts.records)
    lines += item(
        fmt::format("{} {}: {} record{}", to_string(what.first), state_of(what.second), count, count == 1 ? "" : "s"));
  notice.text = paragraph(title + ". So many at once are told together.") + headed("Records:", lines) +
                often_named(counts) + first_of(counts) + reminded_lines(notice, reminded) + "\n" +
                paragraph(fmt::format(
                    "As long as so many change, the next summary comes after {}. What to do about one of them: sesame "
                    "doctor DOMAIN; every answer: sesame watch --timeline DOMAIN",
                    span_of(pause)));
}

void word_connection(Notice& notice, std::int64_t began) {
  const auto since = minute(began), lasted = span_of(std::max<std::int64_t>(notice.time - began, 0));
  std::string text;
  switch (notice.kind) {
    case Notice::Kind::silence:
      notice.title = fmt::format("No DNS answers since {}: nothing is known about any record", since);
      text = fmt::format(
          "Since {} the resolver of this host, and perhaps every name server, has not answered the record watch. The "
          "fault is most likely near this host.\n\nWhile it lasts no record is taken to be at fault or mended, "
          "and no mail is judged to fail for want of an answer. SES's clocks go on.\n\n"
          "What to do: check the network, the firewall and the resolver of this host (resolv.conf, or servers "
          "in [dns]). This is told once; that answers come again is told, too.",
          since);
      break;
    case Notice::Kind::restored:
      notice.title = fmt::format("DNS answers again: nothing was known for {}", lasted);
      text = fmt::format(
          "From {} to {} the resolver of this host, and perhaps every name server, did not answer the record "
          "watch. What changed meanwhile is told as it is found.",
          since, minute(notice.time));
      break;
    case Notice::Kind::unreachable:
      notice.title = fmt::format("No name server can be asked directly since {}", since);
      text = fmt::format(
          "The resolver of this host answers, but no name server does that is asked directly, since {}. Most likely a "
          "firewall on the way out blocks port 53.\n\nThe state of a record rests on the resolver alone meanwhile: a "
          "fault of one server out of several, which is enough for SES to stop signing, goes unseen.\n\n"
          "What to do: let this host ask any address at port 53, over UDP and TCP. This is told once.",
          since);
      break;
    default:
      notice.title = fmt::format("Name servers can be asked directly again, after {}", lasted);
      text = fmt::format("From {} to {} no name server could be asked directly. Each of them is watched again.", since,
                         minute(notice.time));
  }
  for (const auto part : split(text, '\n')) notice.text += part.empty() ? "\n" : paragraph(std::string(part));
}

}  // namespace sesame::watch
