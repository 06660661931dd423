#include "watch/chronicle.h"

#include <fmt/format.h>

#include <algorithm>

#include "util/text.h"
#include "watch/record_text.h"

namespace sesame::watch {
namespace {

// Takes the rows over, or keeps the error.
template <class T>
bool take(Result<std::vector<T>> rows, std::vector<T>& into, Result<Chronicle>& chronicle) {
  if (rows)
    into = *std::move(rows);
  else
    chronicle = tl::unexpected(rows.error());
  return rows.has_value();
}

}  // namespace

Result<Chronicle> read_chronicle(const Memory& memory, const std::string& domain, std::int64_t since,
                                 std::int64_t now) {
  Chronicle all;
  all.domain = domain;
  all.since = since;
  all.now = now;
  Result<Chronicle> result = Chronicle{};
  const bool read =
      take(memory.sights(domain), all.sights, result) && take(memory.runs(domain, since), all.runs, result) &&
      take(memory.events(domain, since), all.events, result) &&
      take(memory.notices(domain, since), all.notices, result) &&
      take(memory.silences(domain, since), all.silences, result) &&
      take(memory.blindnesses(domain, since), all.blindnesses, result) && take(memory.states(), all.states, result);
  if (!read) return result;
  std::erase_if(all.states, [&all](const RecordState& state) {
    return std::ranges::none_of(all.sights, [&](const Sight& sight) { return is_of(state.key, sight); });
  });
  return all;
}

std::string server_text(const Observation& observation) {
  if (observation.from_resolver()) return "the resolver of this host";
  if (observation.server.empty()) return printable(observation.address);
  return fmt::format("{} ({})", printable(observation.server), printable(observation.address));
}

std::string question_text(const Observation& observation) {
  return fmt::format("{} {}", dns::to_string(observation.type), printable(observation.name));
}

std::vector<std::vector<const Memory::Event*>> events_together(const Chronicle& chronicle) {
  return grouped(std::span(chronicle.events), [](const Memory::Event& event) {
    const auto& key = event.key;
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", event.time, key.account, key.identity, key.region,
                       to_string(key.part), to_string(event.from), to_string(event.to), event.code,
                       unnamed(event.reason, key.name));
  });
}

std::vector<std::string> names_of(const std::vector<const Memory::Event*>& events) {
  std::vector<std::string> names;
  for (const auto* event : events) names.push_back(event->key.name);
  return names;
}

std::string place_text(const std::string& identity, const std::string& account, const std::string& region) {
  auto text = printable(identity) + " in " + printable(region);
  if (!account.empty()) text += " (account " + printable(account) + ")";
  return text;
}

}  // namespace sesame::watch
