// sesame top: what there is most of.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "command.h"
#include "history_args.h"
#include "table.h"

namespace sesame::cli {
namespace {

using history::By;
using history::Count;

struct Word {
  const char* word;
  By by;
  const char* title;
  const char* empty;  // what stands for ""
};
constexpr std::array kWords = {
    Word{"from_domain", By::from_domain, "FROM DOMAIN", "(no usable From)"},
    Word{"code", By::code, "FINDING", "-"},
    Word{"client", By::client, "CLIENT", "(local)"},
    Word{"mail_from", By::mail_from, "SENDER", "<>"},
    Word{"host", By::host, "HOST", "-"},
    Word{"action", By::action, "ACTION", "-"},
    Word{"verdict", By::verdict, "VERDICT", "-"},
};

std::string json(const Asked& asked, const Word& word, const std::vector<Count>& counts) {
  auto value = scope_json(asked);
  value["by"] = word.word;
  value["top"] = Json::array();
  for (const auto& [text, messages, bad] : counts)
    value["top"].push_back({{"value", text}, {"messages", messages}, {"bad", bad}});
  return dump(value, 2);
}

std::string csv(const Word& word, const std::vector<Count>& counts) {
  auto text = csv_line({word.word, "messages", "bad"});
  for (const auto& each : counts)
    text += csv_line({each.value, std::to_string(each.messages), std::to_string(each.bad)});
  return text;
}

std::string text(const Asked& asked, const Word& word, const std::vector<Count>& counts) {
  constexpr std::size_t kValue = 72;
  const auto heading = "Mail " + period_text(asked.scope.since, asked.scope.until) + "\n\n";
  if (counts.empty()) return heading + "There is none in " + asked.store + ".\n";
  using enum Column::Side;
  const auto cut = word.by == By::from_domain ? Column::Cut::beginning : Column::Cut::end;
  Table table({{"MESSAGES", right}, {"BAD", right}, {word.title, left, kValue, cut}});
  for (const auto& [value, messages, bad] : counts) {
    table.row({grouped(messages), grouped(bad), value.empty() ? word.empty : value});
  }
  return heading + table.text() + "\nBAD: DMARC fails, or SES will refuse it.\n";
}

}  // namespace

int run_top(const Common& common, const TopArguments& arguments) {
  const auto* word = std::ranges::find(kWords, arguments.by, &Word::word);
  auto asked = ask_history(arguments.history);
  if (!asked) return complain("top", asked.error());
  const auto counts = history::top(*asked->reader, asked->scope, word->by, arguments.most);
  if (!counts) return complain("top", counts.error());
  switch (common.format) {
    case Format::json:
      return answer(json(*asked, *word, *counts), kFine);
    case Format::csv:
      return answer(csv(*word, *counts), kFine);
    case Format::text:
      break;
  }
  return answer(text(*asked, *word, *counts), kFine);
}

}  // namespace sesame::cli
