// When people are told of what: the policy and the thread behind it, by clocks of the test's own.
#include "watch/notifier.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "util/text.h"

namespace sesame::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = Notice::Kind;

constexpr std::int64_t kStart = 1'800'000'000, kMinute = 60, kHour = 3600, kDay = 86400;
const std::vector<std::chrono::seconds> kReminders = {std::chrono::hours(48), std::chrono::hours(12)};

Subject subject_of(const std::string& identity) {
  return {.identity = identity, .account = "", .region = "us-east-1", .domain = identity, .records = {}};
}

// A look in which all answered.
Look seen(const std::string& identity, std::int64_t time) {
  Look look;
  look.subject = subject_of(identity);
  look.time = time;
  return look;
}

// A watch of domains with one DKIM and one MX record each, and the policy that hears of it.
class World {
 public:
  std::optional<AlertPolicy> policy{kReminders};
  std::int64_t now = kStart;
  std::vector<Notice> told;

  void set(const std::string& identity, Part part, State to) {
    auto& record = state_of(identity, part);
    if (record.state == to) return;
    record.state = to;
    record.since = now;
    record.reason = to == State::healthy ? "" : "ns2.example.net (192.0.2.53) says so.";
    record.code = to == State::healthy ? "" : "dkim-cname-missing";
    const bool bad = to == State::degraded || to == State::missing;
    if (bad) {
      if (!record.first_bad || record.missing_until) record.first_bad = now;
      record.last_bad = now;
      record.faults = {{"ns2.example.net (192.0.2.53)", record.key.name, dns::Type::txt, "NXDOMAIN", "UDP",
                        *record.first_bad, now, 1}};
    }
    if (to == State::missing) {
      record.missing_since = now;
      record.missing_until.reset();
    } else if (record.missing_since && !bad) {
      record.missing_until = now;
    }
    if (to == State::healthy) {
      record.first_bad.reset();
      record.last_bad.reset();
      record.missing_since.reset();
      record.missing_until.reset();
      record.faults.clear();
    }
  }

  // A look at it, and what is told at once.
  std::vector<Notice> look(const std::string& identity) { return look(seen(identity, now)); }
  std::vector<Notice> look(const Look& look) {
    policy->take(look, states(look.subject.identity));
    return due();
  }
  std::vector<Notice> change(const std::string& identity, State to, Part part = Part::dkim) {
    set(identity, part, to);
    return look(identity);
  }
  std::vector<Notice> due() {
    auto notices = policy->due(now);
    told.insert(told.end(), notices.begin(), notices.end());
    return notices;
  }
  // Time passes, minute by minute; hourly looks find what is at fault as it was.
  std::vector<Notice> pass(std::int64_t seconds) {
    const auto before = told.size();
    for (const auto end = now + seconds; now < end;) {
      now = std::min(end, now + kMinute);
      if (now % kHour == 0) look_again();
      due();
    }
    return {told.begin() + static_cast<std::ptrdiff_t>(before), told.end()};
  }
  void stop_watching(const std::string& identity) {
    records_.erase(identity);
    std::vector<Subject> left;
    for (const auto& [each, records] : records_) left.push_back(subject_of(each));
    policy->keep_only(left);
  }
  void look_again() {
    for (auto& [identity, records] : records_) {
      bool at_fault = false;
      for (auto& [part, record] : records) {
        if (record.state != State::degraded && record.state != State::missing) continue;
        at_fault = true;
        record.last_bad = now;
        for (auto& fault : record.faults) fault.last = now;
      }
      if (at_fault) policy->take(seen(identity, now), states(identity));
    }
  }
  void silence(const std::string& identity, Silence::Kind kind, std::int64_t until = 0) {
    silences.push_back({"", identity, "us-east-1", kind, now, until});
    policy->set_silences(silences);
  }
  // The daemon ends and begins anew with what a memory kept.
  void restart() {
    policy.emplace(kReminders);
    policy->set_silences(silences);
    std::vector<RecordState> all;
    for (const auto& [identity, records] : records_)
      for (const auto& [part, record] : records) all.push_back(record);
    policy->restore(all, told);
  }

