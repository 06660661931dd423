#include "inspect/learn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "inspect/render.h"
#include "support/fake_resolver.h"

namespace sesame::inspect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr const char* kId = "0100abcdef-000000";

ses::Identity identity(const std::string& name, const std::string& account, const std::string& region,
                       std::vector<std::string> tokens) {
  ses::Identity result;
  result.name = name;
  result.account = account;
  result.region = region;
  result.dkim.tokens = std::move(tokens);
  result.dkim.status = ses::Status::success;
  return result;
}

// example.com as two accounts send it, and mail of it that SES delivered.
struct Scene {
  Scene() {
    runtime.config = config::defaults();
    runtime.config.ses.account = "main";
    runtime.config.ses.region = "us-east-1";
    runtime.config.ses.identities = {identity("example.com", "main", "us-east-1", {"m1", "m2", "m3"}),
                                     identity("example.com", "other", "us-east-1", {"o1", "o2", "o3"}),
                                     identity("example.com", "main", "eu-west-1", {"e1", "e2", "e3"})};
    runtime.suffixes = dmarc::PublicSuffixList::system();
    runtime.arrivals = std::make_shared<ses::Arrivals>("");
    configure();
    header("email.amazonses.com", "news@example.com");
    envelope.client = IpAddress::parse("198.51.100.7");
    envelope.mail_from = std::string(kId) + "@amazonses.com";
    spf::Outcome spf;
    spf.result = spf::Result::pass;
    spf.domain = "amazonses.com";
    report.spf_mail_from = spf;
    sign("amazonses.com", "amazon");
  }

  // What SES delivers of that author.
  void header(const std::string& sender, const std::string& author) {
    fields = {{"X-SES-Outgoing", " 2026.01.01-198.51.100.7"},
              {"Message-ID", std::string(" <") + kId + "@" + sender + ">"},
              {"From", " " + author}};
  }
  void configure() { runtime.accounts = std::make_shared<ses::Accounts>(runtime.config.ses, ses::Snapshot{}, kNow); }
  dkim::Outcome& sign(const std::string& domain, const std::string& selector) {
    dkim::Outcome outcome;
    outcome.result = dkim::Result::pass;
    outcome.domain = domain;
    outcome.selector = selector;
    outcome.signed_fields = {"from", "message-id"};
    outcome.signed_at = kNow - 5;
    resolver.zone().add(selector + "._domainkey." + domain + " CNAME " + selector + ".dkim.amazonses.com\n");
    return *report.dkim.insert(report.dkim.begin(), outcome);
  }
  void learn() {
    report.author = mail::find_author(fields);
    inspect::learn(report, {runtime, envelope, fields, resolver, Deadline::max(), kNow});
  }
  std::string selector(std::size_t which) const {
    const auto history = runtime.arrivals->history_of(runtime.config.ses.identities[which]);
    return history.arrival ? history.arrival->selector : "none";
  }
  std::vector<std::string> codes() const {
    std::vector<std::string> result;
    for (const auto& finding : report.findings) result.emplace_back(ses::to_string(finding.code));
    return result;
  }

  Runtime runtime;
  mail::Envelope envelope;
  mail::Fields fields;
  policy::Report report;
  test::FakeResolver resolver{"amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n"};
};

TEST(Learn, TheSelectorShowsWhichAccountSent) {
  Scene scene;
  scene.sign("example.com", "o2");
  scene.learn();
  ASSERT_TRUE(scene.report.arrival);
  EXPECT_EQ(scene.selector(0), "none");
  EXPECT_EQ(scene.selector(1), "o2");
  EXPECT_EQ(scene.selector(2), "none");
}

TEST(Learn, TheEventTellsDomainAndSelector) {
  Scene with, without;
  with.sign("example.com", "m1");
  with.learn();
  without.learn();
  EXPECT_THAT(log_text(with.report, {}), testing::HasSubstr(" ses=example.com:m1 "));
  EXPECT_THAT(log_text(without.report, {}), testing::HasSubstr(" ses=example.com:- "));
  without.report.findings = {ses::make_finding(ses::Code::dkim_broken_after, {})};
  EXPECT_THAT(log_text(without.report, {}), testing::HasSubstr(" findings=dkim-broken-after "));
  without.report.arrival.reset();
  EXPECT_THAT(log_text(without.report, {}), testing::Not(testing::HasSubstr(" ses=")));
}

