// Domain names as mail writes them, to the form DNS and alignment use.
#include <idn2.h>

#include <algorithm>

#include "mail/address.h"
#include "util/text.h"

namespace sesame::mail {
namespace {

constexpr std::size_t kMaxName = 253;   // RFC 1035 Section 2.3.4, as text
constexpr std::size_t kMaxLabel = 63;   // RFC 1035 Section 2.3.4
constexpr std::size_t kMaxText = 1024;  // 253 octets of A-labels never come from more U-label octets than this

bool is_domain_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  for (const auto label : split(name, '.'))
    if (label.empty() || label.size() > kMaxLabel) return false;
  return std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

// UTS 46 Section 4.2, non-transitional: nothing when a label is not valid UTF-8 or not allowed.
std::optional<std::string> to_a_labels(const std::string& name) {
  char* raw = nullptr;
  const int status = idn2_to_ascii_8z(name.c_str(), &raw, IDN2_NONTRANSITIONAL);
  if (status != IDN2_OK) return std::nullopt;
  std::string result = lower(raw);
  idn2_free(raw);
  return result;
}

}  // namespace

std::optional<std::string> to_ascii_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.size() > kMaxText) return std::nullopt;
  auto name = lower(domain);
  if (!is_ascii(domain)) {
    // A NUL would cut the name short on its way through a C string.
    if (domain.find('\0') != std::string_view::npos) return std::nullopt;
    auto converted = to_a_labels(std::string(domain));
    if (!converted) return std::nullopt;
    name = *std::move(converted);
    if (name.ends_with('.')) name.pop_back();  // an ideographic full stop at the end
  }
  if (!is_domain_name(name)) return std::nullopt;
  return name;
}

}  // namespace sesame::mail