  std::vector<RecordState> states(const std::string& identity) {
    state_of(identity, Part::dkim);
    state_of(identity, Part::mail_from_mx);
    std::vector<RecordState> all;
    for (auto& [part, record] : records_[identity]) {
      record.checked = now;
      all.push_back(record);
    }
    return all;
  }

  std::vector<Silence> silences;

 private:
  RecordState& state_of(const std::string& identity, Part part) {
    auto& record = records_[identity][part];
    record.key = {.account = "",
                  .identity = identity,
                  .region = "us-east-1",
                  .part = part,
                  .name = (part == Part::dkim ? "t1._domainkey." : "bounce.") + identity};
    return record;
  }

  std::map<std::string, std::map<Part, RecordState>> records_;
};

std::vector<Kind> kinds(const std::vector<Notice>& notices) {
  std::vector<Kind> all;
  for (const auto& notice : notices) all.push_back(notice.kind);
  return all;
}

std::string domain(int i) {
  return fmt::format("d{}.example", i);
}

TEST(Change, IsToldOnceAndWithAllRecordsOfTheIdentity) {
  World world;
  world.set("example.com", Part::dkim, State::missing);
  const auto notices = world.change("example.com", State::degraded, Part::mail_from_mx);
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::change));
  EXPECT_EQ(notices[0].identity, "example.com");
  EXPECT_EQ(notices[0].region, "us-east-1");
  EXPECT_THAT(notices[0].changes, SizeIs(2));
  EXPECT_THAT(notices[0].title,
              HasSubstr("example.com: ns2.example.net (192.0.2.53) answered NXDOMAIN for TXT: DKIM is missing"));
  EXPECT_THAT(world.look("example.com"), IsEmpty());
  EXPECT_THAT(world.pass(kHour), IsEmpty());
}

TEST(Change, OfEachStateIsTold) {
  World world;
  for (const auto to : {State::degraded, State::missing, State::recovering, State::healthy}) {
    const auto notices = world.change("example.com", to);
    ASSERT_THAT(kinds(notices), ElementsAre(Kind::change)) << to_string(to);
    EXPECT_EQ(notices[0].changes[0].after.state, to);
    world.pass(kHour);
  }
  EXPECT_THAT(world.told, SizeIs(4));
  EXPECT_THAT(world.told[3].title, HasSubstr("healthy again"));
}

TEST(Change, OfWhatIsNoLongerWatchedIsForgotten) {
  World world;
  world.change("example.com", State::missing);
  world.stop_watching("example.com");
  EXPECT_THAT(world.pass(10 * kDay), IsEmpty());
}

TEST(Deadline, IsRecalledTwiceBeforeOnceWhenItComesAndOnceWhenItHasSurely) {
  World world;
  world.change("example.com", State::missing);
  const auto notices = world.pass(10 * kDay);
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::reminder, Kind::reminder, Kind::reminder, Kind::reminder));
  // 72 hours in vain and 48 hours before the fifth day come at the same time.
  EXPECT_EQ(notices[0].time, kStart + 3 * kDay);
  EXPECT_EQ(notices[1].time, kStart + 5 * kDay - 12 * kHour);
  EXPECT_THAT(notices[1].title, HasSubstr("SES may revoke DKIM in 12 hours"));
  EXPECT_EQ(notices[2].time, kStart + 5 * kDay);
  EXPECT_THAT(notices[2].title, HasSubstr("SES may revoke DKIM from now on"));
  EXPECT_EQ(notices[3].time, kStart + 8 * kDay);
  EXPECT_THAT(notices[3].title, HasSubstr("taken to have revoked DKIM"));
}

TEST(Deadline, OfWhatIsOnlyDegradedIsNeverSure) {
  World world;
  world.change("example.com", State::degraded);
  for (const auto& notice : world.pass(20 * kDay)) {
    EXPECT_THAT(notice.title + notice.text, Not(HasSubstr("taken to have"))) << notice.title;
    EXPECT_THAT(notice.text, Not(HasSubstr("at the latest")));
  }
}

TEST(Deadline, IsNotRecalledOnceTheRecordsAreBack) {
  World world;
  world.change("example.com", State::missing);
  world.pass(kDay);
  world.change("example.com", State::recovering);
  world.pass(kHour);
  world.change("example.com", State::healthy);
  EXPECT_THAT(world.pass(20 * kDay), IsEmpty());
}

