// A memory with a story in it: two name servers, one of which fails for a while.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "remembered.h"
#include "watch/chronicle.h"

namespace sesame::test {

inline constexpr std::int64_t kDay = 86400;
inline constexpr std::int64_t kInterval = 600;

// Looks every ten minutes from the day `first` to before the day `last`; ns2 says this.
inline void look_from(Remembered& memory, std::int64_t first, std::int64_t last, const Said& second,
                      const std::vector<watch::RecordState>& states = {}) {
  for (auto time = first; time < last; time += kInterval) {
    auto over_tcp = second;
    over_tcp.transport = dns::Transport::tcp;
    const std::vector<Said> answers{{kFirst},
                                    {kFirst, watch::Quality::good, "a key of 2048 bits", dns::Transport::tcp},
                                    second,
                                    over_tcp,
                                    {kResolver}};
    const auto done = memory->record(look_at(time, answers), states, {});
    ASSERT_TRUE(done) << done.error().message;
  }
}

inline watch::Chronicle chronicle_of(Remembered& memory, std::int64_t now, const std::string& domain = "example.com",
                                     std::int64_t since = 0) {
  auto chronicle = watch::read_chronicle(*memory, domain, since, now);
  EXPECT_TRUE(chronicle) << (chronicle ? "" : chronicle.error().message);
  return chronicle.value_or(watch::Chronicle{});
}

// An hour of SERVFAIL at ns2 on the third day, and well before and after.
inline void tell_a_story(Remembered& memory) {
  const auto bad_from = kStart + 2 * kDay, bad_until = bad_from + 3600;
  look_from(memory, kStart, bad_from, {kSecond});
  look_from(memory, bad_from, bad_until, {kSecond, watch::Quality::failing, "SERVFAIL"});
  auto degraded = state_of(watch::State::degraded, bad_from);
  degraded.first_bad = bad_from;
  degraded.code = "dkim-records-flap";
  degraded.reason = "ns2.example.com (192.0.2.53) answered SERVFAIL";
  const auto healthy = state_of(watch::State::healthy, kStart);
  ASSERT_TRUE(
      memory->record(look_at(bad_from, {}), std::vector{degraded}, std::vector{watch::Change{healthy, degraded}}));
  watch::Notice notice;
  notice.time = bad_from + 5;
  notice.account = "main";
  notice.identity = "example.com";
  notice.region = "us-east-1";
  notice.title = "DKIM of example.com is degraded";
  notice.text = "sent to postmaster@example.net";
  ASSERT_TRUE(memory->record(notice));
  ASSERT_TRUE(memory->record(
      watch::Silence{"main", "example.com", "us-east-1", watch::Silence::Kind::acknowledged, bad_from + 900, 0}));
  look_from(memory, bad_until, kStart + 3 * kDay, {kSecond});
}

inline std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// With every run of blanks and line ends as one blank.
inline std::string flat(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank)
      result += c;
    else if (!result.ends_with(' '))
      result += ' ';
  }
  return result;
}

inline std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0, length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + 1;
    longest = std::max(longest, length);
  }
  return longest;
}

}  // namespace sesame::test
