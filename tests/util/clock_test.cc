#include "util/clock.h"

#include <gtest/gtest.h>

namespace sesame {
namespace {

TEST(Timestamp, IsUtcWhateverTheZoneOfTheMachine) {
  EXPECT_EQ(timestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp(1'750'000'000), "2025-06-15T15:06:40Z");
  EXPECT_EQ(timestamp(-1), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace sesame