TEST(Acknowledged, HasNoRemindersUntilItIsHealthyAgain) {
  World world;
  world.change("example.com", State::missing);
  world.pass(kHour);
  world.silence("example.com", Silence::Kind::acknowledged);
  EXPECT_THAT(world.pass(10 * kDay), IsEmpty());
  EXPECT_THAT(kinds(world.change("example.com", State::healthy)), ElementsAre(Kind::change));
  world.pass(kHour);
  // Another fault is another matter.
  EXPECT_THAT(kinds(world.change("example.com", State::missing)), ElementsAre(Kind::change));
  EXPECT_THAT(world.pass(10 * kDay), SizeIs(4));
}

TEST(Acknowledged, StillTellsOfOtherChanges) {
  World world;
  world.change("example.com", State::degraded);
  world.silence("example.com", Silence::Kind::acknowledged);
  world.pass(kHour);
  EXPECT_THAT(kinds(world.change("example.com", State::missing)), ElementsAre(Kind::change));
}

TEST(Silenced, IsToldWhatStillHoldsWhenItEnds) {
  World world;
  world.silence("example.com", Silence::Kind::silenced, kStart + kDay);
  EXPECT_THAT(world.change("example.com", State::degraded), IsEmpty());
  world.pass(kHour);
  EXPECT_THAT(world.change("example.com", State::missing), IsEmpty());
  const auto notices = world.pass(kDay + kHour);
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::change));
  EXPECT_EQ(notices[0].time, kStart + kDay);
  ASSERT_THAT(notices[0].changes, SizeIs(1));
  EXPECT_EQ(notices[0].changes[0].before.state, State::healthy);
  EXPECT_EQ(notices[0].changes[0].after.state, State::missing);
}

TEST(Silenced, IsToldNothingOfWhatCameAndWent) {
  World world;
  world.silence("example.com", Silence::Kind::silenced, kStart + kDay);
  world.change("example.com", State::missing);
  world.pass(kHour);
  world.change("example.com", State::healthy);
  EXPECT_THAT(world.pass(2 * kDay), IsEmpty());
}

TEST(Silenced, ConcernsThatIdentityAlone) {
  World world;
  world.silence("example.com", Silence::Kind::silenced, kStart + kDay);
  EXPECT_THAT(world.change("example.org", State::missing), SizeIs(1));
}

