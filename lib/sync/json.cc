#include "sync/json.h"

#include <array>

namespace sesame::sync {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxMembers = 1000;  // of one object: each is looked for among those before it

}  // namespace

Result<Json> parse_answer(std::string_view text) {
  std::array<int, kMaxDepth + 2> members{};  // so far, of the object open at each depth
  bool excessive = false;
  const auto within = [&members, &excessive](int depth, Json::parse_event_t event, const Json&) {
    excessive = excessive || depth > kMaxDepth;
    if (excessive) return false;
    const auto at = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) members[at + 1] = 0;
    if (event == Json::parse_event_t::key) excessive = ++members[at] > kMaxMembers;
    return !excessive;
  };
  auto json = Json::parse(text, within, false);
  if (excessive) return failure("is JSON beyond all bounds");
  if (json.is_discarded()) return failure("is not JSON, or was cut short");
  if (!json.is_object()) return failure("is no JSON object");
  return json;
}

std::string text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace sesame::sync
