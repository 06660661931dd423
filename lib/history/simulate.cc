// The messages of the past under another policy.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <tuple>

#include "history/condition.h"

namespace sesame::history {
namespace {

constexpr std::size_t kMaxSamples = 200;  // lines for which a message is named

// Mail whose policy was not applied for the word of a forwarder: the sums by the hour do not tell of which.
constexpr const char* kVouched = "direction = 'inbound' AND verdict = 'fail' AND disposition = ''";

// Messages that are alike in that.
struct Group {
  std::string direction, from_domain, verdict, disposition, forwarder, action, code;
  std::uint64_t messages = 0;
  std::int64_t hour = 0;  // that has the newest of them, unix seconds
};

// The enumerator with this word; the first where there is none.
template <class T>
T parse_word(const std::string& word, std::initializer_list<T> all) {
  const auto at = std::ranges::find_if(all, [&word](T each) { return word == to_string(each); });
  return at == all.end() ? *all.begin() : *at;
}

policy::Case case_of(const Group& group, const policy::Rules& rules) {
  using enum policy::Direction;
  policy::Case message;
  message.direction = parse_word(group.direction, {ignored, outbound, inbound});
  message.from_domain = group.from_domain;
  if (message.direction == outbound) {
    using enum ses::Verdict;
    message.predicted = parse_word(group.verdict, {unknown, pass, fail, none, refused});
  }
  if (message.direction == inbound) {
    using enum dmarc::Result;
    message.dmarc = parse_word(group.verdict, {none, pass, fail, temperror, permerror});
  }
  message.disposition =
      parse_word(group.disposition, {dmarc::Policy::none, dmarc::Policy::quarantine, dmarc::Policy::reject});
  // Whom one believed then, one need not believe now.
  if (std::ranges::find(rules.trusted_sealers, group.forwarder) != rules.trusted_sealers.end())
    message.trusted_forwarder = group.forwarder;
  return message;
}

using Take = std::function<void(const Group&)>;

Group group_of(const Cells& cells) {
  return {cells.text(0),  cells.text(1), cells.text(2), cells.text(3),
          cells.text(4),  cells.text(5), cells.text(6), static_cast<std::uint64_t>(cells.number(7)),
          cells.number(8)};
}

Result<void> each_summed(Reader& reader, const Scope& scope, const Take& take) {
  Condition condition;
  condition.within_hours(scope);
  condition.add(fmt::format("NOT ({})", kVouched));
  return reader.ask(
      "SELECT direction, from_domain, verdict, disposition, '', action, code, CAST(SUM(messages) AS BIGINT), MAX(hour)"
      " FROM sesame_hour" +
          condition.sql() + " GROUP BY direction, from_domain, verdict, disposition, action, code",
      condition.parameters(), [&take](const Cells& cells) { take(group_of(cells)); });
}

Result<bool> has_vouched(Reader& reader, const Scope& scope) {
  Condition condition;
  condition.within_hours(scope);
  condition.add(kVouched);
  bool found = false;
  const auto asked = reader.ask("SELECT hour FROM sesame_hour" + condition.sql() + " LIMIT 1", condition.parameters(),
                                [&found](const Cells&) { found = true; });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

// One by one, in the same hours.
Result<void> each_vouched(Reader& reader, Scope scope, const Take& take) {
  scope.since = hour_of(scope.since);
  scope.until = hour_of(scope.until);
  Condition condition;
  condition.within(scope);
  condition.add("direction = 'inbound' AND verdict = 'fail' AND forwarder <> ''");
  return reader.ask(
      "SELECT direction, from_domain, verdict, disposition, forwarder, action, code, COUNT(*), MAX(time)"
      " FROM sesame_message" +
          condition.sql() + " GROUP BY direction, from_domain, verdict, disposition, forwarder, action, code",
      condition.parameters(), [&take](const Cells& cells) {
        auto group = group_of(cells);
        group.hour = hour_of(group.hour / 1'000'000);
        take(group);
      });
}

Result<void> each_group(Reader& reader, const Scope& scope, const Take& take) {
  if (auto asked = each_summed(reader, scope, take); !asked) return asked;
  const auto vouched = has_vouched(reader, scope);
  if (!vouched) return tl::unexpected(vouched.error());
  return *vouched ? each_vouched(reader, scope, take) : Result<void>{};
}

// Names the newest message of the group.
Result<void> add_sample(Reader& reader, const Group& group, Simulated::Line& line) {
  Condition condition;
  condition.within({group.hour, group.hour + kHour, "", "", ""});
  const std::pair<const char*, const std::string&> same[] = {{"direction", group.direction},
                                                             {"from_domain", group.from_domain},
                                                             {"verdict", group.verdict},
                                                             {"disposition", group.disposition},
                                                             {"forwarder", group.forwarder},
                                                             {"action", group.action},
                                                             {"code", group.code}};
  for (const auto& [column, text] : same) condition.add(column + (" = " + condition.mark(text)));
  return reader.ask("SELECT queue_id, why FROM sesame_message" + condition.sql() + " ORDER BY time DESC LIMIT 1",
                    condition.parameters(), [&line](const Cells& cells) {
                      line.queue_id = cells.text(0);
                      line.why = cells.text(1);
                    });
}

struct Changed {
  Simulated::Line line;
  Group newest;  // of those that the line counts
};

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;

void count(std::map<Key, Changed>& changed, const Group& group, const char* after) {
  auto& [line, newest] = changed[{group.from_domain, group.direction, group.action, after, group.code}];
  const auto messages = line.messages + group.messages;
  line = {group.from_domain, group.direction, group.action, after, group.code, messages, "", ""};
  if (newest.hour <= group.hour) newest = group;
}

}  // namespace

Result<Simulated> simulate(Reader& reader, const Scope& scope, const policy::Rules& rules) {
  Simulated simulated;
  std::map<Key, Changed> changed;
  auto asked = each_group(reader, scope, [&](const Group& group) {
    simulated.messages += group.messages;
    (group.direction == "outbound" ? simulated.outbound : simulated.inbound) += group.messages;
    const auto* after = policy::to_string(policy::choose(case_of(group, rules), rules));
    if (after != group.action) count(changed, group, after);
  });
  if (!asked) return tl::unexpected(asked.error());
  std::vector<Changed> lines;
  for (auto& [key, each] : changed) lines.push_back(std::move(each));
  std::ranges::stable_sort(lines, std::ranges::greater(), [](const Changed& each) { return each.line.messages; });
  for (auto& each : lines) {
    if (simulated.changed.size() < kMaxSamples) {
      asked = add_sample(reader, each.newest, each.line);
      if (!asked) return tl::unexpected(asked.error());
    }
    simulated.changed.push_back(std::move(each.line));
  }
  return simulated;
}

}  // namespace sesame::history
