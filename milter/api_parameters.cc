#include <array>

#include "milter/api_parts.h"
#include "util/text.h"

namespace sesame::milter::api {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::size_t kMaxDomain = 255;

std::string value_of(const Query& query, const std::string& name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

}  // namespace

tl::unexpected<Refusal> refuse(int status, std::string sentence) {
  return tl::unexpected(Refusal{status, std::move(sentence)});
}

Answer<Period> period_of(const Query& query) {
  const std::array<Period, 3> periods{{{"24h", kDay, kHour}, {"7d", 7 * kDay, 6 * kHour}, {"30d", 30 * kDay, kDay}}};
  const auto word = value_of(query, "since");
  if (word.empty()) return periods[1];
  for (const auto& period : periods)
    if (period.word == word) return period;
  return refuse(400, "since: expected 24h, 7d or 30d.");
}

Answer<std::string> direction_of(const Query& query) {
  const auto word = value_of(query, "direction");
  if (word.empty() || word == "outbound") return "outbound";
  if (word == "inbound") return "inbound";
  if (word == "both") return "";
  return refuse(400, "direction: expected outbound, inbound or both.");
}

Answer<std::string> domain_of(const Query& query) {
  const auto domain = lower(value_of(query, "domain"));
  const bool fits = domain.size() <= kMaxDomain &&
                    domain.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string::npos;
  if (!fits) return refuse(400, "domain: expected a domain name.");
  return domain;
}

Answer<std::string> word_of(const Query& query, const std::string& name) {
  const auto word = value_of(query, name);
  for (const char c : word)
    if (!is_word_char(c)) return refuse(400, name + ": expected a word of small letters, digits, \"-\" and \"_\".");
  return word.size() <= 64 ? Answer<std::string>(word) : refuse(400, name + ": is too long.");
}

Answer<std::string> text_of(const Query& query, const std::string& name, std::size_t most) {
  const auto text = value_of(query, name);
  if (text.size() > most) return refuse(400, name + ": is longer than " + std::to_string(most) + " octets.");
  if (text.find('\0') != std::string::npos) return refuse(400, name + ": has a NUL in it.");
  return text;
}

Answer<std::int64_t> number_of(const Query& query, const std::string& name, std::int64_t fallback, std::int64_t most) {
  const auto text = value_of(query, name);
  if (text.empty()) return fallback;
  const auto number = parse_number(text);
  if (!number || *number > static_cast<std::uint64_t>(most))
    return refuse(400, name + ": expected a number up to " + std::to_string(most) + ".");
  return static_cast<std::int64_t>(*number);
}

}  // namespace sesame::milter::api
