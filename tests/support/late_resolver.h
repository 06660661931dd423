// A resolver whose answers come when the test says so.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_resolver.h"

namespace sesame::test {

// Not thread-safe.
class LateResolver final : public dns::Resolver {
 public:
  explicit LateResolver(std::string_view zone_text) : zone_(zone_text) {}

  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    return zone_.lookup(name, type, deadline);
  }
  void prefetch(std::string_view name, dns::Type type) override { prefetch_then(name, type, nullptr); }
  void prefetch_then(std::string_view name, dns::Type type, Then then) override {
    asked_.push_back(std::string(dns::to_string(type)) + " " + std::string(name));
    open_.push_back({std::string(name), type, std::move(then)});
  }

  // Lets the answers come, one after the other, also those to what is asked meanwhile; a failure is told to nobody.
  void let_come() {
    for (; !open_.empty(); open_.pop_front()) {
      const auto [name, type, then] = open_.front();
      const auto answer = zone_.lookup(name, type, Deadline::max());
      if (then && !dns::is_temporary(answer->status)) then(*this, *answer);
    }
  }

  // What was prefetched: "TXT example.com", in order.
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  struct Open {
    std::string name;
    dns::Type type;
    Then then;
  };
  FakeResolver zone_;
  std::deque<Open> open_;
  std::vector<std::string> asked_;
};

}  // namespace sesame::test
