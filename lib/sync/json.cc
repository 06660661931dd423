#include "sync/json.h"

namespace sesame::sync {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxMembers = 20000;

}  // namespace

Result<Json> parse_answer(std::string_view text) {
  int members = 0;
  bool excessive = false;
  const auto within = [&members, &excessive](int depth, Json::parse_event_t event, const Json&) {
    if (event == Json::parse_event_t::key) ++members;
    excessive = excessive || depth > kMaxDepth || members > kMaxMembers;
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
