#include "inspect/observers.h"

#include <iterator>
#include <utility>

namespace sesame::inspect {
namespace {

template <class T>
void fill(std::optional<T>& to, std::optional<T>&& from) {
  if (!to) to = std::move(from);
}

void append(std::vector<ses::ServerFault>& to, std::vector<ses::ServerFault>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void merge(ses::History& to, ses::History&& from) {
  append(to.present, std::move(from.present));
  append(to.past, std::move(from.past));
  fill(to.delegation, std::move(from.delegation));
  if (to.bogus_zone.empty()) to.bogus_zone = std::move(from.bogus_zone);
  fill(to.key_temperrors, std::move(from.key_temperrors));
  // The counts are of the same mail as the arrival.
  if (to.arrivals.seen == 0) to.arrivals = from.arrivals;
  fill(to.arrival, std::move(from.arrival));
  fill(to.dkim_outage, std::move(from.dkim_outage));
  fill(to.mail_from_outage, std::move(from.mail_from_outage));
}

}  // namespace

ses::History Observers::history_of(const ses::Identity& identity) const {
  ses::History all;
  for (const auto& each : all_) merge(all, each->history_of(identity));
  return all;
}

std::shared_ptr<const ses::Observer> join(std::vector<std::shared_ptr<const ses::Observer>> some_may_be_null) {
  std::erase(some_may_be_null, nullptr);
  if (some_may_be_null.size() > 1) return std::make_shared<const Observers>(std::move(some_may_be_null));
  return some_may_be_null.empty() ? nullptr : std::move(some_may_be_null.front());
}

}  // namespace sesame::inspect
