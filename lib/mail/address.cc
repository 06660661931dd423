#include "mail/address.h"

#include <fmt/format.h>

#include <algorithm>

#include "mail/address_parser.h"
#include "util/text.h"

namespace sesame::mail {
namespace {

constexpr std::size_t kDomainsShown = 5;

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// RFC 5322 Section 2.2.3. The line end of a fold may have been cut to LF on its way through the MTA. Control octets,
// which Section 4.1 once allowed, are refused: readers differ on what they mean.
Result<std::string> unfold(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto end = value.substr(i).starts_with("\r\n") ? i + 2 : value[i] == '\n' ? i + 1 : i;
    if (end != i && end < value.size() && is_wsp(value[end])) {
      i = end - 1;
      continue;
    }
    if (is_control(value[i]))
      return failure(fmt::format("control octet 0x{:02x} at octet {}", static_cast<unsigned char>(value[i]), i + 1));
    text += value[i];
  }
  return text;
}

// The local part of an envelope address up to "@": the quoted form of RFC 5321 Section 4.1.2, or anything else that
// needs no quotes. Dots are not looked at: addresses with dots in odd places are in use.
std::optional<std::string> take_path_local(std::string_view& path) {
  std::string local;
  if (!path.starts_with('"')) {
    const auto at = path.find('@');
    if (at == std::string_view::npos || at == 0) return std::nullopt;
    local = path.substr(0, at);
    path.remove_prefix(at + 1);
    const bool plain = local.find_first_of(" \t()<>[]:;,\\\"") == std::string::npos;
    return plain ? std::optional(local) : std::nullopt;
  }
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '"') {
      if (!path.substr(i + 1).starts_with('@')) return std::nullopt;
      path.remove_prefix(i + 2);
      return local;
    }
    if (path[i] == '\\' && ++i == path.size()) return std::nullopt;
    local += path[i];
  }
  return std::nullopt;
}

// RFC 5321 Section 4.1.2 and Appendix C: A-d-l, to be accepted and ignored.
bool skip_source_route(std::string_view& path) {
  if (!path.starts_with('@')) return true;
  const auto colon = path.find(':');
  if (colon == std::string_view::npos) return false;
  for (const auto hop : split(path.substr(0, colon), ','))
    if (!hop.starts_with('@') || !to_ascii_domain(hop.substr(1))) return false;
  path.remove_prefix(colon + 1);
  return true;
}

std::string list_domains(const std::vector<std::string>& domains) {
  const auto shown = std::min(domains.size(), kDomainsShown);
  const std::vector<std::string> first(domains.begin(), domains.begin() + static_cast<std::ptrdiff_t>(shown));
  return join(first, ", ") + (shown < domains.size() ? ", ..." : "");
}

bool hides_from(const Field& field) {
  bool found = false;
  for_each_hidden_field(field, [&](const Field& hidden) { found = found || is_named(hidden, "From"); });
  return found;
}

std::string problem_of(const Author& author, const std::string& parse_error) {
  if (author.fields == 0) return "no From field";
  if (author.fields > 1) return fmt::format("{} From fields", author.fields);
  if (!parse_error.empty()) return "From cannot be parsed: " + parse_error;
  if (author.domains.empty()) return "From has no address";
  if (author.domains.size() > 1)
    return fmt::format("From has {} domains ({})", author.domains.size(), list_domains(author.domains));
  return "";
}

}  // namespace

std::optional<Mailbox> parse_path(std::string_view path) {
  if (std::ranges::any_of(path, is_control) || !skip_source_route(path)) return std::nullopt;
  auto local = take_path_local(path);
  if (!local) return std::nullopt;
  auto domain = to_ascii_domain(path);
  if (!domain) return std::nullopt;
  return Mailbox{*std::move(local), *std::move(domain)};
}

Result<std::vector<Mailbox>> parse_mailboxes(std::string_view field_value) {
  const auto text = unfold(field_value);
  if (!text) return tl::unexpected(text.error());
  return AddressParser(*text).address_list();
}

// RFC 9989 Section 5.3.1. Neither Sender nor a Resent field ever stands in for From.
Author find_author(std::span<const Field> fields) {
  Author author;
  std::string parse_error;
  bool hidden = false, garbled = false;
  for (const auto& field : fields) {
    hidden = hidden || hides_from(field);
    if (!is_named(field, "From")) continue;
    ++author.fields;
    garbled = garbled || !unfold(field.value);
    if (author.mailboxes.size() >= kMaxMailboxes) continue;
    auto mailboxes = parse_mailboxes(field.value);
    if (!mailboxes) {
      parse_error = mailboxes.error().message;
      continue;
    }
    for (auto& mailbox : *mailboxes) {
      if (std::ranges::find(author.domains, mailbox.domain) == author.domains.end())
        author.domains.push_back(mailbox.domain);
      author.mailboxes.push_back(std::move(mailbox));
    }
  }
  author.problem = hidden ? "a From field hides behind a CR or LF alone" : problem_of(author, parse_error);
  author.contested = (hidden || garbled) && author.fields <= 1 && author.domains.size() <= 1;
  return author;
}

}  // namespace sesame::mail
