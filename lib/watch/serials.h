// Who is behind with a zone, and since when. Inside this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "dns/record.h"
#include "util/ip.h"

namespace sesame::watch {

// RFC 1982 Section 3.2.
inline bool is_behind(std::uint32_t serial, std::uint32_t other) {
  return static_cast<std::int32_t>(other - serial) > 0;
}

// Thread-safe.
class Serials {
 public:
  // old: it has been at its serial, which is behind, for longer than the zone's own refresh time. One that moves on is
  // on its way; one that has not moved yet may be either.
  enum class Standing { level, on_its_way, behind, old };
  Standing standing(const std::string& zone, const IpAddress& address, const dns::Soa& newest, std::uint32_t serial,
                    std::int64_t now);

 private:
  struct Lag {
    std::uint32_t serial = 0;
    std::int64_t since = 0;
    bool moved = false;
  };

  std::mutex mutex_;
  std::map<std::pair<std::string, IpAddress>, Lag> lags_;  // guarded by mutex_
};

}  // namespace sesame::watch
