#include "sync/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "util/clock.h"
#include "util/file.h"

namespace sesame::sync {
namespace {

constexpr std::size_t kMaxFile = 256u << 20;
constexpr int kVersion = 1;

bool is_part(const Json& part, const std::string& account, const std::string& region) {
  return part.is_object() && text_of(part, "account") == account && text_of(part, "region") == region;
}

const Json* dkim_of(const Json* identity) {
  const auto* answer = identity ? object_in(*identity, "GetEmailIdentity") : nullptr;
  return answer ? object_in(*answer, "DkimAttributes") : nullptr;
}

std::string status_of(const Json* identity) {
  const auto* dkim = dkim_of(identity);
  return dkim ? text_of(*dkim, "Status") : "";
}

// The first of these members of an identity that tells a time.
Json time_of(const Json& identity, std::initializer_list<const char*> members) {
  for (const auto* member : members)
    if (auto time = text_of(identity, member); !time.empty()) return time;
  return nullptr;
}

std::vector<std::string> tokens_of(const Json& signing) {
  std::vector<std::string> found;
  const auto tokens = signing.find("Tokens");
  if (tokens != signing.end() && tokens->is_array())
    for (const auto& token : *tokens)
      if (token.is_string()) found.push_back(token.get<std::string>());
  std::ranges::sort(found);
  return found;
}

constexpr const char* kOrigin = "SigningAttributesOrigin";

// How mail of an identity is signed as it was last told: what an answer left out, "signing" keeps of those before.
Json signing_of(const Json& identity) {
  Json signing = Json::object();
  for (const auto* source : {dkim_of(&identity), object_in(identity, "signing")}) {
    if (!source) continue;
    if (!signing.contains(kOrigin) && !text_of(*source, kOrigin).empty()) signing[kOrigin] = text_of(*source, kOrigin);
    if (!signing.contains("Tokens") && !tokens_of(*source).empty()) signing["Tokens"] = source->at("Tokens");
  }
  return signing;
}

// What is not told is no change.
bool differ(const Json& before, const Json& after) {
  const auto both = [&](const char* member) { return before.contains(member) && after.contains(member); };
  return (both(kOrigin) && before[kOrigin] != after[kOrigin]) ||
         (both("Tokens") && tokens_of(before) != tokens_of(after));
}

// Since when the status of DKIM is what it is; null when the answer names none.
Json status_since(const Json& identity, const Json* before) {
  const auto status = status_of(&identity);
  if (status.empty()) return nullptr;
  auto since = status_of(before) == status ? time_of(*before, {"status_since", "fetched"}) : Json();
  return since.is_null() ? identity["fetched"] : since;
}

// When the status of DKIM was last SUCCESS; null when that is now, or was not seen.
Json last_success(const Json& identity, const Json& before) {
  if (status_of(&identity) == "SUCCESS") return nullptr;
  return status_of(&before) == "SUCCESS" ? time_of(before, {"fetched"}) : time_of(before, {"last_success"});
}

// What is remembered of the answers before this one.
void remember(Json& identity, const Json& before) {
  const auto now = signing_of(identity), was = signing_of(before);
  if (!differ(was, now)) {
    auto known = was;
    known.update(now);
    if (known.size() > now.size()) identity["signing"] = std::move(known);
    // A success tells of the set-up there was.
    if (auto success = last_success(identity, before); !success.is_null()) identity["last_success"] = success;
    if (before.contains("former")) identity["former"] = before["former"];
  } else if (was.contains(kOrigin)) {
    identity["former"] = was;
    identity["former"]["until"] = identity["fetched"];
  }
}

}  // namespace

Document::Document() : root_{{"version", kVersion}, {"regions", Json::array()}} {}

Result<Document> Document::load(const std::string& path) {
  const auto text = read_file(path, kMaxFile);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return Document();
  return parse(**text, path);
}

Result<Document> Document::parse(std::string_view text, const std::string& name) {
  Document document;
  document.root_ = Json::parse(text, nullptr, false);
  const auto wrong = [&name](const std::string& what) {
    return failure(fmt::format("{}: {}; move it away, or name another file", name, what));
  };
  auto& root = document.root_;
  if (!root.is_object()) return wrong("is no snapshot: it is not JSON, or was cut short");
  if (root.value("version", Json()) != kVersion) return wrong(fmt::format("is no snapshot of version {}", kVersion));
  if (!root.contains("regions") || !root["regions"].is_array()) return wrong("is no snapshot: it has no \"regions\"");
  return document;
}

const Json* Document::part(const std::string& account, const std::string& region) const {
  const auto& parts = root_["regions"];
  const auto found = std::ranges::find_if(parts, [&](const Json& each) { return is_part(each, account, region); });
  return found == parts.end() ? nullptr : &*found;
}

Json& Document::identities(const std::string& account, const std::string& region) {
  auto& parts = root_["regions"];
  return (*std::ranges::find_if(parts, [&](const Json& each) { return is_part(each, account, region); }))["identities"];
}

void Document::put(Json part) {
  auto& parts = root_["regions"];
  const auto account = text_of(part, "account"), region = text_of(part, "region");
  const auto found = std::ranges::find_if(parts, [&](const Json& each) { return is_part(each, account, region); });
  if (found == parts.end())
    parts.push_back(std::move(part));
  else
    *found = std::move(part);
}

void Document::drop(const std::string& account, const std::string& region) {
  Json kept = Json::array();
  for (auto& each : root_["regions"])
    if (!is_part(each, account, region)) kept.push_back(std::move(each));
  root_["regions"] = std::move(kept);
}

std::string Document::text() const {
  return root_.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

ByName identities_by_name(const Json* part) {
  ByName found;
  const auto identities = part ? part->find("identities") : Json::const_iterator();
  if (!part || identities == part->end() || !identities->is_array()) return found;
  for (const auto& each : *identities)
    if (each.is_object())
      if (auto name = text_of(each, "IdentityName"); !name.empty()) found.emplace(std::move(name), &each);
  return found;
}

const Json* object_in(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

Json make_identity(const std::string& name, Json answer, const Json* before, std::int64_t now) {
  Json identity{{"IdentityName", name}, {"fetched", timestamp(now)}};
  identity["GetEmailIdentity"] = std::move(answer);
  if (auto since = status_since(identity, before); !since.is_null()) identity["status_since"] = std::move(since);
  if (before) remember(identity, *before);
  return identity;
}

}  // namespace sesame::sync
