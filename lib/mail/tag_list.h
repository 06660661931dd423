// RFC 6376 Section 3.2: "tag=value; tag=value", used by DKIM, ARC and DMARC.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.h"

namespace sesame::mail {

struct Tag {
  std::string name;   // as written
  std::string value;  // white space at both ends removed, inner folding kept
};

class TagList {
 public:
  // An error for a duplicate tag, a missing "=", nothing between two ";", no tag at all, or a tag name that is not a
  // letter followed by letters, digits, "_" and "-" (the RFC has no hyphen, but records in use do).
  static Result<TagList> parse(std::string_view text);

  // Nothing when the tag is absent; an empty value is present.
  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<Tag>& tags() const { return tags_; }

 private:
  std::vector<Tag> tags_;
};

// The value without any white space, as base64 and colon lists are to be read.
std::string without_white_space(std::string_view value);

}  // namespace sesame::mail
