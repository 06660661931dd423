// RFC 5452 Section 9.2: what an off-path attacker must not be able to guess. Inside this folder only.
#pragma once

#include <sys/random.h>

namespace sesame::dns {

template <class Octets>
Octets random_octets() {
  Octets octets{};
  // So few are never cut short, and never fail once the machine has started.
  [[maybe_unused]] const auto got = getrandom(&octets, sizeof octets, 0);
  return octets;
}

}  // namespace sesame::dns
