// What the API says of the account reaches the daemon as a file, which is replaced while it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "daemon.h"
#include "milter/snapshot_lines.h"
#include "util/clock.h"

namespace sesame::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kHour = 3600;

std::string snapshot(const std::string& dkim_status, std::int64_t age = 0, const std::string& name = "ours.example") {
  return R"({"version":1,"regions":[{"account":"","region":"us-east-1","fetched":")" +
         timestamp(system_clock().unix_now() - age) + R"(","identities":[{"IdentityName":")" + name +
         R"(","GetEmailIdentity":{"DkimAttributes":{"SigningEnabled":true,"Status":")" + dkim_status +
         R"(","Tokens":["t1","t2","t3"]}}}]}]})";
}

// The daemon of these tests takes ours.example from the snapshot alone.
class SnapshotDaemon : public Daemon {
 public:
  explicit SnapshotDaemon(const std::string& contents) : Daemon("", "") {
    signal(SIGTERM);
    wait_for_exit();
    if (!contents.empty()) put(contents);
    configure("");
    start();
  }

  void configure(const std::string& more) const {
    std::ifstream in(path("sesame.toml"));
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    text.erase(text.find("[ses]"));
    std::ofstream(path("sesame.toml")) << text << "[ses]\nregion = \"us-east-1\"\nsnapshot = \"" << file()
                                       << "\"\nsnapshot_max_age = 7200\n"
                                       << more;
  }
  std::string file() const { return path("ses.json"); }
  // As sesame sync does it: a file beside it takes its place.
  void put(const std::string& contents) const {
    std::ofstream(path("new.json")) << contents;
    std::filesystem::rename(path("new.json"), file());
  }
  std::string verdict(const std::string& queue_id) const {
    MilterMessage message;
    message.mail = {"<a@ours.example>"};
    message.fields = {{"From", " <a@ours.example>"}, {"Subject", " x"}};
    message.mail_macros = {{"{mail_addr}", "a@ours.example"}, {"{auth_authen}", "alice"}};
    message.queue_id = queue_id;
    connect()->send(message);
    const auto line = line_with("queue_id=" + queue_id);
    const auto from = line.find("verdict=");
    return from == std::string::npos ? line : line.substr(from + 8, line.find(' ', from) - from - 8);
  }
  std::string line_with(const std::string& text) const {
    if (!logs(text)) return "";
    const auto all = log();
    const auto at = all.find(text);
    const auto begin = all.rfind('\n', at) == std::string::npos ? 0 : all.rfind('\n', at) + 1;
    return all.substr(begin, all.find('\n', at) - begin);
  }
  std::size_t count(const std::string& text) const {
    const auto all = log();
    std::size_t found = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
    return found;
  }
};

TEST(SnapshotOfTheDaemon, ANewOneServesWithoutARestart) {
  SnapshotDaemon daemon(snapshot("SUCCESS"));
  EXPECT_TRUE(daemon.logs("snapshot: taken: regions=1 identities=1 age="));
  EXPECT_EQ(daemon.verdict("4Q1"), "pass");
  EXPECT_THAT(daemon.log(), HasSubstr("snapshot_age_s="));
  const auto before = daemon.connect();
  daemon.put(snapshot("FAILED", 60));
  EXPECT_TRUE(daemon.logs("identities=1 age=6"));
  EXPECT_EQ(daemon.verdict("4Q2"), "fail");
  EXPECT_EQ(daemon.count("snapshot: taken: "), 2u);
  EXPECT_THAT(daemon.log(), Not(HasSubstr("ERROR")));
}

TEST(SnapshotOfTheDaemon, ABadOneIsToldOnceAndTheOldOneHolds) {
  SnapshotDaemon daemon(snapshot("SUCCESS"));
  daemon.put(R"({"version":1,"regions":[)");
  EXPECT_THAT(daemon.line_with("snapshot: not taken, the one before holds: "),
              HasSubstr(daemon.file() + ":1:24: is no JSON"));
  EXPECT_EQ(daemon.verdict("4Q1"), "pass");
  std::filesystem::remove(daemon.file());
  EXPECT_TRUE(daemon.logs("ses.json: cannot be read: No such file or directory"));
  EXPECT_EQ(daemon.verdict("4Q2"), "pass");
  daemon.put(snapshot("FAILED", 600));
  EXPECT_TRUE(daemon.logs("age=60"));
  EXPECT_EQ(daemon.verdict("4Q3"), "fail");
  EXPECT_EQ(daemon.count("snapshot: not taken"), 2u) << "once for each change";
}

TEST(SnapshotOfTheDaemon, ABadOneSurvivesAReload) {
  SnapshotDaemon daemon(snapshot("SUCCESS"));
  daemon.put("garbage");
  EXPECT_TRUE(daemon.logs("snapshot: not taken"));
  daemon.configure("[[ses.identity]]\nname = \"other.example\"\n");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(daemon.logs("reload: done: identities=2"));
  EXPECT_EQ(daemon.verdict("4Q1"), "pass");
  EXPECT_EQ(daemon.count("snapshot: not taken"), 1u);
}

