// Whatever From holds: an error that can be printed, or addresses with canonical domains, which read back as
// themselves.
#include <cstdint>
#include <cstdlib>

#include "mail/address.h"

namespace {

using sesame::mail::Mailbox;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string quoted(const std::string& local) {
  std::string text = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

void check_mailbox(const Mailbox& mailbox) {
  require(sesame::mail::to_ascii_domain(mailbox.domain) == mailbox.domain);
  const auto text = quoted(mailbox.local) + "@" + mailbox.domain;
  const auto again = sesame::mail::parse_mailboxes(text);
  require(again && again->size() == 1 && again->front().address() == mailbox.address());
}

void check_printable(const std::string& text) {
  require(text.size() < 300);
  for (const char c : text) require(c >= 0x20 && c <= 0x7e);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mailboxes = sesame::mail::parse_mailboxes(text);
  if (mailboxes) {
    require(mailboxes->size() <= 100);
    for (const auto& mailbox : *mailboxes) check_mailbox(mailbox);
  } else {
    check_printable(mailboxes.error().message);
  }
  const sesame::mail::Fields fields = {{"From", std::string(text)}};
  const auto author = sesame::mail::find_author(fields);
  require(author.usable() == (mailboxes && author.domains.size() == 1));
  if (const auto path = sesame::mail::parse_path(text))
    require(sesame::mail::to_ascii_domain(path->domain) == path->domain);
  return 0;
}
