// The questions, asked of either kind of store. Backend makes an empty one: store() and reader().
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "history/questions.h"
#include "history/store.h"

namespace sesame::test {

using history::Alignment;
using history::By;
using history::Filter;
using history::Row;
using history::Scope;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline constexpr std::int64_t kNoon = 1767268800;  // 2026-01-01T12:00:00Z

// Outbound, aligned by both, at noon and `sequence` seconds.
inline Row sent(std::int64_t sequence, const std::string& domain = "example.com") {
  Row row;
  row.origin = "aa";
  row.sequence = sequence;
  row.time = (kNoon + sequence) * 1'000'000;
  row.host = "mx1.example.net";
  row.queue_id = "Q" + std::to_string(sequence);
  row.direction = "outbound";
  row.from_domain = domain;
  row.mail_from = "bounce@" + domain;
  row.message_id = "<" + std::to_string(sequence) + "@" + domain + ">";
  row.client = "192.0.2.1";
  row.verdict = "pass";
  row.alignment = Alignment::both;
  row.action = "accept";
  row.why = "It is aligned.";
  row.story = "{\"sequence\":" + std::to_string(sequence) + "}";
  return row;
}

inline Row failed(std::int64_t sequence, const std::string& domain = "example.com",
                  const std::string& code = "dkim-cname-missing") {
  auto row = sent(sequence, domain);
  row.verdict = "fail";
  row.alignment = Alignment::none;
  row.action = "observe";
  row.code = code;
  row.why = "Nothing is aligned with " + domain + ".";
  return row;
}

inline Row received(std::int64_t sequence, const std::string& domain, const std::string& verdict,
                    const std::string& disposition = "") {
  auto row = sent(sequence, domain);
  row.direction = "inbound";
  row.verdict = verdict;
  row.alignment = verdict == "pass" ? Alignment::dkim : Alignment::none;
  row.disposition = disposition;
  return row;
}

inline const Scope kAlways{};

template <class T>
T value_of(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *std::move(result) : T{};
}

inline std::vector<std::int64_t> sequences(const std::vector<Row>& rows) {
  std::vector<std::int64_t> all;
  for (const auto& row : rows) all.push_back(row.sequence);
  return all;
}

template <class Backend>
class Questions : public ::testing::Test {
 protected:
  void write(const std::vector<Row>& rows) {
    const auto done = backend.store().write(rows);
    ASSERT_TRUE(done) << done.error().message;
  }
  history::Reader& reader() { return backend.reader(); }
  std::vector<std::int64_t> found(const Filter& filter) { return sequences(value_of(history::find(reader(), filter))); }

  Backend backend;
};
TYPED_TEST_SUITE_P(Questions);

TYPED_TEST_P(Questions, TalliesCountByDomainAndDirection) {
  auto dkim = sent(3);
  dkim.alignment = Alignment::dkim;
  this->write({sent(1), sent(2), dkim, failed(4), failed(5, "example.com", "mailfrom-mx"), failed(6),
               received(7, "example.com", "pass"), sent(8, "example.org")});
  const auto all = value_of(history::tallies(this->reader(), kAlways, 10));
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].from_domain, "example.com");
  EXPECT_EQ(all[0].direction, "outbound");
  EXPECT_EQ(all[0].tally.messages, 6u);
  EXPECT_EQ(all[0].tally.both, 2u);
  EXPECT_EQ(all[0].tally.dkim, 1u);
  EXPECT_EQ(all[0].tally.none, 3u);
  EXPECT_EQ(all[0].tally.pass, 3u);
  EXPECT_EQ(all[0].tally.fail, 3u);
  EXPECT_EQ(all[0].tally.observed, 3u);
  EXPECT_EQ(all[0].tally.hit, 3u);
  ASSERT_THAT(all[0].reasons, SizeIs(3));
  EXPECT_EQ(all[0].reasons[0].code, "");
  EXPECT_EQ(all[0].reasons[0].messages, 3u);
  EXPECT_EQ(all[0].reasons[1].code, "dkim-cname-missing");
  EXPECT_EQ(all[0].reasons[1].messages, 2u);
  EXPECT_EQ(all[0].reasons[2].code, "mailfrom-mx");
  EXPECT_EQ(all[1].direction, "inbound");
  EXPECT_EQ(all[2].from_domain, "example.org");
}

TYPED_TEST_P(Questions, TalliesKeepTheMostFrequentDomains) {
  this->write({sent(1, "a.example"), sent(2, "b.example"), sent(3, "b.example"), failed(4, "c.example")});
  const auto most = value_of(history::tallies(this->reader(), kAlways, 2));
  ASSERT_THAT(most, SizeIs(2));
  EXPECT_EQ(most[0].from_domain, "b.example");
  EXPECT_EQ(most[1].from_domain, "a.example");
  EXPECT_THAT(most[1].reasons, SizeIs(1));
}

