// A resolver whose answers to some questions are past their time to live (RFC 8767).
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dns/resolver.h"

namespace sesame::test {

// Thread-safe if the other one is, which must tell at once what it prefetches.
class StaleResolver final : public dns::Resolver {
 public:
  // `questions`: "TXT example.com".
  StaleResolver(dns::Resolver& fresh, std::vector<std::string> questions)
      : fresh_(fresh), questions_(std::move(questions)) {}

  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    auto answer = fresh_.lookup(name, type, deadline);
    const auto question = std::string(dns::to_string(type)) + " " + answer->name;
    if (std::ranges::find(questions_, question) == questions_.end()) return answer;
    auto old = std::make_shared<dns::Answer>(*answer);
    old->stale = true;
    return old;
  }
  void prefetch(std::string_view name, dns::Type type) override { fresh_.prefetch(name, type); }
  void prefetch_then(std::string_view name, dns::Type type, Then then) override {
    fresh_.prefetch_then(name, type, [this, then](dns::Resolver&, const dns::Answer& answer) { then(*this, answer); });
  }

 private:
  dns::Resolver& fresh_;
  const std::vector<std::string> questions_;
};

}  // namespace sesame::test
