// The sentence that tells of a fault.
#include "watch/judge.h"

#include <gtest/gtest.h>

#include "remembered.h"

namespace sesame::test {

using watch::Quality;

namespace {

std::string reason_of(const std::vector<Said>& answers) {
  const auto look = look_at(kStart, answers);
  return watch::judge(look, look.records[0]).reason;
}

}  // namespace

TEST(Reason, OfTheSameOverBothTransportsIsOneFault) {
  const std::string fault = "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT t1._domainkey.example.com over ";
  const auto tcp = dns::Transport::tcp;
  const Said good{kFirst}, over_udp{kSecond, Quality::failing, "SERVFAIL"},
      over_tcp{kSecond, Quality::failing, "SERVFAIL", tcp}, refused{kSecond, Quality::failing, "REFUSED", tcp};
  EXPECT_EQ(reason_of({good, over_udp, over_tcp}), fault + "UDP and TCP");
  EXPECT_EQ(reason_of({good, over_udp}), fault + "UDP");
  EXPECT_EQ(reason_of({good, over_tcp}), fault + "TCP");
  EXPECT_EQ(reason_of({good, over_udp, refused}), fault + "UDP, and 1 other fault");
}

}  // namespace sesame::test
