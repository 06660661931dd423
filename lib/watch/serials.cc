#include "watch/serials.h"

#include <algorithm>

namespace sesame::watch {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::size_t kMaxKept = 100'000;

}  // namespace

Serials::Standing Serials::standing(const std::string& zone, const IpAddress& address, const dns::Soa& newest,
                                    std::uint32_t serial, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (!is_behind(serial, newest.serial)) {
    lags_.erase({zone, address});
    return Standing::level;
  }
  if (lags_.size() >= kMaxKept) lags_.clear();
  auto& lag = lags_.try_emplace({zone, address}, Lag{serial, now, false}).first->second;
  if (lag.serial != serial) lag = {serial, now, true};
  if (now - lag.since > std::min<std::int64_t>(newest.refresh, kDay)) return Standing::old;
  return lag.moved ? Standing::on_its_way : Standing::behind;
}

}  // namespace sesame::watch
