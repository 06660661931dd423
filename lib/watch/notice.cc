#include "watch/notice.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "util/clock.h"
#include "util/text.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

using nlohmann::json;
using Kind = Notice::Kind;

constexpr std::array kKinds = {Kind::change, Kind::reminder,    Kind::silence,  Kind::restored,
                               Kind::digest, Kind::unreachable, Kind::reachable};
// Of one record in the JSON: a domain has hardly more addresses of name servers.
constexpr std::size_t kMaxFaults = 32;
constexpr std::size_t kMaxText = 512;

// What came from DNS is printable already; what did not is made so, for whoever reads it in a terminal.
std::string safe(const std::string& text) {
  return printable(text, kMaxText);
}

void add_time(json& object, const char* name, const std::optional<std::int64_t>& time) {
  if (time) object[name] = timestamp(*time);
}

json to_object(const ses::ServerFault& fault) {
  return {{"server", safe(fault.server)},  {"name", safe(fault.name)},     {"type", dns::to_string(fault.type)},
          {"answer", safe(fault.answer)},  {"transport", fault.transport}, {"first", timestamp(fault.first)},
          {"last", timestamp(fault.last)}, {"count", fault.count}};
}

json to_object(const Change& change) {
  const auto& after = change.after;
  json object = {{"part", to_string(after.key.part)},    {"name", safe(after.key.name)},
                 {"identity", safe(after.key.identity)}, {"from", to_string(change.before.state)},
                 {"to", to_string(after.state)},         {"since", timestamp(after.since)}};
  if (!after.code.empty()) object["code"] = after.code;
  if (!after.reason.empty()) object["reason"] = safe(after.reason);
  add_time(object, "first_bad", after.first_bad);
  add_time(object, "missing_since", after.missing_since);
  auto faults = json::array();
  for (std::size_t i = 0; i < std::min(after.faults.size(), kMaxFaults); ++i)
    faults.push_back(to_object(after.faults[i]));
  if (!faults.empty()) object["faults"] = std::move(faults);
  return object;
}

json to_object(const Deadline& deadline) {
  json object = {{"kind", to_string(deadline.kind)}, {"earliest", timestamp(deadline.earliest)}};
  if (deadline.latest) object["latest"] = timestamp(*deadline.latest);
  return object;
}

}  // namespace

const char* to_string(Notice::Kind kind) {
  switch (kind) {
    case Kind::change:
      return "change";
    case Kind::reminder:
      return "reminder";
    case Kind::silence:
      return "silence";
    case Kind::restored:
      return "restored";
    case Kind::digest:
      return "digest";
    case Kind::unreachable:
      return "unreachable";
    case Kind::reachable:
      break;
  }
  return "reachable";
}

std::optional<Notice::Kind> parse_kind(std::string_view word) {
  const auto found = std::ranges::find(kKinds, word, [](Kind kind) { return std::string_view(to_string(kind)); });
  return found == kKinds.end() ? std::nullopt : std::optional(*found);
}

std::string to_json(const Notice& notice) {
  json object = {{"kind", to_string(notice.kind)},
                 {"time", timestamp(notice.time)},
                 {"title", notice.title},
                 {"text", notice.text},
                 {"identities", notice.identities}};
  if (!notice.account.empty()) object["account"] = safe(notice.account);
  if (!notice.identity.empty()) object["identity"] = safe(notice.identity);
  if (!notice.region.empty()) object["region"] = safe(notice.region);
  if (!notice.changes.empty()) {
    // A digest of thousands is no object that anything reads: it names as many as its text, and counts the others.
    const auto named = notice.kind == Kind::digest ? std::min(notice.changes.size(), kNamed) : notice.changes.size();
    auto changes = json::array();
    for (std::size_t i = 0; i < named; ++i) changes.push_back(to_object(notice.changes[i]));
    object["changes"] = std::move(changes);
    object["changes_total"] = notice.changes.size();
  }
  if (notice.deadline) object["deadline"] = to_object(*notice.deadline);
  // Whatever is no UTF-8 is replaced, and all beyond ASCII escaped.
  return object.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace sesame::watch
