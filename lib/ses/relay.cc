#include "ses/relay.h"

#include <algorithm>
#include <array>

#include "util/text.h"

namespace sesame::ses {
namespace {

// https://docs.aws.amazon.com/ses/latest/dg/header-fields.html, in lower case, sorted.
constexpr std::array kUnique = {
    std::string_view("accept-language"),
    std::string_view("acceptlanguage"),
    std::string_view("archived-at"),
    std::string_view("auto-submitted"),
    std::string_view("bounces-to"),
    std::string_view("comments"),
    std::string_view("content-alternative"),
    std::string_view("content-base"),
    std::string_view("content-class"),
    std::string_view("content-description"),
    std::string_view("content-disposition"),
    std::string_view("content-duration"),
    std::string_view("content-id"),
    std::string_view("content-language"),
    std::string_view("content-length"),
    std::string_view("content-location"),
    std::string_view("content-md5"),
    std::string_view("content-transfer-encoding"),
    std::string_view("content-type"),
    std::string_view("date"),
    std::string_view("delivered-to"),
    std::string_view("disposition-notification-options"),
    std::string_view("disposition-notification-to"),
    std::string_view("dkim-signature"),
    std::string_view("domainkey-signature"),
    std::string_view("errors-to"),
    std::string_view("from"),
    std::string_view("importance"),
    std::string_view("in-reply-to"),
    std::string_view("keywords"),
    std::string_view("list-archive"),
    std::string_view("list-help"),
    std::string_view("list-id"),
    std::string_view("list-owner"),
    std::string_view("list-post"),
    std::string_view("list-subscribe"),
    std::string_view("list-unsubscribe"),
    std::string_view("message-context"),
    std::string_view("message-id"),
    std::string_view("mime-version"),
    std::string_view("organization"),
    std::string_view("original-from"),
    std::string_view("original-message-id"),
    std::string_view("original-recipient"),
    std::string_view("original-subject"),
    std::string_view("precedence"),
    std::string_view("priority"),
    std::string_view("references"),
    std::string_view("reply-to"),
    std::string_view("return-path"),
    std::string_view("return-receipt-to"),
    std::string_view("sender"),
    std::string_view("sensitivity"),
    std::string_view("solicitation"),
    std::string_view("subject"),
    std::string_view("thread-index"),
    std::string_view("thread-topic"),
    std::string_view("user-agent"),
    std::string_view("vbr-info"),
};
static_assert(std::ranges::is_sorted(kUnique));
static_assert(kUnique.size() == 59);

// Replaced: Date, Message-ID. Replaced or removed: Return-Path, Bounces-To. Added: Feedback-ID. X-SES-*: removed, and
// X-SES-Outgoing added. DKIM-Signature: two are added.
// https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html
constexpr std::array kRewritten = {std::string_view("bounces-to"),     std::string_view("date"),
                                   std::string_view("dkim-signature"), std::string_view("feedback-id"),
                                   std::string_view("message-id"),     std::string_view("return-path")};

// End when it is none of them.
auto find_unique(std::string_view name) {
  constexpr std::size_t kLongest = std::ranges::max(kUnique, {}, &std::string_view::size).size();
  if (name.size() > kLongest) return kUnique.end();
  std::array<char, kLongest> letters;
  std::ranges::transform(name, letters.begin(), to_lower);
  const std::string_view wanted(letters.data(), name.size());
  const auto found = std::ranges::lower_bound(kUnique, wanted);
  return found != kUnique.end() && *found == wanted ? found : kUnique.end();
}

}  // namespace

bool is_unique(std::string_view field_name) {
  return find_unique(field_name) != kUnique.end();
}

std::vector<Duplicate> duplicates(std::span<const mail::Field> fields) {
  std::array<std::size_t, kUnique.size()> counts{};
  const auto count_of = [&](const mail::Field& field) -> std::size_t* {
    const auto found = find_unique(mail::name_of(field));
    return found == kUnique.end() ? nullptr : &counts[static_cast<std::size_t>(found - kUnique.begin())];
  };
  bool any = false;
  for (const auto& field : fields)
    if (auto* count = count_of(field)) any = ++*count > 1 || any;
  std::vector<Duplicate> result;
  if (!any) return result;
  // Told once, by the name as first written.
  for (const auto& field : fields)
    if (auto* count = count_of(field); count && *count > 1) {
      result.push_back({std::string(mail::name_of(field)), *count});
      *count = 0;
    }
  return result;
}

bool is_rewritten(std::string_view field_name) {
  return istarts_with(field_name, "x-ses-") || std::ranges::find(kRewritten, lower(field_name)) != kRewritten.end();
}

bool is_obeyed(std::string_view field_name) {
  constexpr std::array kObeyed = {
      std::string_view("X-SES-CONFIGURATION-SET"), std::string_view("X-SES-MESSAGE-TAGS"),
      std::string_view("X-SES-SOURCE-ARN"),        std::string_view("X-SES-FROM-ARN"),
      std::string_view("X-SES-RETURN-PATH-ARN"),   std::string_view("X-SES-LIST-MANAGEMENT-OPTIONS")};
  return std::ranges::any_of(kObeyed, [&](std::string_view name) { return iequals(name, field_name); });
}

}  // namespace sesame::ses
