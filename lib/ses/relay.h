// What Amazon SES does to a message it relays.
// https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/field.h"

namespace sesame::ses {

inline constexpr std::size_t kMaxRecipients = 50;
// "40 MB" after encoding, in the SMTP server's megabytes. https://docs.aws.amazon.com/ses/latest/dg/quotas.html
inline constexpr std::size_t kMaxMessageOctets = std::size_t{40} * 1024 * 1024;
// 1,000 with the line end. https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html
inline constexpr std::size_t kMaxLineOctets = 998;

// Does SES accept this field once only?
bool is_unique(std::string_view field_name);

struct Duplicate {
  std::string name;       // as first written
  std::size_t count = 0;  // at least 2
};
// The fields that SES accepts once only, and a second time answers 554 "Duplicate header", in order of first
// appearance.
std::vector<Duplicate> duplicates(std::span<const mail::Field> fields);

// Fields whose content SES replaces, removes or adds: a DKIM signature that covers one does not survive.
bool is_rewritten(std::string_view field_name);

// Fields that SES obeys.
bool is_obeyed(std::string_view field_name);

}  // namespace sesame::ses