TEST(Storm, OfTenThousandIdentitiesGivesFewNotices) {
  World world;
  // 10,000 identities in ten minutes.
  for (int i = 0; i < 10'000; ++i) {
    world.set(domain(i), Part::dkim, i % 100 ? State::degraded : State::missing);
    world.policy->take(seen(domain(i), world.now), world.states(domain(i)));
    if (i % 17 != 16) continue;
    ++world.now;
    world.due();
  }
  world.pass(kHour);
  EXPECT_LE(world.told.size(), 5U + 4U);
  EXPECT_GE(world.told.size(), 6U);
  std::size_t identities = 0;
  for (const auto& notice : world.told) identities += notice.identities;
  EXPECT_EQ(identities, 10'000U);
  const auto& digest = world.told[5];
  ASSERT_EQ(digest.kind, Kind::digest);
  EXPECT_THAT(digest.title, HasSubstr("identities changed: "));
  EXPECT_THAT(digest.text, HasSubstr("more\n"));
  EXPECT_THAT(digest.text, HasSubstr("ns2.example.net (192.0.2.53): at fault for"));
  EXPECT_LT(digest.text.size(), 8192U);
  EXPECT_LT(to_json(digest).size(), 65536U);
}

TEST(Storm, OfRemindersIsToldTogether) {
  World world;
  for (int i = 0; i < 300; ++i) world.change(domain(i), State::missing);
  world.pass(kHour);
  world.told.clear();
  const auto notices = world.pass(10 * kDay);
  EXPECT_LE(notices.size(), 4U * 6U);
  EXPECT_THAT(notices.back().title, HasSubstr("Deadlines of SES"));
}

TEST(Storm, EndsAndThenIdentitiesAreToldOneByOne) {
  World world;
  for (int i = 0; i < 100; ++i) world.change(domain(i), State::missing);
  world.pass(kHour);
  EXPECT_THAT(kinds(world.change("example.com", State::degraded)), ElementsAre(Kind::change));
}

TEST(Storm, BeginsWithTheSixthIdentityWithinAMinute) {
  World world;
  for (int i = 0; i < 5; ++i) EXPECT_THAT(world.change(domain(i), State::missing), SizeIs(1)) << i;
  world.now += 30;
  EXPECT_THAT(world.change(domain(5), State::missing), IsEmpty());
  // Alone it needs no digest.
  EXPECT_THAT(kinds(world.pass(5 * kMinute)), ElementsAre(Kind::change));
}

TEST(Storm, DoesNotBeginWhenChangesAreSlow) {
  World world;
  for (int i = 0; i < 30; ++i) {
    EXPECT_THAT(world.change(domain(i), State::missing), SizeIs(1)) << i;
    world.now += 15;
  }
}

TEST(Flapping, IsToldFourTimesInAnHourAtMost) {
  World world;
  for (int i = 0; i < 144; ++i) {
    world.change("example.com", i % 2 ? State::healthy : State::degraded);
    world.pass(10 * kMinute);
  }
  EXPECT_LE(world.told.size(), 24U * 4U + 4U);
  EXPECT_GE(world.told.size(), 24U);
  // Every two minutes for a day: that is no more.
  const auto before = world.told.size();
  for (int i = 0; i < 720; ++i) {
    world.change("example.com", i % 2 ? State::healthy : State::degraded);
    world.pass(2 * kMinute);
  }
  EXPECT_LE(world.told.size() - before, 24U * 4U + 4U);
}

TEST(Flapping, EndsWithHowThingsStand) {
  World world;
  for (int i = 0; i < 9; ++i) {
    world.change("example.com", i % 2 ? State::healthy : State::missing);
    world.now += kMinute;
  }
  world.pass(2 * kHour);
  ASSERT_FALSE(world.told.empty());
  EXPECT_EQ(world.told.back().changes.back().after.state, State::missing);
}

Look blind(const std::string& identity, std::int64_t time) {
  auto look = seen(identity, time);
  look.nothing_answers = true;
  return look;
}

Look without_servers(const std::string& identity, std::int64_t time) {
  auto look = seen(identity, time);
  look.servers_unreachable = true;
  return look;
}

TEST(Silence, OfTheResolverForADayIsOneNoticeAndItsEndAnother) {
  for (const int identities : {1, 200}) {
    World world;
    for (int minute = 0; minute < 24 * 60; minute += 10) {
      for (int i = 0; i < identities; ++i) world.look(blind(domain(i), world.now));
      world.pass(10 * kMinute);
    }
    ASSERT_THAT(kinds(world.told), ElementsAre(Kind::silence)) << identities;
    EXPECT_THAT(world.told[0].title, HasSubstr("No DNS answers since 2027-01-15 08:00 UTC"));
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < identities; ++i) world.look(domain(i));
      world.pass(10 * kMinute);
    }
    ASSERT_THAT(kinds(world.told), ElementsAre(Kind::silence, Kind::restored)) << identities;
    EXPECT_THAT(world.told[1].title, HasSubstr("nothing was known for 24 hours"));
  }
}

TEST(Silence, OfAMomentIsNotTold) {
  World world;
  for (int i = 0; i < 500; ++i) world.look(blind(domain(i), world.now));
  world.now += kMinute;
  world.look(domain(1));
  world.look(blind(domain(2), world.now));
  EXPECT_THAT(world.pass(kHour), IsEmpty());
}

TEST(Silence, ThatComesAndGoesMakesNoStorm) {
  World world;
  for (int i = 0; i < 1000; ++i) {
    world.look(i % 3 ? blind(domain(i), world.now) : seen(domain(i), world.now));
    world.pass(20);
  }
  EXPECT_LE(world.told.size(), 1U);
}

