// A resolver that gives the same object again while the answer is the same, as a cache does within a time to live.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "dns/resolver.h"

namespace sesame::test {

// Thread-safe.
class KeepingResolver final : public dns::Resolver {
 public:
  // From now on the answers are those of this resolver.
  void stand_before(dns::Resolver& resolver) { resolver_ = &resolver; }

  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override {
    auto answer = resolver_->lookup(name, type, deadline);
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[{answer->name, type}];
    if (!kept || !is_same(*kept, *answer)) kept = std::move(answer);
    return kept;
  }
  void prefetch(std::string_view name, dns::Type type) override { resolver_->prefetch(name, type); }

 private:
  static bool is_same(const dns::Answer& a, const dns::Answer& b) {
    const auto same_host = [](const dns::Mx& x, const dns::Mx& y) {
      return x.preference == y.preference && x.host == y.host;
    };
    return a.status == b.status && a.cnames == b.cnames && a.texts == b.texts && a.addresses == b.addresses &&
           std::ranges::equal(a.exchanges, b.exchanges, same_host) && a.names == b.names && a.stale == b.stale;
  }

  dns::Resolver* resolver_ = nullptr;
  std::mutex mutex_;
  std::map<std::pair<std::string, dns::Type>, dns::AnswerPtr> kept_;
};

}  // namespace sesame::test
