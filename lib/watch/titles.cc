#include "watch/titles.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "util/text.h"
#include "watch/judge.h"

namespace sesame::watch {
namespace {

constexpr std::size_t kMaxName = 48, kMaxAnswer = 40;
constexpr std::size_t kMaxReminded = 38;  // beside the longest deadline
// Where it would be too long otherwise.
constexpr std::size_t kShortName = 32, kShortServer = 24, kShortAnswer = 16;

// With the mark of what was cut at most `limit` octets.
std::string cut(std::string_view text, std::size_t limit) {
  const auto whole = printable(text, 512);
  return whole.size() <= limit ? whole : whole.substr(0, limit - 3) + "...";
}

std::string outcome_of(const RecordState& record) {
  const auto* part = record.key.part == Part::amazon ? "what Amazon SES publishes" : to_string(record.key.part);
  return fmt::format("{} is {}", part, record.state == State::healthy ? "healthy again" : to_string(record.state));
}

// Those of the last look that showed it at fault.
std::vector<ses::ServerFault> current_faults(const RecordState& record) {
  auto faults = record.faults;
  std::erase_if(faults,
                [&](const ses::ServerFault& fault) { return record.last_bad && fault.last != *record.last_bad; });
  return faults;
}

std::string like_others(const ses::ServerFault& worst, const std::vector<ses::ServerFault>& faults) {
  std::set<std::string> servers;
  for (const auto& fault : faults)
    if (is_of_server(fault) && fault.server != worst.server && said(fault) == said(worst)) servers.insert(fault.server);
  if (servers.empty() || !is_of_server(worst)) return "";
  return fmt::format(", like {} other{},", servers.size(), servers.size() == 1 ? "" : "s");
}

}  // namespace

std::string title_line(const std::string& text) {
  return cut(text, kMaxTitle);
}

std::string change_title(const RecordState& record) {
  const auto identity = cut(record.key.identity, kMaxTitle), outcome = outcome_of(record);
  if (record.state == State::healthy) return title_line(fmt::format("{}: {}", identity, outcome));
  if (record.state == State::recovering)
    return title_line(fmt::format("{}: {}, all answer well again", cut(identity, kMaxName), outcome));
  const auto faults = current_faults(record);
  // What is wrong with a zone is not always an answer's fault.
  if (faults.empty() || record.reason.find(worst_of(faults).server) == std::string::npos)
    return title_line(fmt::format("{}: {}: {}", cut(identity, kMaxName), outcome, record.reason));
  auto worst = worst_of(faults);
  const auto others = like_others(worst, faults);
  worst.answer = cut(worst.answer, kMaxAnswer);
  const auto name = worst.server.substr(0, worst.server.find(" ("));
  for (const auto& server : {worst.server, name}) {
    const auto whole = fmt::format("{}: {}{} {}: {}", identity, printable(server), others, said(worst), outcome);
    if (whole.size() <= kMaxTitle) return whole;
  }
  worst.answer = cut(worst.answer, kShortAnswer);
  return title_line(
      fmt::format("{}: {} {}: {}", cut(identity, kShortName), cut(name, kShortServer), said(worst), outcome));
}

std::string reminder_title(const std::string& identity, std::int64_t now, const Moment& moment) {
  const auto who = cut(identity, kMaxReminded);
  const auto& deadline = moment.deadline;
  // What is told late, after a silence, tells the time that is left then.
  const auto when = deadline.earliest > now
                        ? fmt::format("in {}, at {}", span_of(deadline.earliest - now), minute(deadline.earliest))
                        : std::string("from now on");
  const bool surely = moment.which == Moment::Which::surely;
  switch (deadline.kind) {
    case Deadline::Kind::signing_stops:
      return surely ? fmt::format("{}: SES is taken to have stopped signing", who)
                    : fmt::format("{}: SES may stop signing {}", who, when);
    case Deadline::Kind::revocation:
      return surely ? fmt::format("{}: SES is taken to have revoked DKIM", who)
                    : fmt::format("{}: SES may revoke DKIM {}", who, when);
    case Deadline::Kind::mail_from_fallback:
      break;
  }
  return surely ? fmt::format("{}: SES is taken to use the MAIL FROM domain no longer", who)
                : fmt::format("{}: SES may stop using the MAIL FROM domain {}", who, when);
}

}  // namespace sesame::watch
