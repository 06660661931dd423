// What SES has made of an outage, by its clocks: the table of phases.
#include "ses/clocks.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sesame::ses {
namespace {

using Phase = Clocks::Phase;

constexpr std::int64_t kStart = 1'700'000'000, kDay = 24 * kHour;

// In hours from kStart.
struct ClockCase {
  std::string name;
  std::int64_t first_bad;
  std::optional<std::int64_t> missing;
  std::optional<std::int64_t> restored;
  std::optional<std::int64_t> content;
  std::int64_t now;
  Phase phase;
  Tri goes_on;
};
void PrintTo(const ClockCase& c, std::ostream* out) {
  *out << c.name;
}

std::optional<std::int64_t> at(std::optional<std::int64_t> hours) {
  return hours ? std::optional(kStart + *hours * kHour) : std::nullopt;
}

Outage outage_of(const ClockCase& c) {
  return {{"t1._domainkey.example.com"}, kStart + c.first_bad * kHour, at(c.missing), at(c.restored)};
}

class DkimClocks : public testing::TestWithParam<ClockCase> {};

TEST_P(DkimClocks, Phase) {
  const auto& c = GetParam();
  const auto clocks = dkim_clocks(outage_of(c), at(c.content), kStart + c.now * kHour);
  EXPECT_STREQ(to_string(clocks.phase), to_string(c.phase));
  EXPECT_EQ(clocks.goes_on, c.goes_on);
}

constexpr auto kNo = std::nullopt;
const std::vector<ClockCase> kDkim = {
    {"SomeServerFails", 0, kNo, kNo, kNo, 1, Phase::may_have_stopped, Tri::unknown},
    {"SomeServerFailsForFourDays", 0, kNo, kNo, kNo, 96, Phase::may_have_stopped, Tri::unknown},
    {"SomeServerFailsForMonths", 0, kNo, kNo, kNo, 2000, Phase::may_be_revoked, Tri::unknown},
    {"SomeServerFailedForMonths", 0, kNo, 2000, kNo, 2001, Phase::as_usual, Tri::yes},
    {"JustGone", 0, 0, kNo, kNo, 0, Phase::may_have_stopped, Tri::unknown},
    {"GoneForNearly72Hours", 0, 0, kNo, kNo, 71, Phase::may_have_stopped, Tri::unknown},
    {"GoneFor72Hours", 0, 0, kNo, kNo, 72, Phase::has_stopped, Tri::no},
    {"DegradedFirst", 0, 24, kNo, kNo, 72, Phase::may_have_stopped, Tri::unknown},
    {"DegradedFirstAndRevokedPerhaps", 0, 100, kNo, kNo, 121, Phase::may_be_revoked, Tri::unknown},
    {"GoneForFiveDays", 0, 0, kNo, kNo, 120, Phase::may_be_revoked, Tri::no},
    {"GoneForEightDays", 0, 0, kNo, kNo, 192, Phase::revoked, Tri::no},
    {"BackAfterAnHour", 0, 0, 1, kNo, 2, Phase::may_have_stopped, Tri::unknown},
    {"BackWithinFiveDays", 0, 0, 119, kNo, 120, Phase::may_have_stopped, Tri::unknown},
    {"BackWithinFiveDaysFor72Hours", 0, 0, 119, kNo, 191, Phase::as_usual, Tri::yes},
    {"BackAfterFiveDays", 0, 0, 120, kNo, 1000, Phase::may_be_revoked, Tri::unknown},
    {"BackAfterEightDays", 0, 0, 192, kNo, 1000, Phase::revoked, Tri::no},
    // SES was content meanwhile: the clocks start there.
    {"ContentWhileItLasts", 0, 0, kNo, 79, 80, Phase::may_have_stopped, Tri::unknown},
    {"ContentLongAgoWhileItLasts", 0, 0, kNo, 10, 82, Phase::has_stopped, Tri::no},
    {"ContentBefore", 0, 0, kNo, -1, 80, Phase::has_stopped, Tri::no},
    {"ContentAfterIt", 0, 0, 192, 193, 194, Phase::as_usual, Tri::yes},
    {"ContentShortlyBeforeItWasBack", 0, 0, 192, 190, 194, Phase::may_have_stopped, Tri::unknown},
};
INSTANTIATE_TEST_SUITE_P(Clocks, DkimClocks, testing::ValuesIn(kDkim),
                         [](const auto& each) { return each.param.name; });

class MailFromClocks : public testing::TestWithParam<ClockCase> {};

TEST_P(MailFromClocks, Phase) {
  const auto& c = GetParam();
  const auto clocks = mail_from_clocks(outage_of(c), at(c.content), kStart + c.now * kHour);
  EXPECT_STREQ(to_string(clocks.phase), to_string(c.phase));
  EXPECT_EQ(clocks.goes_on, c.goes_on);
}

const std::vector<ClockCase> kMailFrom = {
    {"SomeServerFails", 0, kNo, kNo, kNo, 1, Phase::may_have_stopped, Tri::unknown},
    {"GoneForNearly72Hours", 0, 0, kNo, kNo, 71, Phase::may_have_stopped, Tri::unknown},
    {"GoneFor73Hours", 0, 0, kNo, kNo, 73, Phase::may_be_revoked, Tri::no},
    {"BackAfterADay", 0, 0, 24, kNo, 25, Phase::may_have_stopped, Tri::unknown},
    {"BackAfterADayFor72Hours", 0, 0, 24, kNo, 96, Phase::as_usual, Tri::yes},
    {"BackAfterAWeek", 0, 0, 168, kNo, 1000, Phase::revoked, Tri::no},
    {"BackAfterAWeekAndContent", 0, 0, 168, 200, 201, Phase::as_usual, Tri::yes},
};
INSTANTIATE_TEST_SUITE_P(Clocks, MailFromClocks, testing::ValuesIn(kMailFrom),
                         [](const auto& each) { return each.param.name; });

TEST(Clocks, EarliestIsTheFirstBadAnswerAndLatest72HoursAfterTheLastServerLostIt) {
  const Outage outage{{"t1"}, kStart, kStart + kDay, std::nullopt};
  EXPECT_EQ(signing_stops(outage), (Span{kStart, kStart + 4 * kDay}));
  EXPECT_EQ(revocation(outage), (Span{kStart + 5 * kDay, kStart + 9 * kDay}));
  EXPECT_EQ(mail_from_fallback(outage), (Span{kStart, kStart + 4 * kDay}));
}

TEST(Clocks, OnlyWhatTheApiSaidShowsThatSesIsContentHoweverLongAgo) {
  Identity identity;
  identity.dkim.status = identity.mail_from.status = Status::success;
  EXPECT_EQ(last_content(identity), std::nullopt) << "the configuration has no time";
  identity.as_of = kStart;
  EXPECT_EQ(last_content(identity), kStart);
  EXPECT_EQ(last_content_with_mail_from(identity), kStart);
  identity.aged = true;
  EXPECT_EQ(last_content(identity), kStart);
  EXPECT_EQ(last_content_with_mail_from(identity), kStart);
  identity.verification.last_success = kStart - kDay;
  EXPECT_EQ(last_content(identity), kStart);
  identity.dkim.status = Status::pending;
  EXPECT_EQ(last_content(identity), kStart - kDay);
}

}  // namespace
}  // namespace sesame::ses