TEST(Learn, WithoutASelectorItIsTheAccountThatWouldBeUsed) {
  Scene scene;
  scene.learn();
  EXPECT_EQ(scene.selector(0), "");
  EXPECT_EQ(scene.selector(1), "none");
  EXPECT_THAT(scene.codes(), IsEmpty()) << "it may have been the other account's";
}

TEST(Learn, TheRegionThatSentIsWhoseSettingsAreMeant) {
  Scene scene;
  scene.header("eu-west-1.amazonses.com", "news@example.com");
  scene.sign("example.com", "e1");
  scene.learn();
  EXPECT_EQ(scene.selector(0), "none");
  EXPECT_EQ(scene.selector(2), "e1");
}

TEST(Learn, ARegionWithoutAccountsTeachesNothing) {
  Scene scene;
  scene.header("ap-south-2.amazonses.com", "news@example.com");
  scene.sign("example.com", "x1");
  scene.learn();
  EXPECT_TRUE(scene.report.arrival);
  for (const std::size_t which : {0u, 1u, 2u}) EXPECT_EQ(scene.selector(which), "none");
}

TEST(Learn, ASelectorNobodyKnowsContradictsWhatIsConfigured) {
  Scene scene;
  scene.runtime.config.ses.identities.resize(1);
  scene.configure();
  scene.sign("example.com", "x1");
  scene.learn();
  EXPECT_EQ(scene.selector(0), "x1");
  EXPECT_THAT(scene.codes(), ElementsAre("prediction-contradicted"));
}

TEST(Learn, MailOfADomainThatIsNotOursIsNotEvenLookedAt) {
  Scene scene;
  scene.header("email.amazonses.com", "news@example.net");
  scene.sign("example.net", "x1");
  scene.learn();
  EXPECT_FALSE(scene.report.arrival);
  EXPECT_THAT(scene.resolver.asked(), IsEmpty());
}

TEST(Learn, WhereNoIdentityIsKnownItIsToldAndNotKept) {
  Scene scene;
  scene.runtime.config.ses.identities.clear();
  scene.configure();
  scene.sign("example.com", "m1");
  scene.learn();
  ASSERT_TRUE(scene.report.arrival);
  EXPECT_EQ(scene.report.arrival->selector, "m1");
}

TEST(Learn, ABrokenSignatureIsToldWithItsHash) {
  Scene scene;
  auto& own = scene.sign("example.com", "m1");
  own.result = dkim::Result::fail;
  own.reason = "header hash differs (signature does not verify)";
  scene.learn();
  EXPECT_THAT(scene.codes(), ElementsAre("dkim-broken-after"));
  EXPECT_THAT(scene.report.findings[0].text, testing::HasSubstr("header hash"));
}

class Reload : public testing::Test {
 protected:
  ~Reload() override { std::filesystem::remove(path_); }
  static config::Config with(const std::string& path) {
    auto config = config::defaults();
    config.ses.arrivals = path;
    return config;
  }
  static ses::Sighting sighting() {
    ses::Sighting result;
    result.proof = ses::Sighting::Proof::delivery;
    result.arrival.time = kNow;
    result.arrival.selector = result.arrival.signed_domain = "t1";
    return result;
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("sesame-learn-" + std::to_string(::getpid()) + ".json");
};

TEST_F(Reload, KeepsWhatWasLearned) {
  const auto first = make_runtime(with(path_));
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->arrivals);
  EXPECT_EQ((*first)->observer, (*first)->arrivals);
  EXPECT_EQ((*first)->arrivals_error, "");
  const auto second = make_runtime(with(path_), **first);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->arrivals, (*first)->arrivals);
}

TEST_F(Reload, AnotherFileBeginsWithWhatItHas) {
  const auto mine = identity("example.com", "", "us-east-1", {});
  ses::Arrivals other(path_);
  other.observe(mine, sighting(), kNow);
  ASSERT_TRUE(other.save());
  const auto first = make_runtime(with(""));
  ASSERT_TRUE(first);
  EXPECT_FALSE((*first)->observer->history_of(mine).arrival);
  const auto second = make_runtime(with(path_), **first);
  ASSERT_TRUE(second);
  EXPECT_TRUE((*second)->observer->history_of(mine).arrival);
}

}  // namespace
}  // namespace sesame::inspect
