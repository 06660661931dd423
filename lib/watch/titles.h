// Titles of notices of one identity: the subject of a mail, a line in a chat. Inside this folder only.
#pragma once

#include <cstdint>
#include <string>

#include "watch/wording.h"

namespace sesame::watch {

constexpr std::size_t kMaxTitle = 120;  // octets

// One line, printable, of at most kMaxTitle octets.
std::string title_line(const std::string& text);
// "example.com: ns2.example.com (192.0.2.53) answered SERVFAIL for TXT: DKIM is degraded".
std::string change_title(const RecordState& record);
// "example.com: SES may revoke DKIM in 12 hours, at 2026-01-01 00:00 UTC"; `now` is in unix seconds.
std::string reminder_title(const std::string& identity, std::int64_t now, const Moment& moment);

}  // namespace sesame::watch