TYPED_TEST_P(Questions, TotalCountsWhatTheRulesCouldHit) {
  auto vouched = received(5, "example.org", "fail", "reject");
  vouched.forwarder = "lists.example.net";
  auto refused = failed(7);
  refused.verdict = "refused";
  this->write({failed(1), received(2, "example.org", "fail", "reject"), received(3, "example.org", "fail", "none"),
               received(4, "", "permerror"), vouched, received(6, "example.org", "temperror"), refused});
  const auto total = value_of(history::total(this->reader(), kAlways));
  EXPECT_EQ(total.messages, 7u);
  EXPECT_EQ(total.hit, 4u);
  EXPECT_EQ(total.undecided, 2u);
  EXPECT_EQ(total.refused, 1u);
}

TYPED_TEST_P(Questions, OfNothingAreNought) {
  EXPECT_EQ(value_of(history::total(this->reader(), kAlways)).messages, 0u);
  EXPECT_THAT(value_of(history::tallies(this->reader(), kAlways, 10)), IsEmpty());
  EXPECT_THAT(value_of(history::messages_of(this->reader(), "Q1")), IsEmpty());
  EXPECT_EQ(value_of(history::period(this->reader())).newest, 0);
  EXPECT_EQ(value_of(history::simulate(this->reader(), kAlways, {})).messages, 0u);
  EXPECT_THAT(value_of(history::marks(this->reader())), IsEmpty());
}

TYPED_TEST_P(Questions, CountWholeHours) {
  this->write({sent(-1), sent(0), sent(3599), sent(3600)});
  const auto count = [this](std::int64_t since, std::int64_t until) {
    return value_of(history::total(this->reader(), {kNoon + since, until == 0 ? 0 : kNoon + until, "", "", ""}))
        .messages;
  };
  EXPECT_EQ(count(0, 3600), 2u);
  EXPECT_EQ(count(1800, 3600), 2u);  // the hour that `since` cuts counts
  EXPECT_EQ(count(0, 3601), 2u);     // the one that `until` cuts does not
  EXPECT_EQ(count(0, 7200), 3u);
  EXPECT_EQ(count(-3600, 0), 4u);  // no end
}

TYPED_TEST_P(Questions, SeriesHasEverySlot) {
  this->write({sent(10), failed(20), sent(3 * 3600)});
  const auto slots = value_of(history::series(this->reader(), {kNoon, kNoon + 4 * 3600, "", "", ""}, 3600));
  ASSERT_THAT(slots, SizeIs(4));
  EXPECT_EQ(slots[0].begin, kNoon);
  EXPECT_EQ(slots[0].tally.messages, 2u);
  EXPECT_EQ(slots[0].tally.fail, 1u);
  EXPECT_EQ(slots[1].tally.messages, 0u);
  EXPECT_EQ(slots[3].tally.messages, 1u);
  const auto halves = value_of(history::series(this->reader(), {kNoon, kNoon + 4 * 3600, "", "", ""}, 7200));
  ASSERT_THAT(halves, SizeIs(2));
  EXPECT_EQ(halves[1].tally.messages, 1u);
}

TYPED_TEST_P(Questions, SeriesHasItsLimits) {
  EXPECT_FALSE(history::series(this->reader(), {0, kNoon, "", "", ""}, 3600));
  EXPECT_FALSE(history::series(this->reader(), {0, kNoon, "", "", ""}, 1800));
  EXPECT_THAT(value_of(history::series(this->reader(), {kNoon, kNoon, "", "", ""}, 3600)), IsEmpty());
}

TYPED_TEST_P(Questions, ADomainHasWhatIsBelowIt) {
  this->write({sent(1), sent(2, "news.example.com"), sent(3, "badexample.com"), sent(4, "example.com.example")});
  EXPECT_EQ(value_of(history::total(this->reader(), {0, 0, "", "Example.COM", ""})).messages, 2u);
  Filter filter;
  filter.scope.from_domain = "example.com";
  EXPECT_THAT(this->found(filter), ElementsAre(2, 1));
}

TYPED_TEST_P(Questions, WildcardsAreTextLikeAnyOther) {
  this->write({sent(1, "a_c.example"), sent(2, "abc.example"), sent(3, "sub.a_c.example"), sent(4, "x!y.example")});
  EXPECT_EQ(value_of(history::total(this->reader(), {0, 0, "", "a_c.example", ""})).messages, 2u);
  EXPECT_EQ(value_of(history::total(this->reader(), {0, 0, "", "%", ""})).messages, 0u);
  Filter filter;
  filter.search = "A_C";
  EXPECT_THAT(this->found(filter), ElementsAre(3, 1));
  filter.search = "%";
  EXPECT_THAT(this->found(filter), IsEmpty());
  filter.search = "x!y";
  EXPECT_THAT(this->found(filter), ElementsAre(4));
}

