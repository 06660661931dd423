#include "dns/name.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::dns {

namespace {

bool has_good_labels(std::string_view name) {
  if (name.size() > kMaxName) return false;
  std::size_t label = 0;
  for (const char c : name) {
    label = c == '.' ? 0 : label + 1;
    if (label > kMaxLabel) return false;
  }
  return name.empty() || (!name.starts_with('.') && !name.ends_with('.') && name.find("..") == std::string_view::npos);
}

}  // namespace

std::optional<std::string> canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!has_good_labels(name)) return std::nullopt;
  return lower(name);
}

bool is_canonical(std::string_view name) {
  return has_good_labels(name) && std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_hostname(std::string_view name) {
  const auto text = canonical(name);
  return text && !text->empty() &&
         std::ranges::all_of(*text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string_view rightmost(std::string_view name, std::size_t count) {
  if (count == 0) return name.substr(name.size());
  for (auto i = name.size(); i-- > 0;)
    if (name[i] == '.' && --count == 0) return name.substr(i + 1);
  return name;
}

std::size_t label_count(std::string_view name) {
  return name.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(name, '.')) + 1;
}

std::string_view parent(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

bool is_at_or_below(std::string_view name, std::string_view ancestor) {
  if (!iends_with(name, ancestor)) return false;
  return ancestor.empty() || name.size() == ancestor.size() || name[name.size() - ancestor.size() - 1] == '.';
}

}  // namespace sesame::dns
