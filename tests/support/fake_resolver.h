// A resolver in memory: a zone, and a list of what was asked.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dns/resolver.h"
#include "support/zone.h"

namespace sesame::test {

// Answers at once; a name under !TIMEOUT or !SLOW past the deadline is answered Status::timeout without waiting.
// CNAMEs are followed. Thread-safe.
class FakeResolver final : public dns::Resolver {
 public:
  explicit FakeResolver(Zone zone) : zone_(std::move(zone)) {}
  explicit FakeResolver(std::string_view zone_text) : zone_(zone_text) {}

  dns::AnswerPtr lookup(std::string_view name, dns::Type type, Deadline deadline) override;
  void prefetch(std::string_view, dns::Type) override {}
  // `then` is called at once.
  void prefetch_then(std::string_view name, dns::Type type, Then then) override;

  Zone& zone() { return zone_; }
  // "TXT example.com", in order, look-ups only (faults count no others either); a CNAME followed is not listed again.
  std::vector<std::string> asked() const;
  void forget_asked();

 private:
  enum class Count { no, yes };
  dns::AnswerPtr find(std::string_view name, dns::Type type, Deadline deadline, Count count);

  Zone zone_;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::map<std::pair<std::string, dns::Type>, int> questions_;
};

}  // namespace sesame::test
