#include "dns/caching_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "dns/name.h"

namespace sesame::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(now_.load()));
  }
  std::int64_t unix_now() const override { return now_; }
  void pass(int seconds) { now_ += seconds; }

 private:
  std::atomic<std::int64_t> now_{1'000'000};
};

// Answers from a script, at once or when told to.
class ScriptedUpstream final : public Upstream {
 public:
  using Done = std::function<void(Answer)>;

  ~ScriptedUpstream() override {
    for (auto& [answer, done] : take_held()) {
      Answer ended;
      ended.name = answer.name;
      ended.type = answer.type;
      done(ended);
    }
  }

  void ask(const std::string& name, Type type, Done done) override {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(std::string(to_string(type)) + " " + name);
      const auto found = script_.find(name);
      if (found != script_.end()) answer = found->second;
      answer.name = name;
      answer.type = type;
      if (hold_) {
        held_.emplace_back(answer, std::move(done));
        return;
      }
    }
    done(answer);
  }

  void script(const std::string& name, Answer answer) {
    const std::lock_guard lock(mutex_);
    script_[name] = std::move(answer);
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    hold_ = true;
  }
  // Answers what was held, and from now on at once.
  void release() {
    for (auto& [answer, done] : take_held()) done(answer);
  }
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::vector<std::pair<Answer, Done>> take_held() {
    const std::lock_guard lock(mutex_);
    hold_ = false;
    return std::exchange(held_, {});
  }

  mutable std::mutex mutex_;
  std::map<std::string, Answer> script_;
  std::vector<std::string> asked_;
  std::vector<std::pair<Answer, Done>> held_;
  bool hold_ = false;
};

Answer of(Status status, std::uint32_t ttl, std::vector<std::string> cnames = {}) {
  Answer answer;
  answer.status = status;
  answer.ttl = ttl;
  answer.cnames = std::move(cnames);
  return answer;
}

Answer text(const std::string& value, std::uint32_t ttl, std::vector<std::string> cnames = {}) {
  auto answer = of(Status::ok, ttl, std::move(cnames));
  answer.texts = {value};
  return answer;
}

struct Cache : testing::Test {
  explicit Cache(const CacheOptions& options = {}) : resolver(std::unique_ptr<Upstream>(&upstream), options, clock) {}

  AnswerPtr ask(std::string_view name) { return resolver.lookup(name, Type::txt, Deadline::max()); }

  ManualClock clock;
  // Owned by the resolver, which lives as long.
  ScriptedUpstream& upstream = *new ScriptedUpstream;
  CachingResolver resolver;
};

TEST_F(Cache, KeepsAnAnswerForItsTtl) {
  upstream.script("a.test", text("x", 10));
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  clock.pass(9);
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  clock.pass(1);
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  EXPECT_EQ(resolver.counters().hits, 1u);
  EXPECT_EQ(resolver.counters().misses, 2u);
}

TEST_F(Cache, ReceivedIsTheTimeOfTheQuestionNotOfTheHit) {
  upstream.script("a.test", text("x", 10));
  const auto then = clock.steady_now();
  ask("a.test");
  clock.pass(5);
  EXPECT_EQ(ask("a.test")->received, then);
}

TEST_F(Cache, AbsenceIsKeptForItsOwnTtl) {
  for (const auto status : {Status::nxdomain, Status::nodata}) {
    const std::string name = status == Status::nodata ? "empty.test" : "none.test";
    upstream.script(name, of(status, 30));
    EXPECT_EQ(ask(name)->status, status);
    clock.pass(29);
    EXPECT_EQ(ask(name)->status, status);
  }
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  clock.pass(1);
  ask("empty.test");
  EXPECT_THAT(upstream.asked(), SizeIs(3));
}

TEST_F(Cache, TtlsAreCutToTheirLimits) {
  upstream.script("a.test", text("x", 2'000'000));
  upstream.script("none.test", of(Status::nxdomain, 2'000'000));
  EXPECT_EQ(ask("a.test")->ttl, 86400u);
  EXPECT_EQ(ask("none.test")->ttl, 10800u);
}

