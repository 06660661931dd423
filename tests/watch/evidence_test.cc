// What `sesame watch --evidence` writes for those who can mend the servers.
#include "watch/evidence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chronicle_case.h"

namespace sesame::test {

using ::testing::HasSubstr;
using ::testing::Not;
using watch::Quality;

namespace {

watch::Knowledge knowledge() {
  watch::Knowledge known;
  known.program = "Sesame 1.0";
  known.subjects = {subject_of()};
  known.subjects[0].records[0].types = {dns::Type::cname, dns::Type::txt};
  ses::Identity identity;
  identity.name = "example.com";
  identity.region = "us-east-1";
  identity.account = "main";
  identity.dkim.status = ses::Status::temporary_failure;
  identity.as_of = kStart + 2 * kDay + 7200;
  identity.verification.error_type = "DNS_SERVER_ERROR";
  identity.verification.last_checked = kStart + 2 * kDay + 1800;
  identity.verification.last_success = kStart + kDay;
  identity.verification.primary_name_server = "ns2.example.com";
  identity.verification.soa_serial = 2026010107;
  known.identities = {identity};
  return known;
}

std::string story(Remembered& memory) {
  tell_a_story(memory);
  return watch::evidence_text(chronicle_of(memory, kStart + 3 * kDay), knowledge());
}

}  // namespace

TEST(Evidence, NamesTheFaultyServerAndHowToAskIt) {
  Remembered memory;
  const auto text = story(memory);
  const auto words = flat(text);
  EXPECT_THAT(words, HasSubstr("CNAME/TXT t1._domainkey.example.com -> t1.dkim.amazonses.com"));
  EXPECT_THAT(words, HasSubstr("Server: ns2.example.com (192.0.2.53) TXT t1._domainkey.example.com over TCP answer: "
                               "SERVFAIL (failing) 6 times, 2026-01-03T00:00:00Z to 2026-01-03T00:50:00Z"));
  EXPECT_THAT(text, HasSubstr("\n  dig @192.0.2.53 t1._domainkey.example.com TXT +norecurse +notcp\n"));
  EXPECT_THAT(text, HasSubstr("\n  dig @192.0.2.53 t1._domainkey.example.com TXT +norecurse +tcp\n"));
  EXPECT_THAT(text, Not(HasSubstr("dig @192.0.2.52")));
  EXPECT_THAT(text, Not(HasSubstr("Server: ns1")));
}

TEST(Evidence, ContrastsWithThoseWhoAnsweredWellMeanwhile) {
  Remembered memory;
  const auto words = flat(story(memory));
  const auto contrast = words.substr(words.find("Who answered the same questions well"));
  EXPECT_THAT(contrast, HasSubstr("ns1.example.com (192.0.2.52): the same question over UDP and TCP, 864 times"));
  EXPECT_THAT(contrast, HasSubstr("the resolver of this host: the same question"));
  // Its good answers are of another time.
  EXPECT_THAT(contrast.substr(0, contrast.find("Delegation and serials")), Not(HasSubstr("ns2.example.com")));
}

TEST(Evidence, HasTheWordsOfSes) {
  Remembered memory;
  const auto words = flat(story(memory));
  EXPECT_THAT(words, HasSubstr("DKIM status: TEMPORARY_FAILURE"));
  EXPECT_THAT(words, HasSubstr("ErrorType: DNS_SERVER_ERROR; LastChecked: 2026-01-03T00:30:00Z"));
  EXPECT_THAT(words, HasSubstr("SOARecord: primary name server ns2.example.com, serial 2026010107"));
  auto untold = knowledge();
  untold.identities[0].as_of.reset();
  const auto without = flat(watch::evidence_text(chronicle_of(memory, kStart + 3 * kDay), untold));
  EXPECT_THAT(without, HasSubstr("there is no answer of its API"));
  EXPECT_THAT(without, Not(HasSubstr("DNS_SERVER_ERROR")));
}

TEST(Evidence, NamesNoRecipient) {
  Remembered memory;
  const auto text = story(memory);
  EXPECT_THAT(text, Not(HasSubstr("postmaster")));
  EXPECT_THAT(watch::evidence_json(chronicle_of(memory, kStart + 3 * kDay), knowledge()), Not(HasSubstr("postmaster")));
}

TEST(Evidence, IsAReadableMail) {
  Remembered memory;
  const auto text = story(memory);
  EXPECT_LE(longest_line(text), 78u) << text;
  for (const unsigned char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

TEST(Evidence, HasDelegationAndSerials) {
  Remembered memory;
  auto look = look_at(kStart, {{kFirst}, {kSecond, Quality::old, "serial 7, others have 9"}});
  look.records[0].observations[0].serial = 9;
  look.records[0].observations[1].serial = 7;
  look.delegation = ses::DelegationMismatch{{"ns1.example.com"}, {"ns3.example.com"}, kKeyName, {"ns1.example.com"}};
  look.bogus_zone = "example.com";
  ASSERT_TRUE(memory->record(look, {}, {}));
  const auto words = flat(watch::evidence_text(chronicle_of(memory, kStart + kDay), knowledge()));
  EXPECT_THAT(words, HasSubstr("The parent zone delegates to: ns1.example.com"));
  EXPECT_THAT(words, HasSubstr("The zone itself names: ns3.example.com"));
  EXPECT_THAT(words, HasSubstr("is only on: ns1.example.com"));
  EXPECT_THAT(words, HasSubstr("example.com fails DNSSEC validation"));
  EXPECT_THAT(words, HasSubstr("ns1.example.com (192.0.2.52): serial 9"));
  EXPECT_THAT(words, HasSubstr("ns2.example.com (192.0.2.53): serial 7"));
}

TEST(Evidence, WithoutFaultsSaysSo) {
  Remembered memory;
  look_from(memory, kStart, kStart + kDay, {kSecond});
  const auto words = flat(watch::evidence_text(chronicle_of(memory, kStart + kDay), knowledge()));
  EXPECT_THAT(words, HasSubstr("Every answer was as needed."));
  EXPECT_THAT(words, Not(HasSubstr("dig ")));
}

TEST(Evidence, SaysOfADarkTimeThatServersMayHaveAnswered) {
  Remembered memory;
  look_from(memory, kStart, kStart + kDay, {kSecond});
  auto dark = look_at(kStart + kDay, {{kResolver, Quality::failing, "no answer in 3 s"}});
  dark.nothing_answers = true;
  ASSERT_TRUE(memory->record(dark, {}, {}));
  EXPECT_THAT(flat(watch::evidence_text(chronicle_of(memory, kStart + kDay), knowledge())),
              HasSubstr("because the observer's resolver, and perhaps every name server, did not answer"));
}

TEST(Evidence, TellsOfSpells) {
  Remembered memory;
  for (int i = 0; i < 40; ++i)
    look_from(memory, kStart + i * kInterval, kStart + (i + 1) * kInterval,
              i % 2 ? Said{kSecond} : Said{kSecond, Quality::failing, "REFUSED"});
  const auto words = flat(watch::evidence_text(chronicle_of(memory, kStart + kDay), knowledge()));
  EXPECT_THAT(words, HasSubstr("20 times, 2026-01-01T00:00:00Z to 2026-01-01T06:20:00Z"));
  EXPECT_THAT(words, HasSubstr("in 20 spells"));
  EXPECT_THAT(words, HasSubstr("(8 earlier ones)"));
}

// Whoever pastes the commands into a shell runs what is meant and nothing else, whatever a name is made of.
TEST(Evidence, CommandsAreSafeToPaste) {
  Remembered memory;
  auto subject = subject_of();
  subject.records[0].name = "t1;$(reboot)'`x`.example.com";
  ASSERT_TRUE(memory->record(look_at(kStart, {{kSecond, Quality::failing, "SERVFAIL"}}, subject), {}, {}));
  const auto text = watch::evidence_text(chronicle_of(memory, kStart + kDay), knowledge());
  EXPECT_THAT(text, HasSubstr("dig @192.0.2.53 't1;$(reboot)'\\''`x`.example.com' TXT"));
}

TEST(Evidence, AsJsonHasExpectationsRowsAndTheWordsOfSes) {
  Remembered memory;
  tell_a_story(memory);
  const auto value = nlohmann::json::parse(watch::evidence_json(chronicle_of(memory, kStart + 3 * kDay), knowledge()));
  EXPECT_EQ(value["runs"].size(), 9u);
  EXPECT_EQ(value["expected"][0]["expected"], "t1.dkim.amazonses.com");
  EXPECT_EQ(value["ses"][0]["ErrorType"], "DNS_SERVER_ERROR");
  EXPECT_EQ(value["ses"][0]["SOARecord"]["SerialNumber"], 2026010107);
  EXPECT_EQ(value["zones"][0]["zones"][0], "example.com");
  EXPECT_FALSE(value.contains("notices"));
}

TEST(EvidenceJson, NothingThatAZoneNamesReachesATerminalAsItIs) {
  Remembered memory;
  auto look = look_at(kStart, {{kFirst}});
  look.records.at(0).observations.at(0).server =
      "\xc2\x9b"
      "2J\x7f\x1b.example.org";
  ASSERT_TRUE(memory->record(look, {}, {}));
  const auto text = watch::evidence_json(chronicle_of(memory, kStart + 60), knowledge());
  EXPECT_THAT(text, HasSubstr("\\u009b2J\\u007f\\u001b"));
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < '\x7f'); }));
  EXPECT_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
}

}  // namespace sesame::test
