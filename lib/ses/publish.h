// Records to publish, ready to paste into a zone file.
#pragma once

#include <string>
#include <string_view>

#include "dns/record.h"

namespace sesame::ses {

struct Publishable {
  std::string name;
  dns::Type type = dns::Type::txt;
  std::string value;  // "10 feedback-smtp.us-east-1.amazonses.com"; of a TXT record its text without quotes
  // mends: it is missing or wrong; proposes: it is not needed for what is set up now.
  enum class Purpose { mends, proposes } purpose = Purpose::mends;
  std::string note;  // "" = nothing to add
};

// RFC 1035 Section 5.1: "NAME. TYPE VALUE", names with their last dot, texts quoted in strings of 255 octets at most.
std::string zone_line(const Publishable& record);
// The same in lines of at most `width` octets where it can be broken at all: RFC 1035 Section 5.1, parentheses.
std::string zone_text(const Publishable& record, std::size_t width);
// The value as it stands there.
std::string zone_value(dns::Type type, std::string_view value);

}  // namespace sesame::ses
