#include "watch/serials.h"

#include <algorithm>

namespace sesame::watch {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::size_t kMaxKept = 100'000;

}  // namespace

bool Serials::is_old(const std::string& zone, const IpAddress& address, const dns::Soa& newest, std::uint32_t serial,
                     std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (!is_behind(serial, newest.serial)) {
    lags_.erase({zone, address});
    return false;
  }
  if (lags_.size() >= kMaxKept) lags_.clear();
  auto& lag = lags_.try_emplace({zone, address}, Lag{serial, now}).first->second;
  if (lag.serial != serial) lag = {serial, now};
  return now - lag.since > std::min<std::int64_t>(newest.refresh, kDay);
}

}  // namespace sesame::watch
