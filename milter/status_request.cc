#include "milter/status_request.h"

#include <algorithm>

#include "util/base64.h"
#include "util/ip.h"
#include "util/text.h"

namespace sesame::milter {
namespace {

constexpr std::size_t kMaxFields = 100;

bool is_field_name(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() &&
         std::ranges::all_of(name, [&](char c) { return is_alnum(c) || kOthers.find(c) != kOthers.npos; });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f); });
}

// The time it takes tells nothing of the secret.
bool is_secret(std::string_view presented, std::string_view secret) {
  if (secret.empty()) return false;
  unsigned char different = presented.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < presented.size(); ++i)
    different = static_cast<unsigned char>(different | (presented[i] ^ secret[i % secret.size()]));
  return different == 0;
}

// RFC 9110 Section 7.2: a host and perhaps a port.
bool is_local_host(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == host.npos) return false;
    const auto rest = host.substr(end + 1);
    return IpAddress::parse(host.substr(1, end - 1)).has_value() && (rest.empty() || rest.front() == ':');
  }
  host = host.substr(0, host.find(':'));
  return iequals(host, "localhost") || IpAddress::parse(host).has_value();
}

// RFC 6750 Section 2.1, RFC 7617 Section 2: the token itself, or as the password of whatever user.
bool knows(std::string_view credentials, std::string_view token) {
  const auto space = credentials.find(' ');
  if (space == credentials.npos) return false;
  const auto scheme = credentials.substr(0, space);
  const auto value = trim(credentials.substr(space));
  if (iequals(scheme, "Bearer")) return is_secret(value, token);
  if (!iequals(scheme, "Basic")) return false;
  const auto decoded = base64_decode(value);
  if (!decoded) return false;
  const std::string pair(decoded->begin(), decoded->end());
  const auto colon = pair.find(':');
  return colon != pair.npos && is_secret(std::string_view(pair).substr(colon + 1), token);
}

}  // namespace

std::optional<std::string_view> RequestHead::only(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : fields) {
    if (!iequals(key, name)) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

bool RequestHead::has(std::string_view name) const {
  return std::ranges::any_of(fields, [&](const auto& field) { return iequals(field.first, name); });
}

// RFC 9112 Sections 2.2, 5 and 5.1
std::optional<RequestHead> parse_head(std::string_view text) {
  RequestHead head;
  bool is_first = true;
  while (true) {
    const auto end = text.find("\r\n");
    if (end == text.npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (!is_visible(line)) return std::nullopt;
    if (is_first) {
      head.line = line;
      is_first = false;
      continue;
    }
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == line.npos || !is_field_name(line.substr(0, colon)) || head.fields.size() == kMaxFields)
      return std::nullopt;
    head.fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return text.empty() ? std::optional(head) : std::nullopt;
}

Admission admit(const RequestHead& head, const Access& access) {
  switch (access.rule) {
    case Access::Rule::anybody:
      return Admission::granted;
    case Access::Rule::local:
      return is_local_host(head.only("Host").value_or("")) ? Admission::granted : Admission::wrong_host;
    case Access::Rule::token:
      return knows(head.only("Authorization").value_or(""), access.token) ? Admission::granted
                                                                          : Admission::unknown_client;
    case Access::Rule::nobody:
      break;
  }
  return Admission::unknown_client;
}

}  // namespace sesame::milter
