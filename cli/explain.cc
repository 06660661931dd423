// sesame explain: the whole story of a message, or what a finding means.
#include <fmt/core.h>

#include "command.h"
#include "history_args.h"
#include "ses/diagnose.h"
#include "story.h"
#include "table.h"
#include "util/text.h"

namespace sesame::cli {
namespace {

int explain_finding(const Common& common, const ses::Meaning& meaning) {
  if (common.format == Format::json)
    return answer(dump({{"code", meaning.code},
                        {"severity", ses::to_string(meaning.severity)},
                        {"text", meaning.text},
                        {"advice", meaning.advice},
                        {"decided_by", meaning.evidence}},
                       2),
                  kFine);
  auto text = fmt::format("{} ({})\n\n", meaning.code, ses::to_string(meaning.severity));
  text += paragraph(std::string(meaning.text) + ".", "  What it says:  ", "                 ");
  text += paragraph(meaning.advice, "  What to do:    ", "                 ");
  text += paragraph(std::string(meaning.evidence) + ".", "  Decided by:    ", "                 ");
  text +=
      "\nWords in braces are filled in for each message: sesame explain QUEUE-ID. Which messages it decided:\n"
      "sesame tail --code " +
      std::string(meaning.code) + "\n";
  return answer(text, kFine);
}

int explain_nothing(Asked& asked, const std::string& queue_id) {
  const auto period = history::period(*asked.reader);
  if (!period) return complain("explain", period.error());
  const auto kept = period->newest == 0 ? std::string("nothing at all")
                                        : fmt::format("messages from {} to {} UTC", moment_text(period->oldest),
                                                      moment_text(period->newest));
  return complain(fmt::format("explain: no message {} in {}, which holds {}\nit is neither the code of a finding; "
                              "to look for something else: sesame tail --search TEXT",
                              printable(queue_id, 80), asked.store, kept),
                  kBad);
}

std::string json(const Asked& asked, const std::string& queue_id, const std::vector<history::Row>& rows) {
  Json value{{"store", asked.store}, {"queue_id", queue_id}, {"messages", Json::array()}};
  for (const auto& row : rows) {
    auto message = row_json(row);
    message["story"] = story_of(row);
    value["messages"].push_back(std::move(message));
  }
  return dump(value, 2);
}

std::string text(const std::vector<history::Row>& rows) {
  std::string text;
  if (rows.size() > 1) text = fmt::format("{} messages had this queue id, the newest first.\n\n", rows.size());
  for (const auto& row : rows) text += (&row == rows.data() ? "" : "\n\n") + story_text(row);
  return text;
}

}  // namespace

int run_explain(const Common& common, const ExplainArguments& arguments) {
  if (const auto meaning = ses::meaning_of(arguments.queue_id)) return explain_finding(common, *meaning);
  auto asked = ask_history(arguments.history);
  if (!asked) return complain("explain", asked.error());
  const auto rows = history::messages_of(*asked->reader, arguments.queue_id);
  if (!rows) return complain("explain", rows.error());
  if (rows->empty()) return explain_nothing(*asked, arguments.queue_id);
  return answer(common.format == Format::json ? json(*asked, arguments.queue_id, *rows) : text(*rows), kFine);
}

}  // namespace sesame::cli
