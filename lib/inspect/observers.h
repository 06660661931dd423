// Several who observe, as one.
#pragma once

#include <memory>
#include <vector>

#include "ses/history.h"

namespace sesame::inspect {

// What any of them tells. Where several tell of the same, the first of them holds; faults are of all.
class Observers final : public ses::Observer {
 public:
  // None may be null.
  explicit Observers(std::vector<std::shared_ptr<const ses::Observer>> all) : all_(std::move(all)) {}
  ses::History history_of(const ses::Identity& identity) const override;

 private:
  const std::vector<std::shared_ptr<const ses::Observer>> all_;
};

// Null when there is none; itself where there is one.
std::shared_ptr<const ses::Observer> join(std::vector<std::shared_ptr<const ses::Observer>> some_may_be_null);

}  // namespace sesame::inspect