TYPED_TEST_P(Questions, HostileTextIsLookedForAndNotObeyed) {
  const std::string hostile = "'; DROP TABLE sesame_message; --";
  auto row = sent(1);
  row.queue_id = hostile;
  this->write({row, sent(2)});
  Filter filter;
  filter.search = hostile;
  EXPECT_THAT(this->found(filter), ElementsAre(1));
  EXPECT_THAT(value_of(history::messages_of(this->reader(), hostile)), SizeIs(1));
  for (const auto* text : {"\\", "$1", "\xff\xfe", "a\"b'c", "%s"}) {
    filter.search = text;
    EXPECT_THAT(this->found(filter), IsEmpty()) << text;
  }
  filter.search = std::string("a\0b", 3);
  EXPECT_THAT(this->found(filter), IsEmpty());
  filter.search = std::string(100'000, '%');
  EXPECT_THAT(this->found(filter), IsEmpty());
}

TYPED_TEST_P(Questions, FindTakesEveryCondition) {
  auto elsewhere = sent(4);
  elsewhere.host = "mx2.example.net";
  this->write({sent(1), failed(2), received(3, "example.org", "fail", "reject"), elsewhere});
  Filter filter;
  filter.verdict = "fail";
  EXPECT_THAT(this->found(filter), ElementsAre(3, 2));
  filter.scope.direction = "outbound";
  EXPECT_THAT(this->found(filter), ElementsAre(2));
  const auto with = [this](auto Filter::*member, auto value) {
    Filter one;
    one.*member = value;
    return this->found(one);
  };
  EXPECT_THAT(with(&Filter::action, "observe"), ElementsAre(2));
  EXPECT_THAT(with(&Filter::code, "dkim-cname-missing"), ElementsAre(2));
  EXPECT_THAT(with(&Filter::scope, Scope{0, 0, "", "", "mx2.example.net"}), ElementsAre(4));
  EXPECT_THAT(with(&Filter::scope, Scope{kNoon + 2, kNoon + 4, "", "", ""}), ElementsAre(3, 2));
}

TYPED_TEST_P(Questions, PagesFollowWithoutGapOrRepetition) {
  std::vector<Row> rows;
  for (std::int64_t i = 1; i <= 10; ++i) {
    rows.push_back(sent(i));
    rows.back().time = (kNoon + i / 4) * 1'000'000;  // several at one time
    if (i % 2 == 0) rows.back().origin = "bb";
  }
  this->write(rows);
  std::vector<std::pair<std::string, std::int64_t>> seen;
  Filter filter;
  filter.most = 3;
  for (int page = 0; page < 10; ++page) {
    const auto found = value_of(history::find(this->reader(), filter));
    if (found.empty()) break;
    for (const auto& row : found) seen.emplace_back(row.origin, row.sequence);
    filter.before_time = found.back().time;
    filter.before_origin = found.back().origin;
    filter.before_sequence = found.back().sequence;
  }
  EXPECT_THAT(seen, SizeIs(10));
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::unique(seen).begin(), seen.end());
}

TYPED_TEST_P(Questions, WhatArrivesLateIsSeenAllTheSame) {
  this->write({sent(1), sent(2)});
  auto marks = value_of(history::marks(this->reader()));
  EXPECT_EQ(marks["aa"], 2);
  EXPECT_THAT(value_of(history::arrived(this->reader(), marks, {})), IsEmpty());
  auto late = failed(1);
  late.origin = "bb";
  late.time -= 86400ll * 1'000'000;
  this->write({late, sent(3), failed(4)});
  auto arrived = value_of(history::arrived(this->reader(), marks, {}));
  ASSERT_THAT(arrived, SizeIs(3));
  EXPECT_EQ(arrived[0].origin, "bb");
  EXPECT_THAT(value_of(history::arrived(this->reader(), marks, {})), IsEmpty());
  Filter failing;
  failing.verdict = "fail";
  failing.most = 1;
  this->write({failed(5), sent(6), failed(7), sent(8)});
  EXPECT_THAT(sequences(value_of(history::arrived(this->reader(), marks, failing))), ElementsAre(5));
  EXPECT_THAT(sequences(value_of(history::arrived(this->reader(), marks, failing))), ElementsAre(7));
  EXPECT_THAT(value_of(history::arrived(this->reader(), marks, failing)), IsEmpty());
  EXPECT_EQ(marks["aa"], 8);
}

