#include "config/type.h"

#include <fmt/core.h>
#include <sys/un.h>

#include <algorithm>

#include "dns/name.h"
#include "dns/server.h"
#include "http/http.h"
#include "mail/address.h"
#include "ses/identity.h"
#include "util/ip.h"
#include "util/text.h"

namespace sesame::config {
namespace {

using Canonical = std::optional<std::string>;

// Accepts what the predicate holds for, as it is written.
template <class Predicate>
Type text(const std::string& expected, Predicate accepts) {
  return {
      .shape = Type::Shape::text, .expected = expected, .canonical = [accepts](std::string_view value) -> Canonical {
        return accepts(value) ? Canonical(value) : std::nullopt;
      }};
}

bool all_of(std::string_view value, bool (*accepts)(char)) {
  return !value.empty() && std::ranges::all_of(value, accepts);
}

bool is_word_char(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

bool is_atom_char(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
}

bool is_path(std::string_view value) {
  return value.size() > 1 && value.front() == '/' && value.find('\0') == std::string_view::npos;
}

bool is_port(std::string_view value) {
  const auto port = parse_number(value);
  return port && *port >= 1 && *port <= 65535;
}

// Without a fraction where there is none: "25", "0.1".
std::string figure(double value) {
  return value == static_cast<double>(static_cast<std::int64_t>(value))
             ? fmt::format("{}", static_cast<std::int64_t>(value))
             : fmt::format("{}", value);
}

}  // namespace

bool is_private(std::string_view listen) {
  if (listen.empty() || listen.starts_with("unix:")) return true;
  const auto server = dns::parse_server(listen);
  if (!server) return false;
  const auto address = server->address.unmapped();
  return address.is_v4() ? address.octets()[0] == 127 : address == IpAddress::parse("::1");
}

bool is_milter_socket(std::string_view value) {
  constexpr std::string_view kUnix = "unix:";
  if (value.starts_with(kUnix)) {
    const auto path = value.substr(kUnix.size());
    return is_path(path) && path.size() < sizeof(sockaddr_un::sun_path);
  }
  const auto colon = value.find(':');
  const auto at = value.find('@');
  if (colon == std::string_view::npos || at == std::string_view::npos || at < colon) return false;
  const auto family = value.substr(0, colon);
  const auto host = value.substr(at + 1);
  if (!is_port(value.substr(colon + 1, at - colon - 1))) return false;
  const auto address = IpAddress::parse(host);
  if (family == "inet") return address ? address->is_v4() : dns::is_hostname(host);
  return family == "inet6" && (address ? !address->is_v4() : dns::is_hostname(host));
}

Type boolean() {
  return {.shape = Type::Shape::boolean, .expected = "true or false", .canonical = {}};
}

Type integer(double least, double most) {
  return {.shape = Type::Shape::integer,
          .expected = "an integer from " + figure(least) + " to " + figure(most),
          .least = least,
          .most = most,
          .canonical = {}};
}

Type number(double least, double most) {
  return {.shape = Type::Shape::number,
          .expected = "a number from " + figure(least) + " to " + figure(most),
          .least = least,
          .most = most,
          .canonical = {}};
}

Type word(const std::vector<std::string>& words) {
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i)
    expected += (i == 0 ? "\"" : i + 1 == words.size() ? " or \"" : ", \"") + words[i] + "\"";
  return text(expected, [words](std::string_view value) { return std::ranges::find(words, value) != words.end(); });
}

Type list_of(const Type& element) {
  auto type = element;
  type.shape = Type::Shape::list;
  type.expected = "a list, each item " + element.expected;
  return type;
}

Type authserv_id() {
  return text("a name such as \"mail.example.com\", without spaces and specials",
              [](std::string_view value) { return all_of(value, is_token_char); });
}

Type user_name() {
  return text("the name of a user of this system, or \"\"",
              [](std::string_view value) { return value.empty() || all_of(value, is_word_char); });
}

Type daemon_name() {
  return text("a {daemon_name} of the MTA",
              [](std::string_view value) { return all_of(value, [](char c) { return c >= ' ' && c < 0x7f; }); });
}

Type milter_socket() {
  return text("\"inet:PORT@HOST\", \"inet6:PORT@HOST\" or \"unix:/PATH\"", is_milter_socket);
}

Type dns_server() {
  return text("an address or ADDRESS:PORT, such as \"192.0.2.1:53\" or \"[2001:db8::1]:53\"",
              [](std::string_view value) { return dns::parse_server(value).has_value(); });
}

Type log_destination() {
  return text("\"stderr\", \"syslog\" or the absolute path of a file",
              [](std::string_view value) { return value == "stderr" || value == "syslog" || is_path(value); });
}

Type history_store() {
  return text("the absolute path of a file, a postgresql:// URL, or \"\"", [](std::string_view value) {
    return value.empty() || is_path(value) || history::is_postgresql(std::string(value));
  });
}

Type status_listen() {
  constexpr std::string_view kUnix = "unix:";
  return text("ADDRESS:PORT such as \"127.0.0.1:8895\" or \"[::1]:8895\", \"unix:/PATH\", or \"\"",
              [](std::string_view value) {
                if (value.empty()) return true;
                if (value.starts_with(kUnix)) return is_milter_socket(value);
                // A port must stand there, which a DNS server may leave out.
                const auto colon = value.rfind(':');
                if (colon == std::string_view::npos || !is_port(value.substr(colon + 1))) return false;
                return dns::parse_server(value).has_value();
              });
}

Type path() {
  return text("the absolute path of a file, or \"\"",
              [](std::string_view value) { return value.empty() || is_path(value); });
}

Type argument() {
  return text("one argument, without control characters", [](std::string_view value) {
    return all_of(value, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  });
}

Type mailbox_or_empty() {
  return {.shape = Type::Shape::text,
          .expected = "an address such as \"postmaster@example.com\", or \"\"",
          .canonical = [](std::string_view value) -> Canonical {
            if (value.empty()) return "";
            // RFC 5322 Section 3.2.3: what needs quotes is for no one to read alerts at.
            const auto local = value.substr(0, value.rfind('@'));
            if (local.starts_with('.') || local.ends_with('.') || local.find("..") != std::string_view::npos ||
                !all_of(local, is_atom_char))
              return std::nullopt;
            const auto name = ses::canonical_name(value);
            return name && name->find('@') != std::string::npos ? name : std::nullopt;
          }};
}

Type url_or_empty() {
  return text("a URL that begins with https:// or http://, or \"\"", [](std::string_view value) {
    if (value.empty()) return true;
    const auto is_plain = [](char c) { return c > ' ' && c <= '~'; };
    // libcurl reads what follows a third slash as the host.
    if (!std::ranges::all_of(value, is_plain) || value.find(":///") != std::string_view::npos) return false;
    const auto url = http::parse_url(std::string(value));
    return url && (url->scheme == "https" || url->scheme == "http") && !url->host.empty();
  });
}

Type network() {
  return {.shape = Type::Shape::text,
          .expected = "an address, or a network without bits below its prefix, such as \"192.0.2.0/24\"",
          .canonical = [](std::string_view value) -> Canonical {
            const auto block = Network::parse(value);
            return block ? Canonical(block->to_string()) : std::nullopt;
          }};
}

Type domain() {
  return {.shape = Type::Shape::text,
          .expected = "a domain such as \"example.com\"",
          .canonical = [](std::string_view value) -> Canonical { return mail::to_ascii_domain(value); }};
}

Type domain_or_empty() {
  return {.shape = Type::Shape::text,
          .expected = "a domain such as \"bounce.example.com\", or \"\"",
          .canonical = [](std::string_view value) -> Canonical {
            return value.empty() ? Canonical("") : mail::to_ascii_domain(value);
          }};
}

Type identity_name() {
  return {.shape = Type::Shape::text,
          .expected = "a domain such as \"example.com\" or an address such as \"user@example.com\"",
          .canonical = ses::canonical_name};
}

Type account_name() {
  return text("a name such as \"111122223333\" or \"marketing\", or \"\"",
              [](std::string_view value) { return value.empty() || all_of(value, is_word_char); });
}

Type author_or_empty() {
  return {.shape = Type::Shape::text,
          .expected = "a domain such as \"example.com\" or an address such as \"user@example.com\", or \"\"",
          .canonical = [](std::string_view value) -> Canonical {
            return value.empty() ? Canonical("") : ses::canonical_name(value);
          }};
}

Type relay_host() {
  return {.shape = Type::Shape::text,
          .expected = "a host, without brackets and port, or \"\"",
          .canonical = [](std::string_view value) -> Canonical {
            if (value.empty()) return "";
            const auto address = IpAddress::parse(value);
            return address ? Canonical(lower(value)) : mail::to_ascii_domain(value);
          }};
}

Type configuration_set() {
  return text("the name of a configuration set", [](std::string_view value) { return all_of(value, is_word_char); });
}

Type configuration_set_or_empty() {
  return text("the name of a configuration set, or \"\"",
              [](std::string_view value) { return value.empty() || all_of(value, is_word_char); });
}

Type region() {
  return text("an AWS region such as \"us-east-1\"", ses::is_region);
}

Type dkim_origin() {
  return text("\"AWS_SES\", \"EXTERNAL\" or \"AWS_SES_<REGION>\" such as \"AWS_SES_US_EAST_1\"", ses::is_origin);
}

Type dkim_token() {
  return {
      .shape = Type::Shape::text, .expected = "a DKIM selector", .canonical = [](std::string_view value) -> Canonical {
        return dns::is_hostname(value) ? dns::canonical(value) : std::nullopt;
      }};
}

}  // namespace sesame::config
