#include "bench/tally.h"

#include <algorithm>
#include <cmath>

#include "util/text.h"

namespace sesame::bench {
namespace {

using json = nlohmann::json;

constexpr std::size_t kShownWrong = 5;

std::string action_of(char command) {
  switch (command) {
    case 'h':
      return "add";
    case 'i':
      return "insert";
    case 'm':
      return "change";
    case 'q':
      return "quarantine";
    case 'b':
      return "replace body";
    default:
      return std::string("packet ") + command;
  }
}

std::string answer_of(char command) {
  switch (command) {
    case 'c':
      return "continue";
    case 'a':
      return "accept";
    case 'r':
      return "reject";
    case 't':
      return "tempfail";
    case 'd':
      return "discard";
    case 'y':
      return "reply";
    default:
      return std::string("packet ") + command;
  }
}

json quantiles(std::vector<float> values) {
  std::ranges::sort(values);
  const auto at = [&](double share) {
    const auto last = static_cast<double>(values.size() - 1);
    return values.empty() ? 0 : std::lround(values[static_cast<std::size_t>(share * last)]);
  };
  return {{"p50", at(0.5)}, {"p95", at(0.95)}, {"p99", at(0.99)}, {"max", at(1)}};
}

bool is_result(const Edit& edit) {
  return (edit.command == 'h' || edit.command == 'i') && iequals(edit.name, "Authentication-Results");
}

}  // namespace

// A message that comes again with the same fields needs no second reading.
const Tally::Seen& Tally::judge(const Transaction& transaction) {
  std::string fields;
  std::vector<std::string> values;
  for (const auto& edit : transaction.edits)
    if (is_result(edit)) {
      fields += edit.value + '\n';
      values.push_back(edit.value);
    }
  auto& seen = seen_[transaction.mail];
  if (!seen.fields.empty() && seen.fields == fields) return seen;
  seen.fields = std::move(fields);
  seen.verdict = verdict_of(values);
  seen.wrong = differences(transaction.mail->row().expected, seen.verdict);
  return seen;
}

void Tally::add(const Transaction& transaction) {
  ++messages_;
  octets_ += transaction.octets;
  whole_us_.push_back(static_cast<float>(transaction.whole_us));
  end_us_.push_back(static_cast<float>(transaction.end_us));
  ++answers_[answer_of(transaction.answer)];
  for (const auto& edit : transaction.edits) ++actions_[describe(edit)];
  const auto& seen = judge(transaction);
  ++(seen.wrong.empty() ? right_ : wrong_);
  for (const auto& method : seen.wrong) ++wrong_methods_[method];
  if (seen.wrong.empty() || first_wrong_.size() >= kShownWrong) return;
  const auto& row = transaction.mail->row();
  const auto& expected = row.expected;
  first_wrong_.push_back({{"file", row.file},
                          {"methods", seen.wrong},
                          {"expected", {{"spf", expected.spf}, {"dkim", expected.dkim}, {"dmarc", expected.dmarc}}},
                          {"authentication_results", seen.fields}});
}

json Tally::json(double seconds) const {
  return {{"messages", messages_},
          {"seconds", seconds},
          {"messages_per_second", seconds > 0 ? static_cast<double>(messages_) / seconds : 0},
          {"octets", octets_},
          {"latency_us", quantiles(whole_us_)},
          {"end_of_message_us", quantiles(end_us_)},
          {"answers", answers_},
          {"actions", actions_},
          {"connections_lost", lost_},
          {"expected",
           {{"right", right_}, {"wrong", wrong_}, {"wrong_methods", wrong_methods_}, {"first_wrong", first_wrong_}}}};
}

std::string Tally::verdicts() const {
  std::map<std::string, const Verdict*> sorted;
  for (const auto& [mail, seen] : seen_) sorted[mail->row().file] = &seen.verdict;
  std::string text = "file\tspf\tdkim\tdmarc\n";
  for (const auto& [file, verdict] : sorted)
    text += file + '\t' + verdict->spf + '\t' + verdict->dkim + '\t' + verdict->dmarc + '\n';
  return text;
}

std::string describe(const Edit& edit) {
  return edit.name.empty() ? action_of(edit.command) : action_of(edit.command) + " " + edit.name;
}

json to_json(const Transaction& transaction) {
  auto actions = json::array();
  for (const auto& edit : transaction.edits)
    actions.push_back({{"stage", edit.stage},
                       {"action", action_of(edit.command)},
                       {"index", edit.index},
                       {"name", edit.name},
                       {"value", edit.value}});
  return {{"file", transaction.mail->row().file}, {"answer", answer_of(transaction.answer)}, {"actions", actions}};
}

}  // namespace sesame::bench
