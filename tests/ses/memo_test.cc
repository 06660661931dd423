// What is kept of a prediction changes none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "ses/answer_memo.h"
#include "ses/predict_case.h"
#include "support/stale_resolver.h"

namespace sesame::test {
namespace {

using testing::ElementsAre;

constexpr std::int64_t kDay = 24 * 3600;

void tell(std::ostream& out, const ses::Aligned& aligned) {
  out << " aligned " << static_cast<int>(aligned.rfc9989) << static_cast<int>(aligned.rfc7489);
}

void tell(std::ostream& out, const ses::DmarcPrediction& dmarc) {
  const auto& found = dmarc.discovery;
  out << "\ndmarc " << ses::to_string(dmarc.result) << " " << static_cast<int>(dmarc.policy) << " "
      << static_cast<int>(found.state) << " " << found.record_domain << " " << found.org_domain << " " << found.reason;
  for (const auto& problem : found.problems) out << " | " << problem;
}

std::string everything(const ses::Prediction& p) {
  std::ostringstream out;
  out << ses::to_string(p.verdict) << " " << ses::to_string(p.grade) << " " << ses::to_string(p.confidence) << " "
      << p.identity << " " << ses::to_string(p.identity_kind) << " " << p.account << " " << p.region << " "
      << p.configuration_set << " " << p.as_of.value_or(0) << "\n"
      << p.why << "\ndkim " << p.dkim.domain << " " << p.dkim.source << " " << static_cast<int>(p.dkim.usable) << " "
      << p.dkim.reason;
  tell(out, p.dkim.aligned);
  out << "\nspf " << p.spf.domain << " " << spf::to_string(p.spf.result) << " " << static_cast<int>(p.spf.usable) << " "
      << p.spf.reason;
  tell(out, p.spf.aligned);
  tell(out, p.rfc9989);
  tell(out, p.rfc7489);
  for (const auto& finding : p.findings)
    out << "\n"
        << ses::to_string(finding.code) << " " << ses::to_string(finding.severity) << ": " << finding.text << " / "
        << finding.advice;
  return out.str();
}

// A prediction, and what was asked for it.
std::string told(SesWorld& world) {
  world.resolver.forget_asked();
  auto text = everything(world.predict()) + "\nasked";
  for (const auto& question : world.resolver.asked()) text += "\n" + question;
  return text;
}

std::vector<PredictCase> all_cases() {
  std::vector<PredictCase> all;
  for (const auto& some :
       {dkim_cases(), dkim_state_cases(), history_cases(), outage_cases(), identity_cases(), coverage_cases(),
        mail_from_cases(), spf_cases(), dmarc_cases(), refusal_cases(), upstream_cases(), stale_cases()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

// One resolver for all worlds keeps what stays the same of their answers, so that what was kept in one world is there
// in the next, and is of use as far as it still holds. Beside it the same world without anything kept.
TEST(Memo, PredictionsAreTheSameWithAndWithout) {
  KeepingResolver cache;
  for (const auto& c : all_cases()) {
    for (int round = 0; round < 2; ++round) {
      SesWorld healthy;
      healthy.cache = &cache;
      told(healthy);
      SesWorld plain, kept;
      kept.cache = &cache;
      c.change(plain);
      c.change(kept);
      for (const auto later : {std::int64_t{0}, std::int64_t{0}, kDay, 9 * kDay}) {
        plain.now += later;
        kept.now += later;
        EXPECT_EQ(told(kept), told(plain)) << c.name << " round " << round << " +" << later;
      }
    }
  }
}

// Changes DNS beneath one account, one record after the other and back again.
TEST(Memo, EndsWithTheAnswersItWasMadeOf) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"amazonses.com", "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 include:more.amazonses.com -all"},
      {"bounce.example.com",
       "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
       "bounce.example.com TXT v=spf1 ip4:198.51.100.0/25 -all"},
      {"bounce.example.com", "bounce.example.com TXT v=spf1 include:amazonses.com"},
      {"bounce.example.com", "bounce.example.com * !SERVFAIL"},
      {"amazonses.com", "amazonses.com TXT !TIMEOUT"},
      {"t1.dkim.amazonses.com", "t1.dkim.amazonses.com TXT \"\""},
      {"t1._domainkey.example.com", "t1._domainkey.example.com CNAME t1.elsewhere.example"},
      {"t1._domainkey.example.com", "t1._domainkey.example.com TXT !SERVFAIL"},
      {"t2._domainkey.example.com", ""},
  };
  KeepingResolver cache;
  for (const auto& [name, lines] : changes) {
    SesWorld healthy, changed, plain;
    healthy.cache = changed.cache = &cache;
    for (auto* world : {&changed, &plain}) {
      world->dns("more.amazonses.com TXT v=spf1 ip4:203.0.113.0/24 -all");
      world->replace(name, lines);
    }
    const auto before = told(healthy);
    EXPECT_EQ(told(changed), told(plain)) << lines;
    EXPECT_EQ(told(changed), told(plain)) << lines;
    EXPECT_EQ(told(healthy), before);
  }
}

// Settings beneath the same DNS.
TEST(Memo, IsOfTheSettingsItWasMadeOf) {
  const std::vector<std::function<void(ses::Identity&)>> changes = {
      [](ses::Identity& identity) { identity.dkim.tokens.pop_back(); },
      [](ses::Identity& identity) {
        identity.dkim.tokens = {"t1t2", "t3"};
      },
      [](ses::Identity& identity) { identity.dkim.signing_hosted_zone = "cell1.dkim.amazonses.com"; },
      [](ses::Identity& identity) { identity.dkim.status = ses::Status::pending; },
      [](ses::Identity& identity) { identity.dkim.origin = "EXTERNAL"; },
      [](ses::Identity& identity) { identity.region = "af-south-1"; },
  };
  // Once as the region's zone has it, once by a zone of Amazon's that nobody told.
  for (const std::string zone : {"dkim.amazonses.com", "cell1.dkim.amazonses.com"}) {
    KeepingResolver cache;
    for (const auto& change : changes) {
      SesWorld healthy, changed, plain;
      for (auto* world : {&healthy, &changed, &plain}) {
        for (const std::string token : {"t1", "t2", "t3"}) {
          world->replace(token + "._domainkey.example.com",
                         token + "._domainkey.example.com CNAME " + token + "." + zone);
          world->replace(token + "." + zone, token + "." + zone + " TXT p=" + kPublicKey);
        }
        if (world == &healthy) continue;
        change(world->identity());
        world->account.region = world->identity().region;
      }
      healthy.cache = changed.cache = &cache;
      told(healthy);
      EXPECT_EQ(told(changed), told(plain));
      EXPECT_EQ(told(changed), told(plain));
    }
  }
}

// A function of two answers: the second name is in the first.
class MemoOfAnswers : public testing::Test {
 protected:
  std::string get(dns::Resolver& resolver, Deadline deadline = Deadline::max()) {
    return *memo_.get("key", resolver, deadline, [&](dns::Resolver& given) {
      ++made_;
      const auto first = given.lookup("a.example", dns::Type::txt, deadline);
      if (first->texts.empty()) return std::string("nothing");
      given.lookup("A.example", dns::Type::txt, deadline);
      const auto second = given.lookup(first->texts.front(), dns::Type::txt, deadline);
      return second->texts.empty() ? "nothing behind " + first->texts.front() : second->texts.front();
    });
  }

