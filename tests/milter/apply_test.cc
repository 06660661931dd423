#include "milter/apply.h"

#include <gmock/gmock.h>

#include "fake_mta.h"

namespace sesame::milter {
namespace {

using policy::Decision;
using policy::Edit;
using test::FakeMta;
using testing::ElementsAre;
using testing::IsEmpty;

Edit insertion(std::string name, std::string value) {
  return {Edit::Kind::insert, std::move(name), std::move(value), 0};
}
Edit removal(std::string name, std::size_t occurrence) {
  return {Edit::Kind::remove, std::move(name), "", occurrence};
}

TEST(Apply, EditsAreDoneInTheOrderDecided) {
  FakeMta mta;
  Decision decision;
  decision.edits = {removal("A", 3), removal("A", 1), insertion("B", "x")};
  EXPECT_EQ(apply(decision, mta).value(), Next::proceed);
  EXPECT_THAT(mta.calls, ElementsAre("remove A 3", "remove A 1", "insert B:x"));
}

TEST(Apply, FoldsAreGivenToTheMtaAsLf) {
  FakeMta mta;
  Decision decision;
  decision.edits = {insertion("B", "x;\r\n y;\r\n\tz")};
  EXPECT_EQ(apply(decision, mta).value(), Next::proceed);
  EXPECT_THAT(mta.calls, ElementsAre("insert B:x;\n y;\n\tz"));
}

TEST(Apply, HoldEditsAndQuarantines) {
  FakeMta mta;
  Decision decision;
  decision.action = Decision::Action::hold;
  decision.reason = "will fail";
  decision.edits = {insertion("B", "x")};
  EXPECT_EQ(apply(decision, mta).value(), Next::proceed);
  EXPECT_THAT(mta.calls, ElementsAre("insert B:x", "quarantine will fail"));
}

TEST(Apply, RejectAndTempfailReplyAndEditNothing) {
  for (const auto action : {Decision::Action::reject, Decision::Action::tempfail}) {
    FakeMta mta;
    Decision decision;
    decision.action = action;
    decision.code = action == Decision::Action::reject ? "550" : "451";
    decision.enhanced_code = "x.7.1";
    decision.reason = "no";
    decision.edits = {insertion("B", "x")};
    EXPECT_EQ(apply(decision, mta).value(), action == Decision::Action::reject ? Next::reject : Next::tempfail);
    EXPECT_THAT(mta.calls, ElementsAre("reply " + decision.code + " x.7.1 no"));
  }
}

TEST(Apply, ReplyThatTheMtaRefusesStillRejects) {
  FakeMta mta;
  mta.refuse_call = 1;
  Decision decision;
  decision.action = Decision::Action::reject;
  EXPECT_EQ(apply(decision, mta).value(), Next::reject);
}

TEST(Apply, AnEditThatIsNotPossibleStopsAllOfThemBeforeTheFirst) {
  const std::vector<Edit> impossible = {
      insertion("", "x"),    insertion("B C", "x"), insertion("B:", "x"),   insertion("B", "x\r\nBcc: y"),
      insertion("B", "x\n"), insertion("B", "x\r"), insertion("B", "x\ry"), insertion("B", std::string("x\0y", 3)),
      removal("A", 0),       removal("", 1),
  };
  for (const auto& edit : impossible) {
    FakeMta mta;
    Decision decision;
    decision.edits = {insertion("Good", "x"), edit};
    EXPECT_FALSE(apply(decision, mta)) << edit.name << ":" << edit.value;
    EXPECT_THAT(mta.calls, IsEmpty());
  }
}

TEST(Apply, AnEditTheMtaRefusesIsNamed) {
  FakeMta mta;
  mta.refuse_call = 2;
  Decision decision;
  decision.edits = {insertion("Good", "x"), removal("Bad", 1), insertion("Never", "x")};
  const auto next = apply(decision, mta);
  ASSERT_FALSE(next);
  EXPECT_THAT(next.error().message, testing::HasSubstr("Bad"));
  EXPECT_EQ(mta.calls.size(), 2u);
}

TEST(Apply, AnMtaThatDoesNotQuarantineIsAnError) {
  FakeMta mta;
  mta.refuse_call = 1;
  Decision decision;
  decision.action = Decision::Action::hold;
  EXPECT_FALSE(apply(decision, mta));
}

TEST(ReplyText, IsOneLineOfPrintableTextWithPercentDoubled) {
  EXPECT_EQ(reply_text("100% of %s"), "100%% of %%s");
  EXPECT_EQ(reply_text("a\r\n250 ok"), "a\\x0d\\x0a250 ok");
  EXPECT_EQ(reply_text("\xc3\xa9"), "\\xc3\\xa9");
}

TEST(ReplyText, FitsAnSmtpReplyLine) {
  const auto text = reply_text(std::string(5000, 'x'));
  EXPECT_LE(std::string("550 5.7.1 \r\n").size() + text.size(), 512u);
  EXPECT_TRUE(text.ends_with("..."));
}

}  // namespace
}  // namespace sesame::milter
