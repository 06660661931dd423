// What is said of a message that leaves in several ways.
#include "ses/ways.h"

#include <gmock/gmock.h>

namespace sesame::ses {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Prediction way(const char* region, Verdict verdict, Confidence confidence = Confidence::confirmed,
               Grade grade = Grade::none) {
  Prediction result;
  result.region = region;
  result.verdict = verdict;
  result.confidence = confidence;
  result.grade = grade;
  const bool passes = verdict == Verdict::pass;
  result.dkim.usable = passes ? Tri::yes : Tri::no;
  result.rfc9989.result = passes ? DmarcPrediction::Result::pass : DmarcPrediction::Result::fail;
  result.why = "why in " + result.region;
  result.findings = {make_finding(Code::dkim_ok, {})};
  return result;
}

TEST(InCommon, OneWayIsItself) {
  const auto result = in_common(std::vector{way("us-east-1", Verdict::refused)});
  EXPECT_EQ(result.verdict, Verdict::refused);
  EXPECT_EQ(result.why, "why in us-east-1");
}

TEST(InCommon, AFateTheyShareHolds) {
  const auto result = in_common(std::vector{way("us-east-1", Verdict::pass, Confidence::confirmed, Grade::both_legs),
                                            way("eu-west-1", Verdict::pass, Confidence::likely, Grade::dkim_only)});
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(result.confidence, Confidence::likely) << "of the weaker";
  EXPECT_EQ(result.grade, Grade::dkim_only);
  EXPECT_EQ(result.dkim.usable, Tri::yes);
  EXPECT_EQ(result.rfc9989.result, DmarcPrediction::Result::pass);
  EXPECT_EQ(result.region, "us-east-1");
  EXPECT_EQ(result.why, "why in us-east-1");
  EXPECT_THAT(result.findings, SizeIs(1)) << "each once";
}

TEST(InCommon, DifferentFatesAreNone) {
  for (const auto other : {Verdict::fail, Verdict::refused, Verdict::unknown, Verdict::none}) {
    for (const auto& ways : {std::vector{way("us-east-1", Verdict::pass), way("eu-west-1", other)},
                             std::vector{way("us-east-1", other), way("eu-west-1", Verdict::pass)}}) {
      const auto result = in_common(ways);
      EXPECT_EQ(result.verdict, Verdict::unknown);
      EXPECT_EQ(result.confidence, Confidence::unknown);
      EXPECT_EQ(result.grade, Grade::none);
      EXPECT_EQ(result.dkim.usable, Tri::unknown);
      EXPECT_EQ(result.rfc9989.result, DmarcPrediction::Result::unknown);
      EXPECT_THAT(result.why, HasSubstr("eu-west-1: " + std::string(to_string(ways[1].verdict))));
    }
  }
}

TEST(InCommon, TheOldestStateCounts) {
  auto first = way("us-east-1", Verdict::pass), second = way("eu-west-1", Verdict::pass);
  second.as_of = 100;
  EXPECT_EQ(in_common(std::vector{first, second}).as_of, 100);
  first.as_of = 50;
  EXPECT_EQ(in_common(std::vector{first, second}).as_of, 50);
}

}  // namespace
}  // namespace sesame::ses