TEST_F(Cache, TemporaryFailuresAreNotKept) {
  for (const auto status : {Status::servfail, Status::refused, Status::formerr, Status::notimp, Status::timeout,
                            Status::malformed, Status::cname_limit}) {
    const auto before = upstream.asked().size();
    auto answer = text("half an answer", 300);
    answer.status = status;
    upstream.script("bad.test", answer);
    EXPECT_EQ(ask("bad.test")->status, status);
    EXPECT_THAT(ask("bad.test")->texts, IsEmpty());
    EXPECT_EQ(upstream.asked().size(), before + 2) << to_string(status);
  }
  EXPECT_EQ(resolver.counters().entries, 0u);
}

TEST_F(Cache, NamesAreAskedInCanonicalForm) {
  upstream.script("a.test", text("x", 10));
  EXPECT_EQ(ask("A.Test.")->name, "a.test");
  EXPECT_EQ(ask("a.test")->status, Status::ok);
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test"));
}

TEST_F(Cache, TypesAreKeptApart) {
  upstream.script("a.test", text("x", 10));
  ask("a.test");
  resolver.lookup("a.test", Type::a, Deadline::max());
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "A a.test"));
}

TEST_F(Cache, NamesThatCannotExistAreNotAsked) {
  for (const auto& name :
       {std::string("a..test"), std::string(".test"), std::string(64, 'a') + ".test", std::string(300, 'a')}) {
    EXPECT_EQ(ask(name)->status, Status::nxdomain);
    resolver.prefetch(name, Type::txt);
  }
  EXPECT_THAT(upstream.asked(), IsEmpty());
}

TEST_F(Cache, ChainsGoOnAcrossPackets) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test", "c.test"}));
  upstream.script("c.test", of(Status::nodata, 20, {"d.test"}));
  upstream.script("d.test", text("x", 50));
  const auto answer = ask("a.test");
  EXPECT_EQ(answer->status, Status::ok);
  EXPECT_EQ(answer->name, "a.test");
  EXPECT_THAT(answer->cnames, ElementsAre("b.test", "c.test", "d.test"));
  EXPECT_THAT(answer->texts, ElementsAre("x"));
  EXPECT_EQ(answer->ttl, 20u);
  EXPECT_THAT(upstream.asked(), ElementsAre("TXT a.test", "TXT c.test", "TXT d.test"));
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(3));
}

TEST_F(Cache, AChainMayEndInAbsenceOrFailure) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test"}));
  for (const auto status : {Status::nodata, Status::nxdomain, Status::servfail, Status::timeout}) {
    upstream.script("b.test", of(status, 30));
    const auto answer = ask("a.test");
    EXPECT_EQ(answer->status, status);
    EXPECT_THAT(answer->cnames, ElementsAre("b.test"));
    clock.pass(31);
  }
}

TEST_F(Cache, LoopsAcrossPacketsEnd) {
  upstream.script("a.test", of(Status::nodata, 100, {"b.test"}));
  upstream.script("b.test", of(Status::nodata, 100, {"a.test"}));
  EXPECT_EQ(ask("a.test")->status, Status::cname_limit);
  upstream.script("c.test", of(Status::nodata, 100, {"d.test"}));
  upstream.script("d.test", of(Status::nodata, 100, {"e.test"}));
  upstream.script("e.test", of(Status::nodata, 100, {"d.test"}));
  EXPECT_EQ(ask("c.test")->status, Status::cname_limit);
  EXPECT_THAT(upstream.asked(), SizeIs(5));
}

TEST_F(Cache, TheLongestChainIsFollowedAndOneMoreIsNot) {
  const auto link = [](int i) { return "l" + std::to_string(i) + ".test"; };
  for (int i = 0; i < 13; ++i) upstream.script(link(i), of(Status::nodata, 100, {link(i + 1)}));
  upstream.script(link(13), text("x", 100));
  EXPECT_EQ(ask(link(1))->status, Status::ok);
  EXPECT_THAT(ask(link(1))->cnames, SizeIs(12));
  EXPECT_EQ(ask(link(0))->status, Status::cname_limit);
  EXPECT_THAT(ask(link(0))->texts, IsEmpty());
  // Also when one packet has it all.
  std::vector<std::string> chain;
  for (int i = 1; i <= 13; ++i) chain.push_back(link(i));
  upstream.script("whole.test", text("x", 100, chain));
  EXPECT_EQ(ask("whole.test")->status, Status::cname_limit);
  EXPECT_THAT(ask("whole.test")->texts, IsEmpty());
}