TEST(Unreachable, NameServersAreToldOnceAndAgainWhenTheyAnswer) {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.look(without_servers(domain(i), world.now));
    world.pass(kMinute);
  }
  ASSERT_THAT(kinds(world.told), ElementsAre(Kind::unreachable));
  EXPECT_THAT(world.told[0].text, HasSubstr("port 53"));
  for (int i = 0; i < 3; ++i) {
    world.look(domain(i));
    world.pass(kMinute);
  }
  EXPECT_THAT(kinds(world.told), ElementsAre(Kind::unreachable, Kind::reachable));
}

TEST(Restart, TellsNothingTwice) {
  World world;
  world.change("example.com", State::missing);
  for (int i = 0; i < 20; ++i) world.change(domain(i), State::degraded);
  world.pass(4 * kDay);
  const auto before = world.told.size();
  world.restart();
  EXPECT_THAT(world.due(), IsEmpty());
  for (int i = 0; i < 20; ++i) world.look(domain(i));
  EXPECT_THAT(world.look("example.com"), IsEmpty());
  EXPECT_EQ(world.told.size(), before);
  // What comes later is told as it would have been.
  world.pass(8 * kDay);
  EXPECT_GT(world.told.size(), before);
}

TEST(Restart, TellsWhatWasNotToldBefore) {
  World world;
  world.change("example.com", State::degraded);
  world.pass(kHour);
  world.set("example.com", Part::dkim, State::missing);
  world.set("example.org", Part::mail_from_mx, State::degraded);
  world.restart();
  const auto notices = world.due();
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::change, Kind::change));
  EXPECT_EQ(notices[0].changes[0].before.state, State::degraded);
  EXPECT_EQ(notices[0].changes[0].after.state, State::missing);
}

TEST(Restart, TellsThatSomethingIsHealthyAgain) {
  World world;
  world.change("example.com", State::degraded);
  world.pass(kHour);
  world.set("example.com", Part::dkim, State::healthy);
  world.restart();
  const auto notices = world.due();
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::change));
  EXPECT_THAT(notices[0].title, HasSubstr("healthy again"));
}

TEST(Restart, KeepsSilenceAndAcknowledgement) {
  World world;
  world.silence("example.com", Silence::Kind::silenced, kStart + kDay);
  world.change("example.com", State::missing);
  world.pass(kHour);
  for (int i = 0; i < 20; ++i) world.change(domain(i), State::degraded);  // a digest, which tells not of the silenced
  world.pass(kHour);
  world.restart();
  EXPECT_THAT(world.due(), IsEmpty());
  const auto notices = world.pass(kDay);
  ASSERT_THAT(kinds(notices), ElementsAre(Kind::change));
  EXPECT_EQ(notices[0].identity, "example.com");
}

TEST(Restart, WhileNothingAnswersTellsItNotAgainButItsEnd) {
  World world;
  for (int i = 0; i < 10; ++i) {
    world.look(blind("example.com", world.now));
    world.pass(kMinute);
  }
  world.restart();
  for (int i = 0; i < 10; ++i) {
    world.look(blind("example.com", world.now));
    world.pass(kMinute);
  }
  EXPECT_THAT(kinds(world.told), ElementsAre(Kind::silence));
  for (int i = 0; i < 3; ++i) {
    world.look("example.com");
    world.pass(kMinute);
  }
  EXPECT_THAT(kinds(world.told), ElementsAre(Kind::silence, Kind::restored));
}

// The thread behind it.

class TestClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(now.load()));
  }
  std::int64_t unix_now() const override { return now; }
  std::atomic<std::int64_t> now = kStart;
};

// Takes notices, or does not.
class FakeChannel final : public Channel {
 public:
  struct Book {
    std::mutex mutex;
    std::vector<std::string> taken;
    int tries = 0;
    bool works = true;
  };
  FakeChannel(std::string name, std::shared_ptr<Book> book) : name_(std::move(name)), book_(std::move(book)) {}
  std::string name() const override { return name_; }
  Result<void> deliver(const Notice& notice) override {
    const std::lock_guard lock(book_->mutex);
    ++book_->tries;
    if (!book_->works) return failure("the " + name_ + " is broken");
    book_->taken.push_back(notice.title);
    return {};
  }

 private:
  const std::string name_;
  const std::shared_ptr<Book> book_;
};

