#include "sync/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sync/file.h"
#include "util/clock.h"

namespace sesame::sync {
namespace {

constexpr std::size_t kMaxFile = 256u << 20;
constexpr int kVersion = 1;

bool is_part(const Json& part, const std::string& account, const std::string& region) {
  return part.is_object() && text_of(part, "account") == account && text_of(part, "region") == region;
}

// How mail of an identity is signed: what a change of set-up changes.
struct Signing {
  std::string origin;
  std::vector<std::string> tokens;  // in alphabetical order
  bool operator==(const Signing&) const = default;
};

Signing signing_of(const Json& dkim) {
  Signing signing{.origin = text_of(dkim, "SigningAttributesOrigin"), .tokens = {}};
  const auto tokens = dkim.find("Tokens");
  if (tokens != dkim.end() && tokens->is_array())
    for (const auto& token : *tokens)
      if (token.is_string()) signing.tokens.push_back(token.get<std::string>());
  std::ranges::sort(signing.tokens);
  return signing;
}

// Since when the status of DKIM is what it is; null when the answer names none.
Json status_since(const Json* dkim, const Json* before, std::int64_t now) {
  const auto status = dkim ? text_of(*dkim, "Status") : "";
  if (status.empty()) return nullptr;
  const auto* answer_before = before ? object_in(*before, "GetEmailIdentity") : nullptr;
  const auto* dkim_before = answer_before ? object_in(*answer_before, "DkimAttributes") : nullptr;
  if (!dkim_before || text_of(*dkim_before, "Status") != status) return timestamp(now);
  for (const auto* member : {"status_since", "fetched"})
    if (const auto since = text_of(*before, member); !since.empty()) return since;
  return timestamp(now);
}

// How the identity was set up before; null when that is not known.
Json former(const Json* dkim, const Json* before, std::int64_t now) {
  if (!before) return nullptr;
  const auto* answer_before = object_in(*before, "GetEmailIdentity");
  const auto* dkim_before = answer_before ? object_in(*answer_before, "DkimAttributes") : nullptr;
  const auto carried = before->value("former", Json(nullptr));
  if (!dkim || !dkim_before) return carried;
  const auto was = signing_of(*dkim_before);
  if (was == signing_of(*dkim) || was == Signing{}) return carried;
  return {{"SigningAttributesOrigin", was.origin},
          {"Tokens", dkim_before->value("Tokens", Json::array())},
          {"until", timestamp(now)}};
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
  const auto* dkim = object_in(answer, "DkimAttributes");
  auto since = status_since(dkim, before, now);
  auto was = former(dkim, before, now);
  Json identity{{"IdentityName", name}, {"fetched", timestamp(now)}};
  identity["GetEmailIdentity"] = std::move(answer);
  if (!since.is_null()) identity["status_since"] = std::move(since);
  if (!was.is_null()) identity["former"] = std::move(was);
  return identity;
}

}  // namespace sesame::sync
