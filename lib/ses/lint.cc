// What SES or a later hop may spoil or refuse for its outer shape.
#include <algorithm>
#include <array>

#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

bool is_international(std::string_view text) {
  return !is_ascii(text);
}

// The first address of a field that is not ASCII on either side of its "@"; "" when all are.
std::string international_address(std::string_view value) {
  constexpr std::string_view kBounds = " \t\r\n<>,;:\"()@";
  for (auto at = value.find('@'); at != std::string_view::npos; at = value.find('@', at + 1)) {
    const auto before = value.substr(0, at).find_last_of(kBounds);
    const auto start = before == std::string_view::npos ? 0 : before + 1;
    const auto end = std::min(value.find_first_of(kBounds, at + 1), value.size());
    const auto address = value.substr(start, end - start);
    if (is_international(address)) return std::string(address);
  }
  return {};
}

// The first address of envelope and header that needs SMTPUTF8; "" when none does.
std::string international_address(const Submission& submission) {
  const auto& envelope = submission.envelope;
  if (is_international(envelope.mail_from)) return envelope.mail_from;
  const auto recipient = std::ranges::find_if(envelope.recipients, is_international);
  if (recipient != envelope.recipients.end()) return *recipient;
  constexpr std::array<std::string_view, 7> kAddressFields = {"From", "Sender", "Return-Path", "Reply-To",
                                                              "To",   "Cc",     "Bcc"};
  for (const auto& field : submission.fields) {
    const auto name = mail::name_of(field);
    if (std::ranges::none_of(kAddressFields, [&](std::string_view each) { return iequals(each, name); })) continue;
    if (auto address = international_address(field.value); !address.empty()) return address;
  }
  return {};
}

}  // namespace

void Predictor::lint(std::string what, std::string effect, std::string remedy) {
  add(make_finding(Code::ses_lint,
                   {{"what", std::move(what)}, {"effect", std::move(effect)}, {"remedy", std::move(remedy)}}));
}

void Predictor::check_shape() {
  const auto& shape = submission_.shape;
  if (shape.octets > kMaxMessageOctets) {
    const auto limit = std::to_string(kMaxMessageOctets);
    refuse(
        make_finding(Code::ses_lint, Severity::error,
                     {{"what", std::to_string(shape.octets) + " octets"},
                      {"effect", "SES takes " + limit + " and will answer 552"},
                      {"remedy", "Set message_size_limit = " + limit + " or less, or send a link to what is large."}}));
  }
  if (shape.longest_line > kMaxLineOctets)
    lint("a line of " + std::to_string(shape.longest_line) + " octets",
         "SES takes lines of at most " + std::to_string(kMaxLineOctets) +
             ", and a relay that breaks it breaks signatures",
         "Encode the body as quoted-printable or base64, and fold header fields.");
  if (shape.eight_bit_body)
    lint("8-bit text in its body", "SES or a later hop may encode it anew, which breaks signatures",
         "Encode it as quoted-printable or base64.");
  // https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html: no SMTPUTF8.
  if (shape.eight_bit_header)
    lint("octets above 127 in its header", "SES has no SMTPUTF8 and may alter or refuse them",
         "Write text in the header as encoded words (RFC 2047), and domains in A-labels (\"xn--\").");
  // Seen refused (554), and seen taken: not certain.
  const auto address = international_address(submission_);
  if (!address.empty())
    refuse(make_finding(Code::ses_lint,
                        {{"what", "the address " + address},
                         {"effect", "SES has no SMTPUTF8 and may refuse it"},
                         {"remedy", "Write the domain in A-labels (\"xn--\"), and use a local part of ASCII only."}}),
           Tri::unknown);
}

}  // namespace sesame::ses
