// Who looks, and what the others hear.
#include "milter/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/told.h"
#include "history/fleet.h"
#include "history/postgres/server.h"
#include "watch/exchange.h"

namespace sesame::milter::tests {
namespace {

using history::tests::control;
using history::tests::new_database;
using history::tests::number;
using history::tests::url_of;
using Role = milter::Fleet::Role;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Fleet : public ::testing::Test {
 protected:
  bool becomes(const milter::Fleet& fleet, Role role) {
    return comes([&] { return fleet.role() == role; });
  }
  // As the watch of the host that looks does.
  bool tells(milter::Fleet& from, const watch::Past& past) {
    if (!comes([&] { return from.wants(); })) return false;
    from.tell(past);
    return true;
  }
  std::optional<watch::Past> hears(milter::Fleet& fleet) {
    std::optional<watch::Past> news;
    comes([&] { return (news = fleet.news()).has_value(); });
    return news;
  }

  const std::string database_ = new_database();
  const std::string url_ = url_of(database_);
  const watch::RecordKey key_{"", "example.com", "us-east-1", watch::Part::dkim, "a._domainkey.example.com"};
  Log log_;
  milter::Fleet first_{log_}, second_{log_};
};

TEST_F(Fleet, WhoIsAloneLooks) {
  first_.join("");
  EXPECT_EQ(first_.role(), Role::looks);
  EXPECT_FALSE(first_.wants());
  EXPECT_FALSE(first_.news());
}

TEST_F(Fleet, OneLooksAndTheOthersHearWhatItFinds) {
  first_.join(url_);
  ASSERT_TRUE(becomes(first_, Role::looks));
  second_.join(url_);
  ASSERT_TRUE(becomes(second_, Role::listens));
  ASSERT_TRUE(tells(first_, {{degraded(key_)}, {}}));
  // What is new is asked for every half minute.
  const auto news = hears(second_);
  ASSERT_TRUE(news);
  ASSERT_THAT(news->states, SizeIs(1));
  EXPECT_EQ(news->states[0].key, key_);
  EXPECT_EQ(news->states[0].state, watch::State::degraded);
  EXPECT_FALSE(second_.wants());
  EXPECT_EQ(first_.role(), Role::looks);
}

TEST_F(Fleet, WhenTheOneGoesAwayAnotherTakesOverWithWhatItFound) {
  first_.join(url_);
  ASSERT_TRUE(becomes(first_, Role::looks));
  watch::Notice told;
  told.time = 1'800'000'000;
  told.title = "example.com: DKIM is degraded";
  ASSERT_TRUE(tells(first_, {{degraded(key_)}, {told}}));
  ASSERT_TRUE(comes([&] { return number(database_, "SELECT count(*) FROM sesame_meta WHERE name = 'watch'") == 1; }));
  second_.join(url_);
  ASSERT_TRUE(becomes(second_, Role::listens));
  first_.leave();
  ASSERT_TRUE(becomes(second_, Role::looks));
  const auto news = second_.news();
  ASSERT_TRUE(news);
  EXPECT_THAT(news->states, SizeIs(1));
  ASSERT_THAT(news->notices, SizeIs(1));
  EXPECT_EQ(news->notices[0].title, told.title);
}

// The one that is cut off by the server does not know: its connection ends, and it finds that another has begun.
TEST_F(Fleet, WhoLosesItsPlaceListens) {
  first_.join(url_);
  ASSERT_TRUE(becomes(first_, Role::looks));
  const auto other = history::join_fleet(url_);
  ASSERT_TRUE(other);
  ASSERT_FALSE((*other)->hold().value());
  number("postgres",
         "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_locks WHERE locktype = 'advisory' AND "
         "classid = 1399157601 AND objid = 3 AND granted");
  ASSERT_TRUE(comes([&] { return (*other)->hold().value_or(false); }));
  EXPECT_TRUE(becomes(first_, Role::listens));
}

TEST_F(Fleet, WithoutTheDatabaseTheOneGoesOnAndTheOtherWaits) {
  first_.join(url_);
  ASSERT_TRUE(becomes(first_, Role::looks));
  second_.join(url_);
  ASSERT_TRUE(becomes(second_, Role::listens));
  ASSERT_TRUE(control("stop -m immediate"));
  // Long enough for both to notice.
  std::this_thread::sleep_for(std::chrono::seconds(7));
  EXPECT_EQ(first_.role(), Role::looks);
  EXPECT_EQ(second_.role(), Role::listens);
  milter::Fleet third(log_);
  third.join(url_);
  EXPECT_TRUE(becomes(third, Role::looks));
  third.leave();
  ASSERT_TRUE(control("start"));
  EXPECT_TRUE(comes([&] { return (first_.role() == Role::looks) != (second_.role() == Role::looks); }));
}

TEST(Exchange, WhatIsToldIsHeard) {
  watch::Past past{{degraded({"", "example.com", "us-east-1", watch::Part::dkim, "a._domainkey.example.com"})}, {}};
  past.states[0].earlier = watch::PastAbsence{1, 2};
  past.states[0].reason = "hostile \xff \"text\"\n";
  auto& notice = past.notices.emplace_back();
  notice.kind = watch::Notice::Kind::reminder;
  notice.time = 7;
  notice.identity = "example.com";
  notice.deadline = watch::Deadline{watch::Deadline::Kind::revocation, 8, 9};
  notice.changes = {{past.states[0], past.states[0]}};
  auto& sight = past.sights.emplace_back();
  sight.identity = "example.com";
  sight.delegation = ses::DelegationMismatch{{"a"}, {"b"}, "c", {"d"}};
  const auto text = watch::text_of(past);
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
  const auto read = watch::parse_past(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(watch::text_of(*read), text);
  EXPECT_EQ(read->states[0].earlier->until, 2);
  EXPECT_EQ(read->notices[0].deadline->latest, 9);
  EXPECT_EQ(read->sights[0].delegation->only_on[0], "d");
}

TEST(Exchange, WhatIsDamagedIsNotTaken) {
  const auto text = watch::text_of({{degraded({"", "example.com", "", watch::Part::dmarc, "n"})}, {}});
  EXPECT_FALSE(watch::parse_past(""));
  EXPECT_FALSE(watch::parse_past("[]"));
  EXPECT_FALSE(watch::parse_past("{\"version\":2,\"states\":[],\"notices\":[],\"sights\":[]}"));
  EXPECT_FALSE(watch::parse_past("{\"version\":1,\"states\":[[1]],\"notices\":[],\"sights\":[]}"));
  EXPECT_FALSE(
      watch::parse_past("{\"version\":1,\"states\":[[\"\",\"\",\"\",\"no part\",\"\",\"{}\"]],\"notices\":[],"
                        "\"sights\":[]}"));
  for (std::size_t end = 0; end < text.size(); ++end) EXPECT_FALSE(watch::parse_past(text.substr(0, end)));
}

}  // namespace
}  // namespace sesame::milter::tests