TEST(SnapshotOfTheDaemon, OneThatIsNotThereYetIsAWarning) {
  SnapshotDaemon daemon("");
  EXPECT_THAT(daemon.line_with("snapshot: not taken, only the configuration holds: "),
              AllOf(HasSubstr(daemon.file()), HasSubstr("No such file"), HasSubstr("warn")));
  EXPECT_TRUE(daemon.logs("outbound mail gets no prediction"));
  EXPECT_EQ(daemon.verdict("4Q1"), "unknown");
  daemon.put(snapshot("SUCCESS"));
  EXPECT_TRUE(daemon.logs("snapshot: taken: "));
  EXPECT_EQ(daemon.verdict("4Q2"), "pass");
}

TEST(SnapshotOfTheDaemon, ABadOneAtTheStartIsAnError) {
  SnapshotDaemon daemon("garbage");
  EXPECT_THAT(daemon.line_with("snapshot: not taken, only the configuration holds: "),
              AllOf(HasSubstr(daemon.file() + ":1:1: is no JSON"), HasSubstr("err")));
  const auto tested = run_daemon({"--config", daemon.path("sesame.toml"), "--test-config"});
  EXPECT_EQ(tested.status, 0);
  EXPECT_THAT(tested.output, HasSubstr("ses.snapshot: " + daemon.file()));
}

TEST(SnapshotOfTheDaemon, OneThatIsTooOldIsToldAndNotReliedOn) {
  SnapshotDaemon daemon(snapshot("FAILED", 3 * kHour));
  EXPECT_TRUE(daemon.logs("snapshot: what it says of 1 of 1 identities is older than ses.snapshot_max_age (7200 s)"));
  EXPECT_EQ(daemon.verdict("4Q1"), "unknown") << "it may have been mended";
}

TEST(SnapshotOfTheDaemon, OneBesideTheConfigurationIsReplacedByIt) {
  SnapshotDaemon daemon(snapshot("FAILED"));
  EXPECT_EQ(daemon.verdict("4Q1"), "fail");
  daemon.configure(
      "[[ses.identity]]\nname = \"ours.example\"\ndkim.status = \"SUCCESS\"\ndkim.tokens = [\"t1\", \"t2\", \"t3\"]\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done: identities=1"));
  EXPECT_EQ(daemon.verdict("4Q2"), "pass");
}

// What is told of one runtime after another.
class Lines : public testing::Test {
 protected:
  static inspect::Runtime runtime(const std::string& stamp, std::int64_t fetched, std::int64_t now,
                                  const std::string& error = "") {
    inspect::Runtime result;
    result.config.ses.snapshot = "/s.json";
    result.config.ses.region = "us-east-1";
    result.config.ses.snapshot_max_age = kHour;
    result.snapshot.stamp = stamp;
    result.snapshot.error = error;
    ses::Snapshot contents;
    if (fetched > 0) {
      ses::Identity identity;
      identity.name = "example.com";
      identity.region = "us-east-1";
      contents.regions.push_back({"", "us-east-1", fetched, {}, {identity}});
      result.snapshot.contents = std::make_shared<const ses::Snapshot>(contents);
    }
    result.accounts = std::make_shared<const ses::Accounts>(result.config.ses, contents, now);
    return result;
  }
  static std::vector<std::string> told(const inspect::Runtime* before, const inspect::Runtime& after,
                                       std::int64_t now) {
    std::vector<std::string> texts;
    for (const auto& line : milter::snapshot_lines(before, after, now)) texts.push_back(line.text);
    return texts;
  }
};

constexpr std::int64_t kNow = 1'700'000'000;

TEST_F(Lines, TellTheAgeOfTheOldestAnswer) {
  EXPECT_THAT(told(nullptr, runtime("a", kNow - 5, kNow), kNow),
              ElementsAre("snapshot: taken: regions=1 identities=1 age=5s"));
}

TEST_F(Lines, TellNothingTwice) {
  const auto first = runtime("a", kNow, kNow), bad = runtime("b", kNow, kNow, "bad");
  EXPECT_THAT(told(&first, runtime("a", kNow, kNow), kNow), IsEmpty());
  EXPECT_THAT(told(&first, bad, kNow), ElementsAre("snapshot: not taken, the one before holds: bad"));
  EXPECT_THAT(told(&bad, bad, kNow), IsEmpty());
  EXPECT_THAT(told(&bad, runtime("c", kNow, kNow, "bad"), kNow), ElementsAre(HasSubstr("not taken"))) << "another file";
  EXPECT_THAT(told(&bad, runtime("d", kNow, kNow), kNow), ElementsAre(HasSubstr("snapshot: taken")));
}

TEST_F(Lines, TellOfAgeOnce) {
  const auto later = kNow + kHour + 1;
  const auto fresh = runtime("a", kNow, kNow), aged = runtime("a", kNow, later);
  EXPECT_THAT(told(&fresh, aged, later), ElementsAre(HasSubstr("older than ses.snapshot_max_age (3600 s)")));
  EXPECT_THAT(told(&aged, aged, later + 60), IsEmpty());
  EXPECT_THAT(told(&aged, runtime("b", kNow, later), later), ElementsAre(HasSubstr("taken"), HasSubstr("older")));
}

TEST_F(Lines, AreNoneWithoutASnapshot) {
  auto none = runtime("", 0, kNow);
  none.config.ses.snapshot.clear();
  EXPECT_THAT(told(nullptr, none, kNow), IsEmpty());
}

}  // namespace
}  // namespace sesame::test
