#include "dns/name.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::dns {

namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

enum class Form { canonical, with_upper_case, bad };

// Of a name without a trailing dot.
Form form_of(std::string_view name) {
  if (name.empty()) return Form::canonical;
  if (name.size() > kMaxName) return Form::bad;
  std::size_t label = 0;
  bool has_upper = false;
  for (const char c : name) {
    if (c == '.' ? label == 0 : label == kMaxLabel) return Form::bad;
    label = c == '.' ? 0 : label + 1;
    has_upper |= is_upper(c);
  }
  if (label == 0) return Form::bad;
  return has_upper ? Form::with_upper_case : Form::canonical;
}

}  // namespace

std::optional<std::string> canonical(std::string_view name) {
  NameRoom room;
  const auto found = canonical(name, room);
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

std::optional<std::string_view> canonical(std::string_view name, NameRoom& room) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto form = form_of(name);
  if (form == Form::bad) return std::nullopt;
  if (form == Form::canonical) return name;
  std::ranges::transform(name, room.begin(), [](char c) { return to_lower(c); });
  return std::string_view(room.data(), name.size());
}

bool is_canonical(std::string_view name) {
  return form_of(name) == Form::canonical;
}

bool is_hostname(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return !name.empty() && form_of(name) != Form::bad &&
         std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
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