  FakeResolver fake_{"a.example TXT b.example\nb.example TXT one"};
  KeepingResolver cache_;
  ses::AnswerMemo<std::string> memo_{1 << 20, [](const std::string& value) { return value.capacity(); }};
  int made_ = 0;

  void SetUp() override { cache_.stand_before(fake_); }
};

TEST_F(MemoOfAnswers, AsksEachTimeWhatItWasMadeOf) {
  for (int i = 0; i < 3; ++i) {
    fake_.forget_asked();
    EXPECT_EQ(get(cache_), "one");
    EXPECT_THAT(fake_.asked(), ElementsAre("TXT a.example", "TXT b.example"));
  }
  EXPECT_EQ(made_, 1);
}

TEST_F(MemoOfAnswers, AsksNothingThatTheNewAnswerDoesNotLeadTo) {
  get(cache_);
  fake_.zone().remove("a.example");
  fake_.zone().add("a.example TXT c.example\nc.example TXT two");
  fake_.forget_asked();
  EXPECT_EQ(get(cache_), "two");
  EXPECT_THAT(fake_.asked(), ElementsAre("TXT a.example", "TXT c.example"));
  EXPECT_EQ(get(cache_), "two");
  EXPECT_EQ(made_, 2);
}

TEST_F(MemoOfAnswers, ANewObjectOfTheSameContentsIsAnotherAnswer) {
  get(fake_);
  EXPECT_EQ(get(fake_), "one");
  EXPECT_EQ(made_, 2);
}

TEST_F(MemoOfAnswers, KeepsNothingThatRestsOnAFailure) {
  fake_.zone().add("b.example TXT !SERVFAIL");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get(cache_), "nothing behind b.example");
  EXPECT_EQ(made_, 2);
}

TEST_F(MemoOfAnswers, KeepsNothingThatRestsOnAStaleAnswer) {
  StaleResolver stale(fake_, {"TXT b.example"});
  cache_.stand_before(stale);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get(cache_), "one");
  EXPECT_EQ(made_, 2);
}

TEST_F(MemoOfAnswers, KeepsNothingThatRanOutOfTime) {
  for (int i = 0; i < 2; ++i) get(cache_, system_clock().steady_now());
  EXPECT_EQ(made_, 2);
}

TEST_F(MemoOfAnswers, AnAbsenceIsAnAnswer) {
  fake_.zone().remove("b.example");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get(cache_), "nothing behind b.example");
  EXPECT_EQ(made_, 1);
}

TEST(MemoOfMany, IsBoundedAndServesThreads) {
  FakeResolver fake("a.example TXT " + std::string(200, 'x'));
  KeepingResolver cache;
  cache.stand_before(fake);
  ses::AnswerMemo<std::string> memo(64 << 10, [](const std::string& value) { return value.capacity(); });
  const auto use = [&] {
    for (int i = 0; i < 2000; ++i) {
      const auto key = std::to_string(i % 500);
      const auto value = memo.get(key, cache, Deadline::max(), [&](dns::Resolver& given) {
        return given.lookup("a.example", dns::Type::txt, Deadline::max())->texts.front() + key;
      });
      EXPECT_EQ(*value, std::string(200, 'x') + key);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(use);
  for (auto& thread : threads) thread.join();
  EXPECT_LE(memo.bytes(), 64u << 10);
  EXPECT_GT(memo.bytes(), 0u);
}

}  // namespace
}  // namespace sesame::test
