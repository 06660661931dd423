// What SES or a later hop may spoil or refuse for its outer shape.
#include <algorithm>

#include "ses/predictor.h"
#include "ses/relay.h"
#include "util/text.h"

namespace sesame::ses {

void Predictor::lint(std::string what, std::string effect, std::string remedy) {
  add(make_finding(Code::ses_lint,
                   {{"what", std::move(what)}, {"effect", std::move(effect)}, {"remedy", std::move(remedy)}}));
}

void Predictor::check_shape() {
  const auto& shape = submission_.shape;
  const auto& envelope = submission_.envelope;
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
  const auto is_international = [](const std::string& address) { return !is_ascii(address); };
  const auto recipient = std::ranges::find_if(envelope.recipients, is_international);
  const auto* address = is_international(envelope.mail_from)     ? &envelope.mail_from
                        : recipient != envelope.recipients.end() ? &*recipient
                                                                 : nullptr;
  if (address)
    refuse(make_finding(Code::ses_lint,
                        {{"what", "the envelope address " + *address},
                         {"effect", "SES has no SMTPUTF8 and may refuse it"},
                         {"remedy", "Write the domain in A-labels (\"xn--\"), and use a local part of ASCII only."}}),
           Tri::unknown);
}

}  // namespace sesame::ses