class NotifierTest : public ::testing::Test {
 protected:
  void make(int channels) {
    std::vector<std::unique_ptr<Channel>> all;
    for (int i = 0; i < channels; ++i) {
      books.push_back(std::make_shared<FakeChannel::Book>());
      all.push_back(std::make_unique<FakeChannel>(i == 0 ? "hook" : "mail", books.back()));
    }
    notifier = std::make_unique<Notifier>(
        std::move(all), kReminders, clock,
        [this](Loudness, const std::string& line) {
          const std::lock_guard lock(mutex);
          log.push_back(line);
        },
        [this](const Notice& notice) {
          const std::lock_guard lock(mutex);
          remembered.push_back(notice.title);
        });
  }
  void change(const std::string& identity, State to) {
    world.now = clock.now;
    world.set(identity, Part::dkim, to);
    notifier->take(seen(identity, clock.now), world.states(identity));
  }
  int lines(const std::string& part) {
    const std::lock_guard lock(mutex);
    return static_cast<int>(
        std::ranges::count_if(log, [&](const auto& line) { return line.find(part) != std::string::npos; }));
  }

  TestClock clock;
  World world;
  std::mutex mutex;
  std::vector<std::string> log, remembered;
  std::vector<std::shared_ptr<FakeChannel::Book>> books;
  std::unique_ptr<Notifier> notifier;
};

TEST_F(NotifierTest, LogsAndRemembersAlsoWithoutAChannel) {
  make(0);
  change("example.com", State::missing);
  notifier->step();
  notifier->step();
  EXPECT_EQ(lines("alert: example.com: ns2.example.net (192.0.2.53)"), 1);
  EXPECT_THAT(remembered, SizeIs(1));
}

TEST_F(NotifierTest, HandsEachNoticeToEachChannelOnce) {
  make(2);
  change("example.com", State::missing);
  for (int i = 0; i < 5; ++i) notifier->step();
  EXPECT_THAT(books[0]->taken, SizeIs(1));
  EXPECT_THAT(books[1]->taken, SizeIs(1));
  EXPECT_THAT(remembered, SizeIs(1));
}

TEST_F(NotifierTest, TriesAgainAfterOneFiveAndFifteenMinutesAndThenGivesUp) {
  make(1);
  books[0]->works = false;
  change("example.com", State::missing);
  std::vector<std::int64_t> times;
  for (int tries = 0; clock.now < kStart + kHour; ++clock.now) {
    notifier->step();
    if (books[0]->tries > tries) times.push_back(clock.now - kStart);
    tries = books[0]->tries;
  }
  EXPECT_THAT(times, ElementsAre(0, 60, 360, 1260));
  EXPECT_EQ(lines("the hook is broken; it is tried again"), 1);
  EXPECT_EQ(lines("is given up"), 1);
  // It is not told again for that.
  EXPECT_THAT(remembered, SizeIs(1));
}

TEST_F(NotifierTest, DoesNotRememberWhatNobodyWasToldYet) {
  make(1);
  books[0]->works = false;
  change("example.com", State::missing);
  notifier->step();
  notifier->stop();
  EXPECT_THAT(remembered, IsEmpty());
}

TEST_F(NotifierTest, ABrokenChannelKeepsNoOtherFromBeingTold) {
  make(2);
  books[0]->works = false;
  change("example.com", State::missing);
  notifier->step();
  EXPECT_THAT(books[1]->taken, SizeIs(1));
  EXPECT_THAT(remembered, SizeIs(1));
  books[0]->works = true;
  clock.now += kMinute;
  notifier->step();
  EXPECT_THAT(books[0]->taken, SizeIs(1));
  EXPECT_THAT(books[1]->taken, SizeIs(1));
  EXPECT_EQ(lines("the hook takes alerts again"), 1);
}

TEST_F(NotifierTest, LogsOnceThatAChannelIsBroken) {
  make(1);
  books[0]->works = false;
  for (int i = 0; i < 20; ++i) {
    change(domain(i), State::missing);
    notifier->step();
    clock.now += 20;
  }
  EXPECT_EQ(lines("; it is tried again"), 1);
}

TEST_F(NotifierTest, DropsTheOldestOfAFullQueue) {
  make(1);
  books[0]->works = false;
  for (int i = 0; i < 105; ++i) {
    // Each alone in its minute, in less than the time of all retries together.
    change(domain(i), State::missing);
    notifier->step();
    clock.now += 12;
  }
  EXPECT_EQ(lines("too many alerts wait"), 5);
  EXPECT_EQ(lines("\"d0.example: "), 1);
}

