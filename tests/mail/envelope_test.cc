#include "mail/envelope.h"

#include <gmock/gmock.h>

namespace sesame::mail {
namespace {

using ::testing::ElementsAre;

TEST(NextHop, IsTheHostOfPostfixsNotation) {
  const std::pair<const char*, const char*> cases[] = {
      {"relay.example.com", "relay.example.com"},
      {"[relay.example.com]", "relay.example.com"},
      {"[Relay.Example.COM]:587", "relay.example.com"},
      {"relay.example.com:submission", "relay.example.com"},
      {"[192.0.2.1]:25", "192.0.2.1"},
      {"[2001:DB8::1]:25", "2001:db8::1"},
      {"[first.example]:587, [second.example]:587", "first.example"},
      {"[unclosed.example", "unclosed.example"},
  };
  for (const auto& [next_hop, want] : cases) {
    Envelope envelope;
    envelope.add_relay(next_hop);
    EXPECT_THAT(envelope.relays, ElementsAre(want)) << next_hop;
  }
}

TEST(NextHop, ThatIsNotToldIsOneNotKnown) {
  for (const auto* next_hop : {"", "[]", ":25", ","}) {
    Envelope envelope;
    envelope.add_relay(next_hop);
    EXPECT_THAT(envelope.relays, ElementsAre("")) << next_hop;
  }
}

TEST(NextHop, StandsThereOnce) {
  Envelope envelope;
  for (const auto* next_hop : {"b.example", "[a.example]:587", "B.example:25", "a.example"})
    envelope.add_relay(next_hop);
  EXPECT_THAT(envelope.relays, ElementsAre("b.example", "a.example"));
}

}  // namespace
}  // namespace sesame::mail
