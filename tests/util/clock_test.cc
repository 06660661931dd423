#include "util/clock.h"

#include <gtest/gtest.h>

#include <utility>

namespace sesame {
namespace {

TEST(Timestamp, IsUtcWhateverTheZoneOfTheMachine) {
  EXPECT_EQ(timestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp(1'750'000'000), "2025-06-15T15:06:40Z");
  EXPECT_EQ(timestamp(-1), "1969-12-31T23:59:59Z");
}

TEST(ParseTimestamp, ReadsRfc3339) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2025-06-15T15:06:40Z", 1'750'000'000},
      {"2025-06-15t15:06:40z", 1'750'000'000},
      {"2025-06-15 15:06:40.999999+00:00", 1'750'000'000},
      {"2025-06-15T17:06:40+02:00", 1'750'000'000},
      {"2025-06-15T11:36:40-03:30", 1'750'000'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800},
      {"2016-12-31T23:59:60Z", 1'483'228'800},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(parse_timestamp(text), want) << text;
}

TEST(ParseTimestamp, ReadsNothingElse) {
  for (const auto* text :
       {"", "2025", "2025-06-15", "2025-06-15T15:06:40", "2025-06-15T15:06Z", "2025-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z", "2025-06-31T00:00:00Z", "2025-06-15T24:00:00Z", "2025-06-15T15:60:00Z",
        "2025-06-15T15:06:61Z", "2025-06-15T15:06:40.Z", "2025-06-15T15:06:40+0200", "2025-06-15T15:06:40Z ",
        "25-06-15T15:06:40Z", "+025-06-15T15:06:40Z", "2025-6-15T15:06:40Z", "2025-06-15T15:06:40+24:00"})
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
}

TEST(ParseTimestamp, ReadsWhatTimestampWrites) {
  for (const std::int64_t time : {0, 1, 86'399, 951'782'400, 1'750'000'000, 2'147'483'647})
    EXPECT_EQ(parse_timestamp(timestamp(time)), time);
}

}  // namespace
}  // namespace sesame
