#include "watch/mail_text.h"

#include <fmt/core.h>

#include <array>
#include <ctime>

#include "util/base64.h"
#include "util/text.h"
#include "watch/wording.h"

namespace sesame::watch {
namespace {

// RFC 5322 Section 2.1.1.
constexpr std::size_t kMaxLine = 998;

// RFC 5322 Section 3.3, whatever the locale.
std::string date_of(std::int64_t unix_seconds) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[static_cast<std::size_t>(parts.tm_wday)],
                     parts.tm_mday, kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// RFC 2047 Section 2: an encoded word has at most 75 characters.
std::string encoded(std::string_view text) {
  constexpr std::size_t kOctets = 42;
  std::string words;
  for (std::size_t i = 0; i < text.size(); i += kOctets) {
    const auto part = text.substr(i, kOctets);
    const std::vector<std::uint8_t> octets(part.begin(), part.end());
    words += fmt::format("{}=?us-ascii?B?{}?=", i == 0 ? "" : "\n ", base64_encode(octets));
  }
  return words;
}

// What a title quotes from DNS can neither end the field nor pass for an encoded word.
std::string subject(const std::string& title) {
  const auto text = "Sesame: " + printable(title);
  if (text.find("=?") != std::string::npos) return "Subject: " + encoded(text) + "\n";
  // RFC 5322 Section 2.2.3: folded before a blank, which stays.
  return wrap(text, "Subject: ", " ");
}

std::string body(const std::string& text) {
  std::string lines;
  for (const auto line : split(text, '\n')) lines += printable(line, kMaxLine - 3) + "\n";
  return lines;
}

}  // namespace

std::string mail_text(const Notice& notice, const std::string& from, const std::string& to, const std::string& id) {
  std::string mail;
  if (!from.empty()) mail += fmt::format("From: Sesame <{}>\n", from);
  mail += fmt::format("To: <{}>\n", to) + subject(notice.title);
  mail += fmt::format("Date: {}\nMessage-ID: <{}>\n", date_of(notice.time), id);
  // RFC 3834 Section 5: so that no vacation program answers.
  mail += "Auto-Submitted: auto-generated\n";
  mail += "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n";
  return mail + "\n" + body(notice.text);
}

}  // namespace sesame::watch