TYPED_TEST_P(Questions, MessagesOfAnIdComeWithTheirStories) {
  auto again = sent(9);
  again.queue_id = "Q1";
  this->write({sent(1), sent(2), again});
  const auto rows = value_of(history::messages_of(this->reader(), "Q1"));
  ASSERT_THAT(sequences(rows), ElementsAre(9, 1));
  EXPECT_EQ(rows[0].story, "{\"sequence\":9}");
  EXPECT_EQ(rows[1].why, "It is aligned.");
  EXPECT_EQ(rows[1].alignment, Alignment::both);
  EXPECT_EQ(value_of(history::period(this->reader())).oldest, sent(1).time);
  EXPECT_EQ(value_of(history::period(this->reader())).newest, again.time);
}

TYPED_TEST_P(Questions, TopCountsEachColumn) {
  auto other = failed(4);
  other.client = "192.0.2.2";
  this->write({sent(1), sent(2, "example.org"), failed(3), other});
  for (const auto by : {By::from_domain, By::client, By::mail_from, By::host, By::action, By::verdict}) {
    const auto top = value_of(history::top(this->reader(), kAlways, by, 1));
    ASSERT_THAT(top, SizeIs(1));
    EXPECT_GE(top[0].messages, 2u);
  }
  const auto clients = value_of(history::top(this->reader(), kAlways, By::client, 10));
  ASSERT_THAT(clients, SizeIs(2));
  EXPECT_EQ(clients[0].value, "192.0.2.1");
  EXPECT_EQ(clients[0].messages, 3u);
  EXPECT_EQ(clients[0].bad, 1u);
  const auto codes = value_of(history::top(this->reader(), kAlways, By::code, 10));
  ASSERT_THAT(codes, SizeIs(1));
  EXPECT_EQ(codes[0].value, "dkim-cname-missing");
}

TYPED_TEST_P(Questions, SimulateTellsWhatChanges) {
  policy::Rules rules;
  rules.outbound.fail = policy::Level::hold;
  rules.overrides.push_back({"quiet.example", {}});
  auto held = failed(5);
  held.action = "hold";
  auto newest = failed(6);
  newest.why = "The newest of them.";
  this->write({sent(1), failed(2), failed(3), failed(4, "quiet.example"), held, newest,
               received(7, "example.org", "fail", "reject")});
  const auto simulated = value_of(history::simulate(this->reader(), kAlways, rules));
  EXPECT_EQ(simulated.messages, 7u);
  EXPECT_EQ(simulated.outbound, 6u);
  EXPECT_EQ(simulated.inbound, 1u);
  ASSERT_THAT(simulated.changed, SizeIs(2));
  const auto& line = simulated.changed[0];
  EXPECT_EQ(line.from_domain, "example.com");
  EXPECT_EQ(line.before, "observe");
  EXPECT_EQ(line.after, "hold");
  EXPECT_EQ(line.messages, 3u);
  EXPECT_EQ(line.queue_id, "Q6");
  EXPECT_EQ(line.why, "The newest of them.");
  // As accepted then, it is let through now: there is a word for what is only observed.
  EXPECT_EQ(simulated.changed[1].before, "accept");
  EXPECT_EQ(simulated.changed[1].after, "observe");
}

TYPED_TEST_P(Questions, SimulateBelievesWhomTheRulesTrust) {
  auto vouched = received(1, "example.org", "fail", "reject");
  vouched.forwarder = "lists.example.net";
  this->write({vouched, received(2, "", "permerror"), received(3, "example.org", "temperror")});
  policy::Rules rules;
  rules.on_policy_reject = policy::Handling::reject;
  rules.trusted_sealers = {"lists.example.net"};
  rules.on_bad_author = policy::Handling::quarantine;
  rules.tempfail_on_temperror = true;
  const auto after = [&] {
    std::vector<std::string> words;
    for (const auto& line : value_of(history::simulate(this->reader(), kAlways, rules)).changed)
      words.push_back(line.queue_id + " " + line.after);
    std::ranges::sort(words);
    return words;
  };
  EXPECT_THAT(after(), ElementsAre("Q2 hold", "Q3 tempfail"));
  rules.trusted_sealers.clear();
  EXPECT_THAT(after(), ElementsAre("Q1 reject", "Q2 hold", "Q3 tempfail"));
}

REGISTER_TYPED_TEST_SUITE_P(Questions, TalliesCountByDomainAndDirection, TalliesKeepTheMostFrequentDomains,
                            TotalCountsWhatTheRulesCouldHit, OfNothingAreNought, CountWholeHours, SeriesHasEverySlot,
                            SeriesHasItsLimits, ADomainHasWhatIsBelowIt, WildcardsAreTextLikeAnyOther,
                            HostileTextIsLookedForAndNotObeyed, FindTakesEveryCondition,
                            PagesFollowWithoutGapOrRepetition, WhatArrivesLateIsSeenAllTheSame,
                            MessagesOfAnIdComeWithTheirStories, TopCountsEachColumn, SimulateTellsWhatChanges,
                            SimulateBelievesWhomTheRulesTrust);

}  // namespace sesame::test
