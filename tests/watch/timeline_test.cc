// What `sesame watch --timeline` tells.
#include "watch/timeline.h"

#include <nlohmann/json.hpp>

#include "chronicle_case.h"

namespace sesame::test {

using ::testing::HasSubstr;
using ::testing::Not;
using watch::Quality;

TEST(Timeline, OfAHealthyMonthIsAFewLines) {
  Remembered memory;
  look_from(memory, kStart, kStart + 30 * kDay, {kSecond});
  const auto text = watch::timeline_text(chronicle_of(memory, kStart + 30 * kDay));
  EXPECT_LE(lines_of(text), 12u) << text;
  const auto words = flat(text);
  EXPECT_THAT(words, HasSubstr("example.com in us-east-1 (account main)"));
  EXPECT_THAT(words, HasSubstr("2026-01-01 00:00 UTC ns1.example.com (192.0.2.52) answered well"));
  EXPECT_THAT(words, HasSubstr("8640 times until 2026-01-30 23:50 UTC"));
  EXPECT_THAT(words, HasSubstr("the resolver of this host answered well"));
}

TEST(Timeline, NamesServerAnswerTimeAndTransportInOrder) {
  Remembered memory;
  tell_a_story(memory);
  const auto text = watch::timeline_text(chronicle_of(memory, kStart + 3 * kDay));
  const auto words = flat(text);
  EXPECT_THAT(words, HasSubstr("2026-01-03 00:00 UTC ns2.example.com (192.0.2.53): SERVFAIL (failing) to TXT "
                               "t1._domainkey.example.com over UDP and TCP, 12 times until 2026-01-03 00:50 UTC"));
  EXPECT_THAT(words, HasSubstr("DKIM t1._domainkey.example.com is degraded, was healthy"));
  EXPECT_THAT(words, HasSubstr("(dkim-records-flap)"));
  const auto fault = words.find("SERVFAIL (failing)"), event = words.find("is degraded, was"),
             notice = words.find("told (change)"), acknowledged = words.find("acknowledged");
  ASSERT_NE(acknowledged, std::string::npos) << text;
  EXPECT_LT(fault, event);
  EXPECT_LT(event, notice);
  EXPECT_LT(notice, acknowledged);
  EXPECT_LE(longest_line(text), 78u) << text;
}

TEST(Timeline, FoldsWhatComesAndGoes) {
  Remembered memory;
  for (int i = 0; i < 40; ++i)
    look_from(memory, kStart + i * kInterval, kStart + (i + 1) * kInterval,
              i % 2 ? Said{kSecond} : Said{kSecond, Quality::failing, "no answer in 3 s"});
  const auto text = watch::timeline_text(chronicle_of(memory, kStart + kDay));
  EXPECT_LE(lines_of(text), 16u) << text;
  EXPECT_THAT(flat(text), HasSubstr("no answer in 3 s (failing) to TXT t1._domainkey.example.com over UDP and TCP, "
                                    "40 times"));
}

TEST(Timeline, TellsFaultsFarApartOneByOne) {
  Remembered memory;
  const Said bad{kSecond, Quality::absent, "NXDOMAIN"};
  look_from(memory, kStart, kStart + kInterval, bad);
  look_from(memory, kStart + kInterval, kStart + 2 * kDay, {kSecond});
  look_from(memory, kStart + 2 * kDay, kStart + 2 * kDay + kInterval, bad);
  const auto words = flat(watch::timeline_text(chronicle_of(memory, kStart + 3 * kDay)));
  EXPECT_THAT(words, HasSubstr("2026-01-01 00:00 UTC ns2.example.com (192.0.2.53): NXDOMAIN"));
  EXPECT_THAT(words, HasSubstr("2026-01-03 00:00 UTC ns2.example.com (192.0.2.53): NXDOMAIN"));
}

TEST(Timeline, TellsANewKeyOnce) {
  Remembered memory;
  for (const char* key : {"a key of 1024 bits", "a key of 2048 bits"})
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(memory->record(look_at(kStart + i + (key[9] == '2' ? 600 : 0),
                                         {{kFirst, Quality::good, key}, {kSecond, Quality::good, key}}),
                                 {}, {}));
  const auto words = flat(watch::timeline_text(chronicle_of(memory, kStart + kDay)));
  const auto news = words.find("has another good answer: a key of 2048 bits");
  ASSERT_NE(news, std::string::npos) << words;
  EXPECT_EQ(words.find("has another good answer", news + 1), std::string::npos);
}

// The resolver follows a CNAME, the servers answer with it.
TEST(Timeline, TellsNoNewKeyWhereTheResolverFollowsACname) {
  Remembered memory;
  const auto look = [&](std::int64_t time, const char* alias, const char* key) {
    const std::vector<Said> answers{{kResolver, Quality::good, key},
                                    {kFirst, Quality::good, alias},
                                    {kSecond, Quality::good, "CNAME t1.dkim.amazonses.com"}};
    ASSERT_TRUE(memory->record(look_at(time, answers), {}, {}));
  };
  look(kStart, "CNAME t1.dkim.amazonses.com", "a key of 1024 bits");
  look(kStart + 600, "CNAME t1.dkim.amazonses.com", "a key of 1024 bits");
  EXPECT_THAT(flat(watch::timeline_text(chronicle_of(memory, kStart + kDay))), Not(HasSubstr("another good answer")));
  // That one of both changes is news.
  look(kStart + 1200, "CNAME t1.dkim.amazonses.com", "a key of 2048 bits");
  look(kStart + 1800, "CNAME t1.dkim.example.net", "a key of 2048 bits");
  const auto words = flat(watch::timeline_text(chronicle_of(memory, kStart + kDay)));
  EXPECT_THAT(words, HasSubstr("another good answer: a key of 2048 bits, first by the resolver of this host"));
  EXPECT_THAT(words,
              HasSubstr("another good answer: CNAME t1.dkim.example.net, first by ns1.example.com (192.0.2.52)"));
}

TEST(Timeline, TellsChangesThatAreAlikeTogether) {
  Remembered memory;
  watch::Look look = look_at(kStart, {{kFirst}});
  std::vector<watch::Change> changes;
  for (const auto* name : {"t1._domainkey.example.com", "t2._domainkey.example.com", "t3._domainkey.example.com"}) {
    auto after = state_of(watch::State::degraded, kStart);
    after.key.name = name;
    after.code = "dkim-records-flap";
    after.reason = std::string(name[1] == '3' ? "ns9" : "ns2") + " answered SERVFAIL for TXT " + name + " over UDP";
    auto before = after;
    before.state = watch::State::healthy;
    changes.push_back({before, after});
  }
  ASSERT_TRUE(memory->record(look, {}, changes));
  const auto words = flat(watch::timeline_text(chronicle_of(memory, kStart + kDay)));
  EXPECT_THAT(words,
              HasSubstr("=> DKIM (2 records: t1._domainkey.example.com, t2._domainkey.example.com) are degraded, "
                        "was healthy: ns2 answered SERVFAIL for TXT over UDP (dkim-records-flap)"));
  EXPECT_THAT(words, HasSubstr("=> DKIM t3._domainkey.example.com is degraded, was healthy: ns9 answered SERVFAIL for "
                               "TXT t3._domainkey.example.com over UDP"));
}

TEST(Timeline, SaysWhenNobodyCouldTell) {
  Remembered memory;
  look_from(memory, kStart, kStart + kDay, {kSecond});
  auto dark = look_at(kStart + kDay, {{kFirst, Quality::failing, "no answer in 3 s"}});
  dark.nothing_answers = true;
  ASSERT_TRUE(memory->record(dark, {}, {}));
  const auto words = flat(watch::timeline_text(chronicle_of(memory, kStart + kDay)));
  EXPECT_THAT(words, HasSubstr("the resolver of this host, and perhaps every name server, did not answer: 1 look"));
  EXPECT_THAT(words, Not(HasSubstr("no answer in 3 s")));
}

TEST(Timeline, AsJsonHasEveryRow) {
  Remembered memory;
  tell_a_story(memory);
  const auto value = nlohmann::json::parse(watch::timeline_json(chronicle_of(memory, kStart + 3 * kDay)));
  EXPECT_EQ(value["domain"], "example.com");
  EXPECT_EQ(value["runs"].size(), 9u);  // five questions; those to ns2 in three runs each
  EXPECT_EQ(value["events"].size(), 1u);
  EXPECT_EQ(value["notices"].size(), 1u);
  EXPECT_EQ(value["silences"].size(), 1u);
  const auto& run = value["runs"][0];
  EXPECT_EQ(run["first"], "2026-01-01T00:00:00Z");
  EXPECT_EQ(run["last"], "2026-01-03T23:50:00Z");
  EXPECT_EQ(run["count"], 432);
  EXPECT_EQ(run["server"], "ns1.example.com");
  EXPECT_EQ(run["transport"], "UDP");
}

}  // namespace sesame::test