TEST_F(Cache, IdenticalQuestionsOnTheirWayAreAskedOnce) {
  upstream.script("a.test", text("x", 0));  // not even kept
  upstream.hold();
  std::vector<std::thread> askers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] { answered += ask("a.test")->texts == std::vector<std::string>{"x"}; });
  while (resolver.counters().merged < 7) std::this_thread::yield();
  upstream.release();
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(answered, 8);
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  EXPECT_EQ(resolver.counters().misses, 1u);
  EXPECT_EQ(resolver.counters().entries, 0u);
  ask("a.test");
  EXPECT_THAT(upstream.asked(), SizeIs(2));
}

TEST_F(Cache, PastTheDeadlineNobodyWaitsButTheAnswerIsKept) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  const auto answer = resolver.lookup("a.test", Type::txt, clock.steady_now());
  EXPECT_EQ(answer->status, Status::timeout);
  EXPECT_EQ(answer->name, "a.test");
  EXPECT_EQ(resolver.lookup("a.test", Type::txt, clock.steady_now() + 20ms)->status, Status::timeout);
  upstream.release();
  EXPECT_THAT(resolver.lookup("a.test", Type::txt, clock.steady_now())->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
}

TEST_F(Cache, WhatIsKnownNeedsNoTime) {
  upstream.script("a.test", text("x", 300));
  ask("a.test");
  EXPECT_EQ(resolver.lookup("a.test", Type::txt, clock.steady_now() - 1h)->status, Status::ok);
}

TEST_F(Cache, PrefetchStartsTheQuestion) {
  upstream.script("a.test", text("x", 300));
  upstream.hold();
  resolver.prefetch("A.test", Type::txt);
  resolver.prefetch("a.test", Type::txt);
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  upstream.release();
  EXPECT_THAT(ask("a.test")->texts, ElementsAre("x"));
  EXPECT_THAT(upstream.asked(), SizeIs(1));
  EXPECT_EQ(resolver.counters().hits, 1u);
  EXPECT_EQ(resolver.counters().merged, 0u);
}

TEST_F(Cache, QuestionsOnTheirWayEndWithTheResolver) {
  upstream.hold();
  resolver.prefetch("a.test", Type::txt);
  resolver.lookup("b.test", Type::txt, clock.steady_now());
  EXPECT_THAT(upstream.asked(), SizeIs(2));
  // The fixture ends the resolver; the sanitizers watch.
}

struct SmallCache : Cache {
  SmallCache() : Cache(CacheOptions{.max_bytes = 8192}) {}
};

TEST_F(SmallCache, StaysWithinItsBytes) {
  for (int i = 0; i < 200; ++i) {
    const auto name = "n" + std::to_string(i) + ".test";
    upstream.script(name, text(std::string(100, 'x'), 300));
    ask(name);
    ASSERT_LE(resolver.counters().bytes, 8192u);
  }
  const auto counters = resolver.counters();
  EXPECT_GT(counters.entries, 3u);
  EXPECT_EQ(counters.evictions + counters.entries, 200u);
  // The latest is there, the first is not.
  ask("n199.test");
  EXPECT_EQ(upstream.asked().size(), 200u);
  ask("n0.test");
  EXPECT_EQ(upstream.asked().size(), 201u);
}

TEST_F(SmallCache, AnAnswerTooBigToKeepIsStillGiven) {
  upstream.script("big.test", text(std::string(20000, 'x'), 300));
  EXPECT_EQ(ask("big.test")->texts.at(0).size(), 20000u);
  EXPECT_EQ(resolver.counters().entries, 0u);
}

}  // namespace
}  // namespace sesame::dns
