// sesame report: how the mail of each From domain is aligned.
#include <fmt/core.h>

#include <algorithm>

#include "command.h"
#include "history_args.h"
#include "table.h"
#include "util/clock.h"

namespace sesame::cli {
namespace {

using history::DomainTally;
using history::Tally;

constexpr std::size_t kReasons = 3;
constexpr std::size_t kDomain = 40;

struct Answer {
  std::vector<DomainTally> domains;
  Tally total;
};

Result<Answer> ask(Asked& asked, std::size_t most) {
  auto domains = history::tallies(*asked.reader, asked.scope, most);
  if (!domains) return tl::unexpected(domains.error());
  const auto total = history::total(*asked.reader, asked.scope);
  if (!total) return tl::unexpected(total.error());
  return Answer{*std::move(domains), *total};
}

// What decided most often; of mail that passes nothing does.
std::vector<history::Reason> top_reasons(const DomainTally& domain) {
  std::vector<history::Reason> reasons;
  for (const auto& reason : domain.reasons)
    if (!reason.code.empty() && reasons.size() < kReasons) reasons.push_back(reason);
  return reasons;
}

std::vector<std::string> figures(const Tally& tally) {
  std::vector<std::string> cells;
  for (const auto figure : {tally.messages, tally.both, tally.dkim, tally.spf, tally.none, tally.unknown, tally.hit})
    cells.push_back(grouped(figure));
  return cells;
}

std::vector<std::string> row(const std::string& domain, const std::string& direction, const Tally& tally) {
  std::vector<std::string> cells{domain, direction};
  for (auto& figure : figures(tally)) cells.push_back(std::move(figure));
  return cells;
}

std::string table(const Answer& answer) {
  using enum Column::Side;
  Table table({{"FROM DOMAIN", left, kDomain, Column::Cut::beginning},
               {"WAY", left},
               {"MESSAGES", right},
               {"BOTH", right},
               {"DKIM", right},
               {"SPF", right},
               {"NONE", right},
               {"UNKNOWN", right},
               {"HIT", right}});
  for (const auto& each : answer.domains) {
    const auto name = each.from_domain.empty() ? "(no usable From)" : each.from_domain;
    table.row(row(name, each.direction == "outbound" ? "out" : "in", each.tally));
    std::string reasons;
    for (const auto& [code, messages] : top_reasons(each))
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", code, grouped(messages));
    table.note(reasons);
  }
  table.row(row("total", "", answer.total));
  return table.text();
}

std::string text(const Asked& asked, const Answer& answer, std::size_t most) {
  auto text = fmt::format("{}, in whole hours {}\n\n", counted(answer.total.messages, "message"),
                          period_text(asked.scope.since, asked.scope.until));
  if (answer.total.messages == 0) return text + "There are none in " + asked.store + ".\n";
  text += table(answer);
  if (answer.domains.size() == most) text += fmt::format("\nThe {} with most mail; more with --most.\n", most);
  return text +
         "\nBOTH, DKIM, SPF, NONE: what is aligned with From. HIT: what hold or reject would act upon.\n"
         "A finding below a domain is what decided most often: sesame explain FINDING.\n";
}

Json tally_json(const Tally& t) {
  return {{"messages", t.messages},
          {"alignment", {{"both", t.both}, {"dkim", t.dkim}, {"spf", t.spf}, {"none", t.none}, {"unknown", t.unknown}}},
          {"verdict",
           {{"pass", t.pass},
            {"fail", t.fail},
            {"refused", t.refused},
            {"undecided", t.undecided},
            {"no_policy", t.no_policy}}},
          {"action",
           {{"observe", t.observed},
            {"tag", t.tagged},
            {"hold", t.held},
            {"reject", t.rejected},
            {"tempfail", t.deferred}}},
          {"hit", t.hit}};
}

std::string json(const Asked& asked, const Answer& answer) {
  auto value = scope_json(asked);
  value["total"] = tally_json(answer.total);
  value["domains"] = Json::array();
  for (const auto& each : answer.domains) {
    Json domain{{"from_domain", each.from_domain}, {"direction", each.direction}};
    domain.update(tally_json(each.tally));
    domain["reasons"] = Json::array();
    for (const auto& [code, messages] : each.reasons)
      if (!code.empty()) domain["reasons"].push_back({{"code", code}, {"messages", messages}});
    value["domains"].push_back(std::move(domain));
  }
  return dump(value, 2);
}

std::string csv(const Answer& answer) {
  auto text =
      csv_line({"from_domain", "direction", "messages", "both", "dkim", "spf", "none", "unknown", "hit", "reasons"});
  for (const auto& each : answer.domains) {
    const auto& t = each.tally;
    std::vector<std::string> cells{each.from_domain, each.direction};
    for (const auto figure : {t.messages, t.both, t.dkim, t.spf, t.none, t.unknown, t.hit})
      cells.push_back(std::to_string(figure));
    std::string reasons;
    for (const auto& [code, messages] : top_reasons(each))
      reasons += fmt::format("{}{}:{}", reasons.empty() ? "" : " ", code, messages);
    cells.push_back(reasons);
    text += csv_line(cells);
  }
  return text;
}

}  // namespace

int run_report(const Common& common, const ReportArguments& arguments) {
  auto asked = ask_history(arguments.history);
  if (!asked) return complain("report", asked.error());
  asked->scope = whole_hours(asked->scope);
  const auto found = ask(*asked, arguments.most);
  if (!found) return complain("report", found.error());
  switch (common.format) {
    case Format::json:
      return answer(json(*asked, *found), kFine);
    case Format::csv:
      return answer(csv(*found), kFine);
    case Format::text:
      break;
  }
  return answer(text(*asked, *found, arguments.most), kFine);
}

}  // namespace sesame::cli