// A machine that starts with a clock far ahead, and is put right.
TEST_F(NotifierTest, AClockThatIsPutBackSilencesNothing) {
  make(1);
  clock.now = kStart + 30 * kDay;
  books[0]->works = false;
  for (int i = 0; i < 10; ++i) change(domain(i), State::degraded);
  for (int i = 0; i < 4; ++i) notifier->step();  // one by one, and the beginning of a storm
  EXPECT_EQ(books[0]->tries, 5);
  clock.now = kStart;
  books[0]->works = true;
  notifier->step();
  EXPECT_THAT(books[0]->taken, SizeIs(testing::Ge(5u)));  // what failed, and was to be tried again in 30 days
  for (int i = 20; i < 30; ++i) change(domain(i), State::missing);
  for (int passed = 0; passed < kHour; passed += kMinute, clock.now += kMinute) notifier->step();
  EXPECT_GT(lines("alert: "), 5);  // many of them together
}

// Each identity has a few alerts in an hour: of an hour that is still to come there are none.
TEST_F(NotifierTest, WhatWasToldByAClockThatWasAheadCountsNoLonger) {
  make(0);
  clock.now = kStart + 30 * kDay;
  for (int i = 0; i < 8; ++i) {
    change("example.com", i % 2 == 0 ? State::missing : State::healthy);
    notifier->step();
    clock.now += 2 * kMinute;
  }
  const auto before = lines("alert: ");
  clock.now = kStart;
  change("example.com", State::missing);
  notifier->step();
  EXPECT_EQ(lines("alert: "), before + 1);
}

TEST(AlertPolicyClock, WhatAllLooksHaveInCommonIsToldThoughTheClockIsPutBack) {
  World world;
  auto silent = seen("example.com", kStart + 30 * kDay);
  silent.nothing_answers = true;
  world.policy->take(silent, {});
  for (int i = 0; i < 3; ++i, world.now += kMinute) {
    silent.time = world.now;
    world.policy->take(silent, {});
    world.due();
  }
  EXPECT_THAT(world.told, SizeIs(1));
}

// As a library may, when memory is short.
class ThrowingChannel final : public Channel {
 public:
  std::string name() const override { return "thrower"; }
  Result<void> deliver(const Notice&) override { throw std::bad_alloc(); }
};

TEST_F(NotifierTest, WhatALibraryThrowsIsAFailureOfItsChannelAlone) {
  auto book = std::make_shared<FakeChannel::Book>();
  std::vector<std::unique_ptr<Channel>> channels;
  channels.push_back(std::make_unique<ThrowingChannel>());
  channels.push_back(std::make_unique<FakeChannel>("mail", book));
  notifier = std::make_unique<Notifier>(
      std::move(channels), kReminders, clock,
      [this](Loudness, const std::string& line) {
        const std::lock_guard lock(mutex);
        log.push_back(line);
      },
      [](const Notice&) {});
  change("example.com", State::missing);
  notifier->step();
  EXPECT_THAT(book->taken, SizeIs(1));
  EXPECT_EQ(lines("the thrower: "), 1);
}

TEST_F(NotifierTest, WorksOnAThreadOfItsOwn) {
  make(1);
  ASSERT_TRUE(notifier->start());
  change("example.com", State::missing);
  for (int i = 0; i < 1000; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::lock_guard lock(books[0]->mutex);
    if (!books[0]->taken.empty()) break;
  }
  notifier->stop();
  EXPECT_THAT(books[0]->taken, SizeIs(1));
}

TEST(NotifierMake, NamesTheSettingThatCannotBeUsed) {
  TestClock clock;
  AlertOptions options;
  options.hook = {"page-postmaster"};
  const auto notifier = Notifier::make(
      options, clock, [](Loudness, const std::string&) {}, [](const Notice&) {});
  ASSERT_FALSE(notifier);
  EXPECT_THAT(notifier.error().message, HasSubstr("watch.hook"));
}

}  // namespace
}  // namespace sesame::watch
