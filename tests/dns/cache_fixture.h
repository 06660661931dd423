// A cache in front of an upstream that answers from a script, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/caching_resolver.h"

namespace sesame::dns {

class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_.load()));
  }
  std::int64_t unix_now() const override { return 1'700'000'000 + now_ / 1000 + shift_; }
  void pass(std::int64_t seconds) { now_ += 1000 * seconds; }
  void pass(std::chrono::milliseconds time) { now_ += time.count(); }
  // Somebody sets the time of day.
  void shift(std::int64_t seconds) { shift_ += seconds; }

 private:
  std::atomic<std::int64_t> now_{1'000'000'000};
  std::atomic<std::int64_t> shift_{0};
};

// Answers from a script, at once or when told to. What is not in the script gets no answer.
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

  std::uint64_t recoveries() const override {
    const std::lock_guard lock(mutex_);
    return recoveries_;
  }

  void script(const std::string& name, Answer answer) {
    const std::lock_guard lock(mutex_);
    script_[name] = std::move(answer);
  }
  void forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    script_.erase(name);
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    hold_ = true;
  }
  // Answers what was held, as the script was when it was asked, and from now on at once.
  void release() {
    for (auto& [answer, done] : take_held()) done(answer);
  }
  void recover() {
    const std::lock_guard lock(mutex_);
    ++recoveries_;
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
  std::uint64_t recoveries_ = 0;
};

inline Answer of(Status status, std::uint32_t ttl, std::vector<std::string> cnames = {}) {
  Answer answer;
  answer.status = status;
  answer.ttl = ttl;
  answer.cnames = std::move(cnames);
  return answer;
}

inline Answer text(const std::string& value, std::uint32_t ttl, std::vector<std::string> cnames = {}) {
  auto answer = of(Status::ok, ttl, std::move(cnames));
  answer.texts = {value};
  return answer;
}

struct CacheTest : testing::Test {
  explicit CacheTest(const CacheOptions& options = {})
      : resolver(std::unique_ptr<Upstream>(&upstream), options, clock) {}

  AnswerPtr ask(std::string_view name) { return resolver.lookup(name, Type::txt, Deadline::max()); }
  // Whether that needed a question.
  bool asks(std::string_view name) {
    const auto before = upstream.asked().size();
    ask(name);
    return upstream.asked().size() > before;
  }

  ManualClock clock;
  // Owned by the resolver, which lives as long.
  ScriptedUpstream& upstream = *new ScriptedUpstream;
  CachingResolver resolver;
};

}  // namespace sesame::dns
