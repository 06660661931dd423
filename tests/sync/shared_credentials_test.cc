#include "sync/shared_credentials.h"

#include <gtest/gtest.h>

namespace sesame::sync {
namespace {

constexpr const char* kFile =
    "# keys\r\n"
    "aws_access_key_id = OUTSIDE\n"
    "[default]\n"
    "AWS_ACCESS_KEY_ID=ONE\r\n"
    "  aws_access_key_id = INDENTED\n"
    "aws_secret_access_key = a=b#c;d\n"
    "; more\n"
    "[ mail ]\n"
    "aws_access_key_id\t=\tTWO\n"
    "[default]\n"
    "region = us-east-1\n"
    "[empty]\n"
    "[broken\n"
    "aws_access_key_id = THREE";

TEST(FindProfile, TakesTheSettingsOfOneProfile) {
  EXPECT_EQ(find_profile(kFile, "default"),
            (Profile{{"aws_access_key_id", "ONE"}, {"aws_secret_access_key", "a=b#c;d"}, {"region", "us-east-1"}}));
  EXPECT_EQ(find_profile(kFile, "mail"), (Profile{{"aws_access_key_id", "TWO"}}));
  EXPECT_EQ(find_profile(kFile, "empty"), Profile{});
}

TEST(FindProfile, TellsThatThereIsNone) {
  for (const char* name : {"", "broken", "Default", "aws_access_key_id"})
    EXPECT_EQ(find_profile(kFile, name), std::nullopt) << name;
  EXPECT_EQ(find_profile("", "default"), std::nullopt);
}

}  // namespace
}  // namespace sesame::sync
