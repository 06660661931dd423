#include "mail/tag_list.h"

#include <algorithm>

#include "util/text.h"

namespace sesame::mail {
namespace {

constexpr std::size_t kMaxTags = 256;

// tag-name = ALPHA *ALNUMPUNC; and hyphens, as the unknown tags of some published records have them.
bool is_tag_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

// tval = 1*VALCHAR, with folding white space between; octets over 0x7f as RFC 8616 Section 5 needs them.
bool is_tag_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet > 0x20 && octet != 0x7f) || is_space(c);
  });
}

}  // namespace

// RFC 6376 Section 3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
Result<TagList> TagList::parse(std::string_view text) {
  TagList list;
  if (trim(text).empty()) return failure("the tag list is empty");
  for (bool more = true; more;) {
    const auto end = text.find(';');
    more = end != std::string_view::npos;
    const auto spec = trim(text.substr(0, end));
    text.remove_prefix(more ? end + 1 : text.size());
    if (spec.empty() && !more) break;  // only white space follows the last ";"
    if (spec.empty()) return failure("there is nothing between two \";\"");
    const auto equals = spec.find('=');
    if (equals == std::string_view::npos) return failure("no \"=\" in \"" + printable(spec, 40) + "\"");
    const auto name = trim(spec.substr(0, equals));
    const auto value = trim(spec.substr(equals + 1));
    if (!is_tag_name(name)) return failure("\"" + printable(name, 40) + "\" is not a tag name");
    if (!is_tag_value(value)) return failure("the value of " + printable(name, 40) + "= has a control character");
    if (list.find(name)) return failure("the tag " + printable(name, 40) + "= appears twice");
    if (list.tags_.size() == kMaxTags) return failure("there are more than " + std::to_string(kMaxTags) + " tags");
    list.tags_.push_back({std::string(name), std::string(value)});
  }
  return list;
}

std::optional<std::string_view> TagList::find(std::string_view name) const {
  const auto found = std::ranges::find(tags_, name, &Tag::name);
  if (found == tags_.end()) return std::nullopt;
  return found->value;
}

std::string without_white_space(std::string_view value) {
  std::string result;
  std::ranges::remove_copy_if(value, std::back_inserter(result), is_space);
  return result;
}

}  // namespace sesame::mail
